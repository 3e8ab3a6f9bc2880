"""One request at the desk: its page, its event stream, its actions, and the form of a new one."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from portal.desk.auth.access import answer, field, is_fragment, layout_context, read_form
from portal.desk.auth.current_staff import CurrentStaff, find_current_staff
from portal.desk.auth.streams import serve_stream
from portal.desk.board.endpoints import render_board
from portal.desk.labels import REASON_LABELS
from portal.desk.request import documents
from portal.desk.request.actions import find_action, perform_action, reference_of
from portal.desk.request.presenter import present_request
from portal.desk.request.promises import preview_unless_agreed
from portal.desk.request.view_models import RequestView
from portal.desk.widgets import Choice, FormError
from portal.errors import BadInput, NotFound, PortalError, VersionConflict
from portal.models import ServiceRequest
from portal.models.columns import saved_id
from portal.operations import CustomerDetails, RequestDetails, open_request
from portal.operations.presence import mark_present
from portal.queries.requests import get_service_request
from portal.queries.workflows import newest_workflows
from portal.rules.authorization import Act

HIDDEN_FIELDS = ("form_token", "version", "seen", "zone", "back")
TEXT_FIELDS = ("note", "handover", "reason", "body", "text", "event")
STAGE_ACTIONS = ("advance", "handoff/accept", "handoff/refuse", "handoff/recall")


async def show_request(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/requests/{reference}?done=&reply=&from=inbox&call=`.

    ``reply`` is the id of a saved reply to start from; ``from=inbox`` focuses the reply box,
    ``call`` the form that logs a call.
    """
    asked = request.query_params
    reply = asked.get("reply", "")
    chosen = int(reply) if re.fullmatch(r"[0-9]{1,18}", reply) else None
    if is_fragment(request):
        # The saved reply is in the box by now, or was sent.
        return await answer(
            request, "desk/request/request.html", await _fresh(request, reader, asked)
        )
    await _be_seen(request, reader)
    context = await _fresh(request, reader, asked, chosen)
    focused_form = "call" if "call" in asked else "body" if chosen or "from" in asked else ""
    return await answer(
        request, "desk/request/request.html", context | {"focused_form": focused_form}
    )


class RequestEventStream:
    """`GET /desk/requests/{reference}/live`: an event for each change, receipts included."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one browser until it leaves."""
        connection = HTTPConnection(scope)
        state = connection.app.state
        reader = await find_current_staff(connection)
        if reader is None:
            await Response(status_code=401)(scope, receive, send)
            return
        try:
            async with state.database.reading() as session:
                found = await get_service_request(session, connection.path_params["reference"])
        except NotFound:
            await Response(status_code=404)(scope, receive, send)
            return
        if not reader.may(Act.READ, found):
            await Response(status_code=403)(scope, receive, send)
            return
        await serve_stream(scope, receive, send, reader, f"desk:{found.id}")


