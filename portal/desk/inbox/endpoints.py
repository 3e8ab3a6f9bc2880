"""The inbox: replies and call-backs due, contact reasons, and texts of unknown senders."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from portal import business_time
from portal.desk.auth.access import (
    answer,
    field,
    id_in_path,
    is_fragment,
    layout_context,
    read_form,
)
from portal.desk.auth.current_staff import CurrentStaff, find_current_staff
from portal.desk.auth.streams import serve_stream
from portal.desk.board.endpoints import REFRESH_SECONDS
from portal.desk.inbox.presenter import InboxPresenter, summarize_reasons
from portal.desk.page_cursor import PAGE_SIZE, decode_cursor, encode_cursor
from portal.desk.widgets import Choice, FormError
from portal.errors import NotFound, PortalError
from portal.live import NO_DEPARTMENT
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Department
from portal.models.columns import saved_id
from portal.operations import UnitOfWork, reading_is_ready
from portal.operations.conversation.unknown_senders import (
    answer_unknown_sender,
    attach_to_request,
    dismiss_unknown_sender,
    lock_unknown_sender_message,
)
from portal.queries.desk import inbox
from portal.queries.desk.board import PageCursor, all_departments
from portal.queries.desk.inbox import DueReply
from portal.queries.paging import EVERYTHING, WorkScope
from portal.queries.staff import staff_by_id

RECENT_PERIOD = timedelta(days=7)
SUCCESS_MESSAGES = {
    "answer": "Reply sent.",
    "attach": "Assigned to that request, with a reply due.",
    "rest": "Dismissed.",
}


async def show_inbox(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/inbox?show=&department=&after=&done=`: the oldest promise first."""
    said = SUCCESS_MESSAGES.get(request.query_params.get("done", ""))
    return await answer(
        request, "desk/inbox/inbox.html", await _inbox(request, reader) | {"said": said}
    )


class DeskEventStream:
    """`GET /desk/live?department=`: an event for each change on those boards.

    Without a department, those of the reader; all for a manager. 403 for the department of others.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one browser until it leaves."""
        connection = HTTPConnection(scope)
        state = connection.app.state
        reader = await find_current_staff(connection)
        if reader is None:
            await Response(status_code=401)(scope, receive, send)
            return
        async with state.database.reading() as session:
            departments = await all_departments(session)
        key = connection.query_params.get("department", "")
        named = next((department for department in departments if department.key == key), None)
        if named is not None and not reader.works_in(saved_id(named)):
            await Response(status_code=403)(scope, receive, send)
            return
        watched = [
            f"department:{item.id}"
            for item in departments
            if (item.key == key if key else reader.works_in(saved_id(item)))
        ]
        if reader.staff.manages_all and not key:
            watched.append(f"department:{NO_DEPARTMENT}")
        # A reader without a department gets a stream that stays silent.
        topics = watched or ["department:none"]
        await serve_stream(scope, receive, send, reader, *topics)


