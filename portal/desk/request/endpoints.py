"""One request at the desk: its page, its stream, everything that is done to it, and a new one."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from portal.desk.auth.access import answer, field, frame, is_fragment, read_form
from portal.desk.auth.current_staff import Reader, find_reader
from portal.desk.board.endpoints import answer_with_board
from portal.desk.labels import REASONS
from portal.desk.request.actions import find_act, perform, reference_of
from portal.desk.request.presenter import draw_request
from portal.desk.request.promises import ask_back
from portal.desk.request.view_models import RequestView
from portal.desk.widgets import Choice, Problem
from portal.errors import BadInput, NotFound, PortalError, Stale
from portal.models import ServiceRequest
from portal.operations import CustomerDetails, Order, open_request
from portal.operations.presence import be_present
from portal.queries.requests import get_service_request
from portal.queries.workflows import newest_workflows

HIDDEN = ("form_token", "version", "seen", "zone", "back")
WRITTEN = ("note", "handover", "reason", "body", "text", "event")
ON_STAGE = ("advance", "handoff/accept", "handoff/refuse", "handoff/recall")


async def show_request(request: Request, reader: Reader) -> Response:
    """`GET /desk/requests/{reference}?done=&reply=&from=inbox&call=`.

    ``reply`` is a reply at hand for the box; from the inbox the box is ready to be written in;
    with ``call`` it is the form for a call.
    """
    asked = request.query_params
    reply = asked.get("reply", "")
    chosen = int(reply) if re.fullmatch(r"[0-9]{1,18}", reply) else None
    if is_fragment(request):
        # What was chosen stands in the box by now, or has been sent.
        return answer(request, "desk/request.html", await _fresh(request, reader, asked))
    await _be_seen(request, reader)
    context = await _fresh(request, reader, asked, chosen)
    ready = "call" if "call" in asked else "body" if chosen or "from" in asked else ""
    return answer(request, "desk/request.html", context | {"ready": ready})


class LiveRequest:
    """`GET /desk/requests/{reference}/live`: an event for each change, receipts included."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one viewer until they leave."""
        connection = HTTPConnection(scope)
        state = connection.app.state
        if await find_reader(connection) is None:
            await Response(status_code=401)(scope, receive, send)
            return
        try:
            async with state.database.reading() as session:
                found = await get_service_request(session, connection.path_params["reference"])
        except NotFound:
            await Response(status_code=404)(scope, receive, send)
            return
        await state.live.stream(scope, receive, send, topic=f"desk:{found.id}", since=None)


async def act_on_request(request: Request, reader: Reader) -> Response:
    """`POST /desk/requests/{reference}/{verb}`: one verb, one turn; a refusal changes nothing."""
    form = await read_form(request)
    verb: str = request.path_params["verb"]
    find_act(verb)
    try:
        if verb == "promises" and (understood := await ask_back(request, reader, form)):
            context = request_context(await _draw(request, reader), reader)
            context |= {"understood": understood}
            return answer(request, "desk/request.html", context, understood.status)
        await perform(request.app.state.relay, reader, reference_of(request), verb, form)
    except NotFound:
        raise
    except PortalError as refusal:
        return await _refuse(request, reader, verb, form, refusal)
    if field(form, "back") == "board":
        return await answer_with_board(
            request, reader, await _department_of(request, form), done=verb
        )
    if is_fragment(request):
        view = await _draw(request, reader)
        return answer(request, "desk/request.html", request_context(view, reader, said(verb)))
    return RedirectResponse(f"/desk/requests/{reference_of(request)}?done={verb}", 303)


async def show_new(request: Request, reader: Reader) -> Response:
    """`GET /desk/requests/new`."""
    return await _new(request, reader, {}, {})


