"""The failed messages: their list, and fixing one."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import business_time, operations
from portal.desk.auth.access import (
    answer,
    field,
    id_in_path,
    is_fragment,
    layout_context,
    read_form,
    read_number,
)
from portal.desk.auth.current_staff import CurrentStaff, find_current_staff
from portal.desk.failed_messages.bulk_retry import (
    present_bulk_retries,
    read_chosen,
    result_message,
)
from portal.desk.failed_messages.presenter import present_failed_messages
from portal.desk.failed_messages.view_models import FailedMessageLine
from portal.desk.widgets import Choice, FormError
from portal.errors import BadInput, NotFound, PortalError
from portal.models import Channel, Direction, Message
from portal.operations import UnitOfWork
from portal.operations.delivery.failed_messages import FailedMessage
from portal.queries.conversations import get_message
from portal.queries.desk.failed_messages import list_failed_messages
from portal.queries.paging import EVERYTHING, PageRequest, WorkScope

PAGE_SIZE = 20
SUCCESS_MESSAGES = {
    "retry": "Sending again. If it fails again, it comes back here.",
    "resend": "Sending your text instead. If it fails too, it comes back here.",
    "told": "Marked as informed. Nothing more is sent.",
}
VIEWS = {"ours": "My teams", "mine": "Mine", "all": "All"}


async def show_failed_messages(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/messages?show=&after=&done=`: the failed messages, the oldest first."""
    asked = request.query_params
    after = read_number(asked["after"], "place in the list") if asked.get("after") else None
    said = SUCCESS_MESSAGES.get(asked.get("done", ""))
    return await _list(request, reader, asked.get("show", ""), after=after, said=said)


