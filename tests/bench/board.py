"""A full database: time of the queries for boards, search and lists, on the first page and page 200."""

import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.database import Database
from portal.models import Department, RequestStatus, ServiceRequest
from portal.queries import api_lists
from portal.queries.api_lists import RequestFilter
from portal.queries.desk import board
from portal.queries.desk.board import PageCursor
from portal.queries.desk.search import search_requests
from portal.queries.paging import PageRequest
from portal.queries.requests import get_service_request
from tests.bench.runner import databases, settings_for, table, with_organisation
from tests.bench.seed import seed_requests
from tests.support.factories import Organisation

A_PAGE = 25
FAR = 200
"""The page that is compared with the first."""
TIMES = 7
BIG = ("service_request", "stage_run", "event", "message", "customer", "contact_point", "handoff")

Look = Callable[[AsyncSession], Awaitable[Any]]


def run(options: Any) -> None:
    """Print each look's milliseconds in the database and the tables that it scanned."""
    rows: list[list[Any]] = []
    with databases(options) as urls:
        for name, url in urls.items():
            rows += with_organisation(
                settings_for(url), lambda h, n=name: measure(h, n, options.requests)
            )
    heads = ["look", "database", "statements", "ms", f"page {FAR} ms", "whole tables read"]
    table(f"In the database, at {options.requests:,} requests", heads, rows)


async def measure(organisation: Organisation, name: str, requests: int) -> list[list[Any]]:
    """Fill the database and time the queries."""
    begun = time.perf_counter()
    await seed_requests(organisation, requests)
    print(f"{name}: {requests:,} requests filled in {time.perf_counter() - begun:.0f} s")
    async with organisation.database.reading() as session:
        looks = await _looks(session)
    watch = Watch(organisation.database)
    rows = []
    for title, first, far in looks:
        spent, statements, scanned = await watch.measure(first)
        later = (await watch.measure(far))[0] if far is not None else ""
        rows.append([title, name, statements, spent, later, ", ".join(scanned) or "none"])
    return rows


async def _looks(session: AsyncSession) -> list[tuple[str, Look, Look | None]]:
    here = (await session.exec(select(Department).where(Department.key == "processing"))).one()
    ids = [department.id or 0 for department in await board.all_departments(session)]
    request = (await session.exec(select(ServiceRequest).offset(50).limit(1))).one()
    place = here.id or 0
    start: PageCursor | None = None
    for _ in range(FAR - 1):
        page = await board.in_work(session, place, start, A_PAGE, paused=False)
        if len(page) < A_PAGE:
            break
        start = PageCursor(page[-1][0].due_at, page[-1][0].id or 0)
    deep = await _nth(session, col(ServiceRequest.id).desc())
    work = RequestFilter(department="processing")
    first = PageRequest(A_PAGE)
    is_open = RequestFilter(status=RequestStatus.OPEN)
    return [
        ("board: in work", lambda s: board.in_work(s, place, None, A_PAGE, paused=False),
         lambda s: board.in_work(s, place, start, A_PAGE, paused=False)),
        ("board: to take up", lambda s: board.list_incoming_handoffs(s, place, None, A_PAGE), None),
        ("board: answers owed", lambda s: board.list_owed_replies(s, place, None, A_PAGE), None),
        ("board: to confirm", lambda s: board.awaiting_confirmation(s, place, None, A_PAGE),
         None),
        ("board: counts of all", lambda s: board.board_counts(s, ids, business_time.now()), None),
        ("search: reference", lambda s: search_requests(s, request.reference, 50), None),
        ("search: phone", lambda s: search_requests(s, "+12000000012", 50), None),
        ("search: name", lambda s: search_requests(s, "Ann3", 50), None),
        ("list: newest", lambda s: api_lists.list_requests(s, RequestFilter(), first),
         lambda s: api_lists.list_requests(s, RequestFilter(), PageRequest(A_PAGE, deep))),
        ("list: of a department", lambda s: api_lists.list_requests(s, work, first),
         lambda s: api_lists.list_requests(s, work, PageRequest(A_PAGE, deep))),
        ("list: open", lambda s: api_lists.list_requests(s, is_open, first),
         lambda s: api_lists.list_requests(s, is_open, PageRequest(A_PAGE, deep))),
        ("list: q, a phone", lambda s: api_lists.list_requests(s, RequestFilter(q="+12000000012"), first),
         None),
        ("one request, whole", lambda s: get_service_request(s, request.reference), None),
    ]  # fmt: skip


async def _nth(session: AsyncSession, order: Any) -> int | None:
    query = select(ServiceRequest.id).order_by(order).offset((FAR - 1) * A_PAGE).limit(1)
    return (await session.exec(query)).first()


class Watch:
    """Counts what looks cost in the database, and asks it how it finds the rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._spent = 0.0
        self._statements: list[tuple[str, Any]] = []
        engine = database.engine.sync_engine
        sa.event.listen(engine, "before_cursor_execute", self._before)
        sa.event.listen(engine, "after_cursor_execute", self._after)

    async def measure(self, look: Look) -> tuple[float, int, list[str]]:
        """Milliseconds (the median of some), statements, and big tables read from end to end."""
        times = []
        for _ in range(TIMES):
            self._spent, self._statements = 0.0, []
            async with self._database.reading() as session:
                await look(session)
            times.append(self._spent * 1000)
        statements = list(self._statements)
        scanned: set[str] = set()
        for statement, told in statements:
            scanned |= await self._scanned(statement, told)
        return median(times), len(statements), sorted(scanned)

    def _before(self, *_: Any) -> None:
        self._begun = time.perf_counter()

    def _after(self, _c: Any, _cursor: Any, statement: str, told: Any, *_: Any) -> None:
        self._spent += time.perf_counter() - self._begun
        self._statements.append((statement, told))

    async def _scanned(self, statement: str, told: Any) -> set[str]:
        if not statement.lstrip().upper().startswith("SELECT"):
            return set()
        explain = "EXPLAIN QUERY PLAN " if self._database.is_sqlite else "EXPLAIN "
        async with self._database.connection() as connection:
            plan = await connection.exec_driver_sql(explain + statement, told)
            lines = [str(row[-1]) for row in plan]
        word = "SCAN " if self._database.is_sqlite else "Seq Scan on "
        return {
            name
            for line in lines
            for name in BIG
            if word + name in line and " USING " not in line and not _is_walk(statement)
        }


def _is_walk(statement: str) -> bool:
    """Newest first along the primary key, with nothing to pass over: SQLite calls that a scan."""
    words = " ".join(statement.split())
    return "ORDER BY service_request.id DESC LIMIT" in words and " WHERE " not in words