async def open_new(request: Request, reader: Reader) -> Response:
    """`POST /desk/requests/new`: a request is opened and its customer told; or each mistake."""
    form = await read_form(request)
    typed = {name: field(form, name) for name in ("workflow", "name", "phone", "email", "title")}
    customer = CustomerDetails(typed["name"], typed["phone"] or None, typed["email"] or None)
    try:
        if not (customer.phone or customer.email):
            needed = "Please give a phone number or an e-mail address, to send the link to."
            raise BadInput(needed, fields={"customer.phone": needed})
        async with request.app.state.relay.turn(reader.staff.actor) as turn:
            opened = await open_request(turn, Order(typed["workflow"], customer, typed["title"]))
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
    reader: Reader,
    said: str | None = None,
    problem: Problem | None = None,
    changed: list[str] | None = None,
) -> dict[str, Any]:
    """What the request's page is drawn from."""
    reasons = [Choice(reason.value, words) for reason, words in REASONS.items()]
    return {
        "request": view,
        "said": said,
        "problem": problem,
        "changed": changed or [],
        "reasons": reasons,
        "ready": "",
        "understood": None,
        **frame(reader),
    }


def said(verb: str) -> str | None:
    """What to say after a verb; None for what is none."""
    try:
        return find_act(verb)[0].said
    except NotFound:
        return None


def as_problem(view: RequestView, verb: str, form: FormData, why: str) -> Problem | None:
    """The refusal where its form stands; where that form is gone, above all, with what was lost.

    None when there is nothing to say: no reason, and nothing lost.
    """
    typed = {name: field(form, name) for name in form if name not in HIDDEN}
    offered = verb in view.verbs
    if verb in ON_STAGE:
        meant = [move for move in view.moves if move.stage == typed.get("stage", "")]
        offered = any(verb in move.verbs for move in meant)
    if verb.startswith("promises/"):
        offered = any(verb.split("/")[1] == promise.id for promise in view.promises)
    if verb.startswith("messages/"):
        offered = bool(view.meanings)
    if offered:
        return Problem(verb, why or "Please look again before you repeat this.", typed)
    lost = " ".join(f"“{typed[name]}”" for name in WRITTEN if typed.get(name))
    words = f"{why} {f'You had written: {lost}' if lost else ''}".strip()
    return Problem("", words) if words else None


def changed_since(view: RequestView, form: FormData, refusal: PortalError) -> list[str]:
    """What others did after the page was drawn, where that is why it was refused."""
    seen = field(form, "seen")
    if refusal.status != 409 or not seen.isdecimal():
        return []
    return [
        f"{line.words} ({line.who}, {line.at.words})"
        for line in view.events
        if line.id > int(seen[:18])
    ]


async def _refuse(
    request: Request, reader: Reader, verb: str, form: FormData, refusal: PortalError
) -> Response:
    if field(form, "back") == "board":
        department = await _department_of(request, form)
        return await answer_with_board(request, reader, department, refusal=refusal)
    view = await _draw(request, reader)
    changed = changed_since(view, form, refusal)
    # What others did is told in full above; the sentence that it has changed adds nothing to it.
    why = "" if changed and isinstance(refusal, Stale) else refusal.detail
    problem = as_problem(view, verb, form, why)
    context = request_context(view, reader, problem=problem, changed=changed)
    return answer(request, "desk/request.html", context, refusal.status)


async def _department_of(request: Request, form: FormData) -> str:
    """The department on whose board the form stood."""
    found = await _find(request)
    stages = {stage.key: stage.department for stage in found.definition.stages}
    return stages.get(field(form, "stage"), "")


async def _find(request: Request) -> ServiceRequest:
    async with request.app.state.database.reading() as session:
        return await get_service_request(session, reference_of(request))


async def _fresh(
    request: Request, reader: Reader, asked: Mapping[str, str], reply: int | None = None
) -> dict[str, Any]:
    view = await _draw(request, reader, reply)
    return request_context(view, reader, said=said(asked.get("done", "")))


async def _draw(request: Request, reader: Reader, reply: int | None = None) -> RequestView:
    settings = request.app.state.settings
    async with request.app.state.database.reading() as session:
        return await draw_request(session, reference_of(request), reader, settings, reply=reply)


async def _be_seen(request: Request, reader: Reader) -> None:
    """The reader is there from now on; for the half minute that counts also without a script."""
    found = await _find(request)
    async with request.app.state.relay.turn(reader.staff.actor) as turn:
        await be_present(turn, found.id or 0)


async def _new(
    request: Request,
    reader: Reader,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> Response:
    async with request.app.state.database.reading() as session:
        workflows = await newest_workflows(session)
    context = {
        "workflows": [Choice(one.key, one.name) for one in workflows],
        "typed": typed,
        "errors": errors,
        **frame(reader),
    }
    return answer(request, "desk/new.html", context, status)
