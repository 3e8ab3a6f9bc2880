"""The board of a department, and the search across all of them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import business_time
from portal.desk.auth.access import answer, is_fragment, layout_context
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.board.presenter import RowPresenter
from portal.desk.board.view_models import BoardRow, BoardSection, DepartmentTab
from portal.desk.page_cursor import EPOCH, PAGE_SIZE, decode_cursor, encode_cursor
from portal.desk.request.actions import find_action
from portal.desk.widgets import FormError
from portal.errors import BadInput, NotFound, PortalError
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Department, Handoff, Promise, ServiceRequest, StageRun
from portal.models.columns import saved_id
from portal.queries.desk import board as board_module
from portal.queries.desk.board import BoardCounts, PageCursor
from portal.queries.desk.search import search_requests
from portal.queries.staff import staff_by_id
from portal.rules.authorization import may_accept

REFRESH_SECONDS = 20
"""Seconds after which an open board is loaded again."""
MAX_RESULTS = 50
MAX_QUERY_LENGTH = 120

SECTIONS = {
    "accept": BoardSection(
        "accept",
        "Incoming handoffs",
        "The sender stays responsible until you accept.",
        "Accept by",
        (),
    ),
    "answer": BoardSection(
        "answer",
        "Replies due",
        "Customers who wait for a reply.",
        "Reply due by",
        (),
    ),
    "work": BoardSection("work", "In progress", "Soonest due first.", "Due", ()),
    "waiting": BoardSection(
        "waiting", "On hold or waiting for the customer", "SLA paused.", "Due", ()
    ),
    "confirm": BoardSection(
        "confirm", "Awaiting confirmation", "The work is done; the customer confirms it.", "Due", ()
    ),
}


async def show_board(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk?department=&section=&after=&done=`: the reader's board, or a further page."""
    query = request.query_params
    board = await _board(
        request, reader, query.get("department", ""), query.get("section"), query.get("after")
    )
    try:
        message = find_action(query.get("done", ""))[0].said
    except NotFound:
        message = None
    return await answer(request, "desk/board/board.html", board | {"said": message})