async def act_on_request(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/requests/{reference}/{verb}`: one action in one transaction.

    The answer shows the request that the transaction loaded and changed. What it began and did
    not finish is undone, so a refusal is shown on a request that is loaded anew.
    """
    form = await read_form(request)
    verb: str = request.path_params["verb"]
    reference = reference_of(request)
    try:
        if verb == "promises" and (found := await preview_unless_agreed(request, reader, form)):
            preview, held = found
            context = request_context(await _draw(request, reader, held), reader)
            context |= {"promise_preview": preview}
            return await answer(request, "desk/request/request.html", context, preview.status)
        changed = await perform_action(request.app.state.operations, reader, reference, verb, form)
    except NotFound:
        raise
    except PortalError as refusal:
        return await _refuse(request, reader, verb, form, refusal)
    if field(form, "back") == "board":
        return await render_board(request, reader, _department_of(changed, form), done=verb)
    if is_fragment(request):
        view = await _draw(request, reader, changed)
        return await answer(
            request,
            "desk/request/request.html",
            request_context(view, reader, success_message(verb, view)),
        )
    return RedirectResponse(f"/desk/requests/{reference}?done={verb}", 303)


async def show_new_request_form(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/requests/new`."""
    return await _new(request, reader, {}, {})


async def open_new(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/requests/new`: open a request and notify its customer, or show each error."""
    form = await read_form(request)
    typed = {name: field(form, name) for name in ("workflow", "name", "phone", "email", "title")}
    customer = CustomerDetails(typed["name"], typed["phone"] or None, typed["email"] or None)
    try:
        if not (customer.phone or customer.email):
            needed = "Please give a phone number or an e-mail address, to send the link to."
            raise BadInput(needed, fields={"customer.phone": needed})
        async with request.app.state.operations.begin(reader.staff.actor) as uow:
            opened = await open_request(
                uow, RequestDetails(typed["workflow"], customer, typed["title"])
            )
    except PortalError as refusal:
        errors = {name.removeprefix("customer."): told for name, told in refusal.fields.items()}
        if not errors.keys() & typed.keys():
            errors = {"": refusal.detail}
        return await _new(request, reader, typed, errors, refusal.status)
    url = f"/desk/requests/{opened.reference}"
    if is_fragment(request):
        return Response(status_code=200, headers={"HX-Redirect": url})
    return RedirectResponse(url, 303)


def request_context(
    view: RequestView,
    reader: CurrentStaff,
    said: str | None = None,
    problem: FormError | None = None,
    changed: list[str] | None = None,
) -> dict[str, Any]:
    """The context of the request's template."""
    reasons = [Choice(reason.value, words) for reason, words in REASON_LABELS.items()]
    return {
        "request": view,
        "said": said,
        "problem": problem,
        "changes": changed or [],
        "reasons": reasons,
        "focused_form": "",
        "promise_preview": None,
        **layout_context(reader),
    }


def success_message(verb: str, view: RequestView) -> str | None:
    """What to say after an action; None for an unknown one."""
    if verb == "contacts" and view.promises and "messages" not in view.actions:
        return "Saved. Open commitments stay as they are."
    if verb == documents.VERB:
        return documents.SAID
    try:
        return find_action(verb)[0].said
    except NotFound:
        return None


def build_problem(view: RequestView, verb: str, form: FormData, why: str) -> FormError | None:
    """The error at its form; at the top with the lost input, where that form is gone.

    None when there is nothing to say: no reason, and nothing lost.
    """
    typed = {name: field(form, name) for name in form if name not in HIDDEN_FIELDS}
    offered = verb in view.actions
    if verb in STAGE_ACTIONS:
        meant = [move for move in view.moves if move.stage == typed.get("stage", "")]
        offered = any(verb in move.actions for move in meant)
    if verb.startswith("promises/"):
        offered = any(verb.split("/")[1] == promise.id for promise in view.promises)
    if verb.startswith("messages/"):
        offered = bool(view.intents)
    if verb.startswith("needs/"):
        offered = any(verb.split("/")[1] == need.id for need in view.needs)
    if offered:
        return FormError(verb, why or "Please look again before you repeat this.", typed)
    lost = " ".join(f"“{typed[name]}”" for name in TEXT_FIELDS if typed.get(name))
    words = f"{why} {f'You had written: {lost}' if lost else ''}".strip()
    return FormError("", words) if words else None


def changes_since(view: RequestView, form: FormData, refusal: PortalError) -> list[str]:
    """What others did since the page was loaded, where that is why it was rejected."""
    seen = field(form, "seen")
    if refusal.status != 409 or not seen.isdecimal():
        return []
    return [
        f"{line.words} ({line.who}, {line.at.words})"
        for line in view.events
        if line.id > int(seen[:18])
    ]


async def _refuse(
    request: Request, reader: CurrentStaff, verb: str, form: FormData, refusal: PortalError
) -> Response:
    if field(form, "back") == "board":
        department = _department_of(await _find(request), form)
        return await render_board(request, reader, department, refusal=refusal)
    view = await _draw(request, reader)
    changed = changes_since(view, form, refusal)
    # The list of changes above says it already.
    why = "" if changed and isinstance(refusal, VersionConflict) else refusal.detail
    problem = build_problem(view, verb, form, why)
    context = request_context(view, reader, problem=problem, changed=changed)
    return await answer(request, "desk/request/request.html", context, refusal.status)


def _department_of(found: ServiceRequest, form: FormData) -> str:
    """The key of the department on whose board the form was."""
    stages = {stage.key: stage.department for stage in found.definition.stages}
    return stages.get(field(form, "stage"), "")


async def _find(request: Request) -> ServiceRequest:
    async with request.app.state.database.reading() as session:
        return await get_service_request(session, reference_of(request))


async def _fresh(
    request: Request, reader: CurrentStaff, asked: Mapping[str, str], reply: int | None = None
) -> dict[str, Any]:
    view = await _draw(request, reader, reply=reply)
    return request_context(view, reader, success_message(asked.get("done", ""), view))


async def _draw(
    request: Request,
    reader: CurrentStaff,
    found: ServiceRequest | None = None,
    *,
    reply: int | None = None,
) -> RequestView:
    """The request as this reader sees it: the one that is given, or loaded anew."""
    settings = request.app.state.settings
    async with request.app.state.database.reading() as session:
        if found is None:
            found = await get_service_request(session, reference_of(request))
        else:
            session.add(found)  # So that its parts find each other without a query.
        return await present_request(session, found, reader, settings, reply=reply)


async def _be_seen(request: Request, reader: CurrentStaff) -> None:
    """Mark the reader present, also for browsers without JavaScript."""
    found = await _find(request)
    async with request.app.state.operations.begin(reader.staff.actor) as uow:
        await mark_present(uow, saved_id(found))


async def _new(
    request: Request,
    reader: CurrentStaff,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> Response:
    async with request.app.state.database.reading() as session:
        workflows = await newest_workflows(session)
    context = {
        "workflows": [Choice(workflow.key, workflow.name) for workflow in workflows],
        "typed": typed,
        "errors": errors,
        **layout_context(reader),
    }
    return await answer(request, "desk/request/new.html", context, status)