async def handle_unknown_sender(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/inbox/{id}/{verb}`: reply to an unknown sender, attach the text, dismiss it."""
    verb: str = request.path_params["verb"]
    if verb not in SUCCESS_MESSAGES:
        raise NotFound("There is nothing of that name to do.")
    form, message_id = await read_form(request), id_in_path(request, "text")
    await reading_is_ready()
    try:
        async with request.app.state.operations.begin(reader.staff.actor) as uow:
            await _do(uow, message_id, verb, form)
    except PortalError as refusal:
        typed = {name: field(form, name) for name in ("body", "reference")}
        problem = FormError(f"{message_id}/{verb}", refusal.detail, typed)
        context = await _inbox(request, reader, problem)
        return await answer(request, "desk/inbox/inbox.html", context, refusal.status)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/inbox?done={verb}", 303)
    return await answer(
        request,
        "desk/inbox/inbox.html",
        await _inbox(request, reader) | {"said": SUCCESS_MESSAGES[verb]},
    )


async def _do(uow: UnitOfWork, message_id: int, verb: str, form: FormData) -> None:
    heard = await lock_unknown_sender_message(uow, message_id)
    if verb == "answer":
        await answer_unknown_sender(uow, heard, field(form, "body"))
    elif verb == "attach":
        await attach_to_request(uow, heard, await uow.lock(field(form, "reference")))
    else:
        await dismiss_unknown_sender(uow, heard)


async def _inbox(
    request: Request, reader: CurrentStaff, problem: FormError | None = None
) -> dict[str, Any]:
    asked = request.query_params
    after = decode_cursor(asked["after"]) if asked.get("after") else None
    async with request.app.state.database.reading() as session:
        departments = await all_departments(session)
        view = _chosen(reader, departments, asked.get("show", ""), asked.get("department", ""))
        context = await _lists(session, view, departments, after)
        if reader.staff.manages_all and after is None and view.is_whole:
            texts = await inbox.list_unknown_sender_texts(session)
            context["unknown_senders"] = view.rows({}, {}).unknown_senders(texts)
    forms = [
        f"{line.id}/{verb}" for line in context["unknown_senders"] for verb in SUCCESS_MESSAGES
    ]
    return context | {
        "views": _views(reader),
        "department_views": _department_views(reader, departments),
        "current": view.url,
        "live_url": view.live_url,
        "refresh_seconds": None if after else REFRESH_SECONDS * 3,
        "empty_text": "Nothing more here." if after else "Inbox zero.",
        "said": None,
        "problem": problem and problem.among(forms),
        **layout_context(reader),
    }


@dataclass(frozen=True, slots=True)
class InboxView:
    """One view of the inbox: its scope, and whether it shows texts of unknown senders."""

    name: str
    url: str
    live_url: str
    scope: WorkScope
    departments: Collection[int] | None
    timezone: str
    is_whole: bool = False

    def rows(self, people: Any, names: Any) -> InboxPresenter:
        """The presenter of its rows, with the staff and departments by id."""
        return InboxPresenter(
            TimeFormatter("en", self.timezone, business_time.now()), people, names
        )


async def _lists(
    session: AsyncSession,
    view: InboxView,
    departments: Sequence[Department],
    after: PageCursor | None,
) -> dict[str, Any]:
    found = await inbox.list_due_replies(session, view.scope, after, PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    words = await inbox.last_customer_messages(session, [saved_id(one) for _, one, _ in shown])
    files = await inbox.count_attachments(
        session, [saved_id(message) for message in words.values()]
    )
    people = await staff_by_id(session, [promise.owner_id for promise, _, _ in shown])
    rows = view.rows(people, {saved_id(department): department for department in departments})
    now = business_time.now()
    everything, late = await inbox.count_due_replies(session, view.scope, now)
    asked = await inbox.count_contact_reasons(session, view.departments, now - RECENT_PERIOD)
    return {
        "heading": view.name,
        "summary": _summary(everything, late),
        "contact_reasons": summarize_reasons(asked),
        "rows": [rows.row(row, words, files) for row in shown],
        "next_page_url": _older(view, shown[-1]) if len(found) > PAGE_SIZE else None,
        "unknown_senders": [],
    }


def _chosen(
    reader: CurrentStaff, departments: Sequence[Department], show: str, key: str
) -> InboxView:
    """The view asked for, else the one that most concerns them. Raises NotFound."""
    first = next(
        (department for department in departments if department.id in reader.departments), None
    )
    zone = (first or next(iter(departments), Department(key="", name=""))).timezone
    if key:
        department = next((department for department in departments if department.key == key), None)
        if department is None:
            raise NotFound("There is no such department.")
        ids = [saved_id(department)]
        return InboxView(
            department.name, f"/desk/inbox?department={key}",
            f"/desk/live?department={key}" if reader.works_in(ids[0]) else "",
            WorkScope(departments=ids), ids, department.timezone,
        )  # fmt: skip
    if show == "mine":
        scope = WorkScope(person_id=reader.staff.id)
        mine = reader.departments or None
        return InboxView("Mine", "/desk/inbox?show=mine", "/desk/live", scope, mine, zone)
    if reader.staff.manages_all and show != "ours":
        return InboxView(
            "All", "/desk/inbox?show=all", "/desk/live", EVERYTHING, None, zone,
            is_whole=True,
        )  # fmt: skip
    ours = reader.departments
    return InboxView(
        "My teams",
        "/desk/inbox?show=ours",
        "/desk/live",
        WorkScope(departments=ours),
        ours,
        zone,
    )


def _views(reader: CurrentStaff) -> list[Choice]:
    """Addresses and names: mine, my teams; for a manager, all."""
    views = [Choice("/desk/inbox?show=mine", "Mine")]
    if reader.departments:
        views.append(Choice("/desk/inbox?show=ours", "My teams"))
    if reader.staff.manages_all:
        views.append(Choice("/desk/inbox?show=all", "All"))
    return views


def _department_views(reader: CurrentStaff, departments: Sequence[Department]) -> list[Choice]:
    """A view for each of the reader's departments, where there are several."""
    each = [department for department in departments if reader.works_in(saved_id(department))]
    if len(each) < 2:
        return []
    return [Choice(f"/desk/inbox?department={item.key}", item.name) for item in each]


def _older(view: InboxView, last: DueReply) -> str:
    promise = last[0]
    return f"{view.url}&after={encode_cursor(PageCursor(promise.due_at, saved_id(promise)))}"


def _summary(everything: int, late: int) -> str:
    if not everything:
        return "No replies due."
    waits = "1 customer waiting" if everything == 1 else f"{everything} customers waiting"
    return f"{waits}, {late} overdue." if late else f"{waits}, none overdue."