async def search(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/search?q=`: the request of that reference, or a list of results."""
    q = request.query_params.get("q", "").replace("\x00", "").strip()[:MAX_QUERY_LENGTH]
    if not q:
        return RedirectResponse("/desk", 303)
    async with request.app.state.database.reading() as session:
        results = await search_requests(session, q, MAX_RESULTS)
        if len(results) == 1 and results[0].reference == q.upper():
            return RedirectResponse(f"/desk/requests/{results[0].reference}", 303)
        departments = await board_module.all_departments(session)
        people = await staff_by_id(session, [result.owner_id for result in results])
        tabs = await _tabs(session, reader, departments, None)
    department = next(
        (department for department in departments if reader.works_in(saved_id(department))), None
    )
    times = TimeFormatter("en", department.timezone if department else "UTC", business_time.now())
    rows = RowPresenter(
        times, {saved_id(department): department for department in departments}, people
    )
    section = BoardSection(
        "found", "Requests", "Newest first.", "Due", [rows.search_row(result) for result in results]
    )
    context = {
        "departments": tabs,
        "heading": f"Results for “{q}”",
        "summary": _result_count(len(results)),
        "sections": [section],
        "empty_text": "Try the reference, the whole phone number with its country, the e-mail "
        "address, or how a name begins.",
        "live_url": None,
        "refresh_seconds": None,
        "said": None,
        "problem": None,
        "q": q,
        **layout_context(reader),
    }
    return await answer(request, "desk/board/board.html", context)


async def render_board(
    request: Request,
    reader: CurrentStaff,
    department: str,
    *,
    done: str = "",
    refusal: PortalError | None = None,
) -> Response:
    """The board after one of its buttons, with the success message or the error."""
    if refusal is None and not is_fragment(request):
        return RedirectResponse(f"/desk?department={department}&done={done}", 303)
    board = await _board(request, reader, department)
    if refusal is not None:
        board["problem"] = FormError("", refusal.detail)
        return await answer(request, "desk/board/board.html", board, refusal.status)
    return await answer(
        request, "desk/board/board.html", board | {"said": find_action(done)[0].said}
    )


async def _board(
    request: Request,
    reader: CurrentStaff,
    key: str,
    only: str | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    if only is not None and only not in SECTIONS:
        raise BadInput("There is no such part of a board.")
    cursor = decode_cursor(after) if after else None
    async with request.app.state.database.reading() as session:
        departments = await board_module.all_departments(session)
        current = _current(reader, departments, key)
        tabs = await _tabs(session, reader, departments, current)
        sections = []
        if current is not None:
            loader = BoardLoader(session, departments, current, cursor)
            sections = await loader.sections([only] if only else SECTIONS)
    tab = next((tab for tab in tabs if tab.current), None)
    return {
        "departments": tabs,
        "heading": current.name if current else "Welcome",
        "summary": _summary(tab) if tab else "You are in no department yet.",
        "sections": sections,
        "may_accept": current is not None and may_accept(reader.colleague, saved_id(current)),
        "empty_text": "Nothing more here." if after else "Nothing is open here.",
        "live_url": f"/desk/live?department={current.key}"
        if current and reader.works_in(saved_id(current))
        else None,
        "refresh_seconds": None if after else REFRESH_SECONDS,
        "said": None,
        "problem": None,
        **layout_context(reader),
    }


@dataclass(frozen=True, slots=True)
class BoardLoader:
    """Loads the sections of one department's board, a page of each, and what their rows need."""

    session: AsyncSession
    departments: Sequence[Department]
    department: Department
    after: PageCursor | None

    async def sections(self, keys: Iterable[str]) -> list[BoardSection]:
        """These sections of the board, with their rows."""
        found = {key: await self._list_rows(key) for key in keys}
        shown = {key: rows[:PAGE_SIZE] for key, rows in found.items()}
        rows = await self._rows([row for page in shown.values() for row in page])
        make: dict[str, Callable[[Any], BoardRow]] = {
            "accept": rows.handoff_row,
            "answer": rows.reply_row,
            "work": rows.stage_row,
            "waiting": rows.stage_row,
            "confirm": rows.confirmation_row,
        }
        return [
            replace(
                SECTIONS[key],
                rows=[make[key](row) for row in page],
                next_page_url=self._older(key, page[-1]) if len(found[key]) > PAGE_SIZE else None,
            )
            for key, page in shown.items()
        ]

    def _list_rows(self, key: str) -> Awaitable[Sequence[tuple[Any, ...]]]:
        arguments = (self.session, saved_id(self.department), self.after, PAGE_SIZE + 1)
        if key == "accept":
            return board_module.list_incoming_handoffs(*arguments)
        if key == "answer":
            return board_module.list_owed_replies(*arguments)
        if key == "confirm":
            return board_module.awaiting_confirmation(*arguments)
        return board_module.in_work(*arguments, paused=key == "waiting")

    async def _rows(self, found: Sequence[tuple[Any, ...]]) -> RowPresenter:
        parts = [part for row in found for part in row]
        requests = {saved_id(part) for part in parts if isinstance(part, ServiceRequest)}
        people = {part.owner_id for part in parts if isinstance(part, ServiceRequest | Promise)}
        people |= {part.assignee_id for part in parts if isinstance(part, StageRun)}
        writers = {part.request_id for part in parts if isinstance(part, Promise)}
        return RowPresenter(
            TimeFormatter("en", self.department.timezone, business_time.now()),
            {saved_id(department): department for department in self.departments},
            await staff_by_id(self.session, people),
            await board_module.latest_customer_texts(self.session, writers),
            await board_module.open_promises(self.session, requests),
        )

    def _older(self, key: str, last: tuple[Any, ...]) -> str:
        row = last[0]
        time = row.accept_by if isinstance(row, Handoff) else getattr(row, "due_at", None)
        cursor = encode_cursor(PageCursor(time or EPOCH, row.id))
        return f"/desk?department={self.department.key}&section={key}&after={cursor}"


def _current(
    reader: CurrentStaff, departments: Sequence[Department], key: str
) -> Department | None:
    """The department asked for, else the reader's first. Raises NotFound for an unknown one."""
    if key:
        found = next((department for department in departments if department.key == key), None)
        if found is None:
            raise NotFound("There is no such department.")
        return found
    mine = [department for department in departments if department.id in reader.departments]
    return next(iter(mine or (departments if reader.staff.manages_all else [])), None)


async def _tabs(
    session: AsyncSession,
    reader: CurrentStaff,
    departments: Sequence[Department],
    current: Department | None,
) -> list[DepartmentTab]:
    """The reader's own departments first; all for a manager; and the current one."""
    listed = [
        department
        for department in departments
        if reader.works_in(saved_id(department)) or department is current
    ]
    listed.sort(key=lambda department: department.id not in reader.departments)
    counts = await board_module.board_counts(
        session, [saved_id(department) for department in listed], business_time.now()
    )
    return [
        _tab(department, counts[saved_id(department)], reader, current=department is current)
        for department in listed
    ]


def _tab(
    department: Department, counts: BoardCounts, reader: CurrentStaff, *, current: bool
) -> DepartmentTab:
    return DepartmentTab(
        key=department.key,
        name=department.name,
        url=f"/desk?department={department.key}",
        to_accept=counts.to_accept,
        unanswered=counts.unanswered,
        late=counts.late,
        in_work=counts.in_work,
        mine=department.id in reader.departments,
        current=current,
    )


def _summary(tab: DepartmentTab) -> str:
    needs = [
        text
        for number, text in (
            (tab.to_accept, f"{tab.to_accept} to accept"),
            (tab.unanswered, _replies_due(tab.unanswered)),
            (tab.late, f"{tab.late} overdue"),
        )
        if number
    ]
    work = f"{tab.in_work} in progress" if tab.in_work else "Nothing in progress"
    return f"{work}, {', '.join(needs)}." if needs else f"{work}, none overdue."


def _replies_due(number: int) -> str:
    return "1 reply due" if number == 1 else f"{number} replies due"


def _result_count(number: int) -> str:
    if number == MAX_RESULTS:
        return f"The newest {MAX_RESULTS} results."
    return {0: "No results.", 1: "1 result."}.get(number, f"{number} results.")