async def show_failed_message(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/messages/{id}`: one message of ours, and what can be done."""
    return await _one(request, reader)


async def resolve_failed_message(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/messages/{id}/{verb}`: one action in one transaction."""
    verb: str = request.path_params["verb"]
    if verb not in SUCCESS_MESSAGES:
        raise NotFound("There is nothing of that name to do.")
    form = await read_form(request)
    show = field(form, "show")
    try:
        async with request.app.state.operations.begin(reader.staff.actor) as uow:
            failed_message = await operations.lock_failed_message(
                uow, id_in_path(request, "message")
            )
            await _do(uow, failed_message, verb, form)
    except NotFound:
        raise
    except PortalError as refusal:
        return await _refuse(request, reader, verb, form, refusal)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/messages?show={_view(reader, show)}&done={verb}", 303)
    # Loaded again: the bar shows how many are left.
    reader = await find_current_staff(request) or reader
    return await _list(request, reader, show, said=SUCCESS_MESSAGES[verb])


async def retry_failed_messages(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/messages`: send the selected messages again, or all of one reason.

    The answer says of each that is not sent why; at most MAX_MESSAGES are tried, one after another.
    """
    form = await read_form(request)
    show = _view(reader, field(form, "show"))
    try:
        async with request.app.state.database.reading() as session:
            chosen = await read_chosen(session, form, _own_scope(reader, show))
    except BadInput as refusal:
        problem = FormError("", refusal.detail)
        return await _list(request, reader, show, problem=problem, status=refusal.status)
    result = await operations.retry_messages(
        request.app.state.operations, reader.staff.actor, chosen
    )
    return await _list(request, reader, show, said=result_message(result))


async def _do(uow: UnitOfWork, failed_message: FailedMessage, verb: str, form: FormData) -> None:
    if verb == "retry":
        await operations.retry_message(uow, failed_message, to=field(form, "to") or None)
    elif verb == "resend":
        await operations.resend_message(
            uow, failed_message, field(form, "body"), channel=_channel(form)
        )
    else:
        await operations.mark_told_by_phone(uow, failed_message, note=field(form, "note"))


def _channel(form: FormData) -> Channel | None:
    named = field(form, "channel")
    if named not in ("", Channel.SMS, Channel.EMAIL):
        raise BadInput("Please choose a channel.")
    return Channel(named) if named else None


async def _refuse(
    request: Request, reader: CurrentStaff, verb: str, form: FormData, refusal: PortalError
) -> Response:
    """The error at its form with the input; at the top, where that form is gone."""
    typed = {name: field(form, name) for name in ("body", "note", "to", "channel")}
    problem = FormError(f"{request.path_params['id']}/{verb}", refusal.detail, typed)
    show = field(form, "show")
    if show == "one":
        return await _one(request, reader, problem, refusal.status)
    return await _list(request, reader, show, problem=problem, status=refusal.status)


async def _list(
    request: Request,
    reader: CurrentStaff,
    show: str,
    *,
    after: int | None = None,
    said: str | None = None,
    problem: FormError | None = None,
    status: int = 200,
) -> Response:
    show = _view(reader, show)
    async with request.app.state.database.reading() as session:
        scope = _scope(reader, show)
        messages, further = await list_failed_messages(
            session, business_time.now(), scope, PageRequest(PAGE_SIZE, after)
        )
        lines = await present_failed_messages(session, messages, reader)
        bulk_retries = await present_bulk_retries(session, _own_scope(reader, show))
    context = {
        "bulk_retries": bulk_retries,
        "heading": "Failed messages",
        "summary": "Not delivered, or delivery unknown. Oldest first.",
        "views": [Choice(view, words) for view, words in VIEWS.items()],
        "show": show,
        "page_size": PAGE_SIZE,
        "next_page_url": f"/desk/messages?show={show}&after={further}" if further else None,
        "empty_text": "Nothing more here." if after else "No failed messages.",
    }
    return await _page(request, reader, lines, context, said=said, problem=problem, status=status)


async def _one(
    request: Request, reader: CurrentStaff, problem: FormError | None = None, status: int = 200
) -> Response:
    async with request.app.state.database.reading() as session:
        message = await _get_ours(session, id_in_path(request, "message"))
        lines = await present_failed_messages(session, [message], reader)
    context: dict[str, Any] = {
        "bulk_retries": [],
        "heading": f"A message to {lines[0].customer}",
        "summary": "Delivery details and what can be done.",
        "views": [],
        "show": "one",
        "page_size": PAGE_SIZE,
        "next_page_url": None,
        "empty_text": "",
    }
    return await _page(request, reader, lines, context, problem=problem, status=status)


async def _page(
    request: Request,
    reader: CurrentStaff,
    lines: list[FailedMessageLine],
    context: dict[str, Any],
    *,
    said: str | None = None,
    problem: FormError | None = None,
    status: int = 200,
) -> Response:
    offered = {
        f"{line.id}/{verb}"
        for line in lines
        for verb, can in (
            ("retry", line.retry_label),
            ("resend", line.channels),
            ("told", line.may_mark_told),
        )
        if can
    }
    told = {"lines": lines, "said": said, "problem": problem and problem.among(offered)}
    return await answer(
        request, "desk/failed_messages.html", context | told | layout_context(reader), status
    )


def _view(reader: CurrentStaff, show: str) -> str:
    """The view asked for, else the default of this reader."""
    if show in VIEWS:
        return show
    return "all" if reader.staff.manages_all else "ours"


def _scope(reader: CurrentStaff, show: str) -> WorkScope:
    if show == "all":
        return EVERYTHING
    departments = reader.departments if show == "ours" else None
    return WorkScope(reader.staff.id, departments)


def _own_scope(reader: CurrentStaff, show: str) -> WorkScope:
    """The messages of this view that the reader may send again."""
    return reader.scope if show == "all" else _scope(reader, show)


async def _get_ours(session: AsyncSession, message_id: int) -> Message:
    message = await get_message(session, message_id)
    if message.direction == Direction.IN:
        raise NotFound(f"We have written no message {message_id}.")
    return message
