"""A department's board.

Each list is paged by key along an index; a page takes the same few queries whatever is on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    Customer,
    Department,
    Handoff,
    Message,
    MessageKind,
    Promise,
    PromiseKind,
    RequestStatus,
    RunState,
    ServiceRequest,
    Stage,
    StageRun,
)
from portal.queries.conversations import says_something

REPLY_PROMISE_KINDS = (PromiseKind.ANSWER, PromiseKind.CALL)
"""Promises that a message or a call keeps."""

HAS_PENDING_HANDOFF = (
    sa.select(col(Handoff.id))
    .where(col(Handoff.run_id) == col(StageRun.id), col(Handoff.closed_at).is_(None))
    .exists()
)

LIST_OPTIONS: Sequence[ORMOption] = (
    selectinload(ServiceRequest.runs),  # type: ignore[arg-type]
    selectinload(ServiceRequest.workflow),  # type: ignore[arg-type]
    selectinload(ServiceRequest.customer),  # type: ignore[arg-type]
)


@dataclass(frozen=True, slots=True)
class PageCursor:
    """Where a page of a list ended: the time it is ordered by, and the id."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class BoardCounts:
    """The counts of a department."""

    in_work: int = 0
    to_accept: int = 0
    late: int = 0
    unanswered: int = 0


async def all_departments(session: AsyncSession) -> Sequence[Department]:
    """Every department, by name."""
    return (await session.exec(select(Department).order_by(col(Department.name)))).all()


async def board_counts(
    session: AsyncSession, departments: Iterable[int], now: datetime
) -> dict[int, BoardCounts]:
    """The counts of these departments, in three grouped queries."""
    ids = list(departments)
    late = sa.case((sa.and_(col(StageRun.overdue_at) < now, col(StageRun.paused_at).is_(None)), 1))
    runs = (
        sa.select(col(StageRun.department_id), sa.func.count(), sa.func.count(late))
        .where(col(StageRun.state) == RunState.OPEN, col(StageRun.department_id).in_(ids))
        .group_by(col(StageRun.department_id))
    )
    handoffs = (
        sa.select(col(Handoff.to_department_id), sa.func.count())
        .where(col(Handoff.closed_at).is_(None), col(Handoff.to_department_id).in_(ids))
        .group_by(col(Handoff.to_department_id))
    )
    replies = (
        sa.select(col(Promise.department_id), sa.func.count())
        .where(
            col(Promise.closed_at).is_(None),
            col(Promise.kind).in_(REPLY_PROMISE_KINDS),
            col(Promise.department_id).in_(ids),
        )
        .group_by(col(Promise.department_id))
    )
    connection = await session.connection()
    open_runs = {
        key: (count, late_count) for key, count, late_count in await connection.execute(runs)
    }
    waiting = {key: count for key, count in await connection.execute(handoffs)}  # noqa: C416 (rows are no pairs to mypy)
    replies_due = {key: count for key, count in await connection.execute(replies)}  # noqa: C416 (as above)
    return {
        key: BoardCounts(
            in_work=open_runs.get(key, (0, 0))[0] - waiting.get(key, 0),
            to_accept=waiting.get(key, 0),
            late=open_runs.get(key, (0, 0))[1],
            unanswered=replies_due.get(key, 0),
        )
        for key in ids
    }


IncomingHandoff = tuple[Handoff, StageRun, ServiceRequest, str, str]


async def list_incoming_handoffs(
    session: AsyncSession, department_id: int, after: PageCursor | None, limit: int
) -> Sequence[IncomingHandoff]:
    """Handoffs that wait here, with run, request, customer's and stage's name; soonest first."""
    query = (
        sa.select(Handoff, StageRun, ServiceRequest, col(Customer.name), col(Stage.name))
        .join(StageRun, col(StageRun.id) == col(Handoff.run_id))
        .join(ServiceRequest, col(ServiceRequest.id) == col(Handoff.request_id))
        .join(Customer, col(Customer.id) == col(ServiceRequest.customer_id))
        .join(Stage, col(Stage.id) == col(StageRun.stage_id))
        .where(col(Handoff.to_department_id) == department_id, col(Handoff.closed_at).is_(None))
    )
    found: Sequence[IncomingHandoff] = await _page(
        session, query, col(Handoff.accept_by), col(Handoff.id), after=after, limit=limit
    )
    return found


OwedReply = tuple[Promise, ServiceRequest, str]


async def list_owed_replies(
    session: AsyncSession, department_id: int, after: PageCursor | None, limit: int
) -> Sequence[OwedReply]:
    """Answers and calls promised by this department, with request and customer's name; soonest first."""
    query = (
        sa.select(Promise, ServiceRequest, col(Customer.name))
        .join(ServiceRequest, col(ServiceRequest.id) == col(Promise.request_id))
        .join(Customer, col(Customer.id) == col(ServiceRequest.customer_id))
        .where(
            col(Promise.department_id) == department_id,
            col(Promise.closed_at).is_(None),
            col(Promise.kind).in_(REPLY_PROMISE_KINDS),
        )
    )
    found: Sequence[OwedReply] = await _page(
        session, query, col(Promise.due_at), col(Promise.id), after=after, limit=limit
    )
    return found


OpenWork = tuple[StageRun, ServiceRequest, str, str]


async def in_work(
    session: AsyncSession, department_id: int, after: PageCursor | None, limit: int, *, paused: bool
) -> Sequence[OpenWork]:
    """Open runs of this department, with request, customer and stage; soonest first.

    ``paused`` for those whose clock is stopped, else those whose clock runs.
    """
    query = (
        sa.select(StageRun, ServiceRequest, col(Customer.name), col(Stage.name))
        .join(ServiceRequest, col(ServiceRequest.id) == col(StageRun.request_id))
        .join(Customer, col(Customer.id) == col(ServiceRequest.customer_id))
        .join(Stage, col(Stage.id) == col(StageRun.stage_id))
        .where(
            col(StageRun.department_id) == department_id,
            col(StageRun.state) == RunState.OPEN,
            col(StageRun.paused_at).is_not(None) if paused else col(StageRun.paused_at).is_(None),
            ~HAS_PENDING_HANDOFF,
        )
    )
    found: Sequence[OpenWork] = await _page(
        session, query, col(StageRun.due_at), col(StageRun.id), after=after, limit=limit
    )
    return found


RequestToConfirm = tuple[ServiceRequest, str]


async def awaiting_confirmation(
    session: AsyncSession, department_id: int, after: PageCursor | None, limit: int
) -> Sequence[RequestToConfirm]:
    """Requests that await the customer's confirmation; newest first."""
    query: Any = (
        sa.select(ServiceRequest, col(Customer.name))
        .join(Customer, col(Customer.id) == col(ServiceRequest.customer_id))
        .where(
            col(ServiceRequest.department_id) == department_id,
            col(ServiceRequest.closed_at).is_(None),
            col(ServiceRequest.status) == RequestStatus.AWAITING_CONFIRMATION,
        )
        .order_by(col(ServiceRequest.id).desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(ServiceRequest.id) < after.id)
    found: Sequence[RequestToConfirm] = (await session.exec(query)).all()
    return found


async def open_promises(session: AsyncSession, requests: Iterable[int]) -> Sequence[Promise]:
    """The open promises of these requests, soonest first."""
    query = (
        select(Promise)
        .where(col(Promise.request_id).in_(set(requests)), col(Promise.closed_at).is_(None))
        .order_by(col(Promise.due_at))
    )
    return (await session.exec(query)).all()


async def latest_customer_texts(session: AsyncSession, requests: Iterable[int]) -> dict[int, str]:
    """What each of these requests' customers wrote last."""
    newest = (
        sa.select(sa.func.max(col(Message.id)))
        .where(
            col(Message.request_id).in_(set(requests)),
            col(Message.kind) == MessageKind.CUSTOMER,
            says_something(),
        )
        .group_by(col(Message.request_id))
    )
    query = select(Message).where(col(Message.id).in_(newest))
    return {message.request_id or 0: message.body for message in (await session.exec(query)).all()}


async def newest_requests(session: AsyncSession, limit: int) -> Sequence[ServiceRequest]:
    """The newest requests of all, with their stages, workflow and customer."""
    query = select(ServiceRequest).order_by(col(ServiceRequest.id).desc()).limit(limit)
    return (await session.exec(query.options(*LIST_OPTIONS))).all()


async def _page(
    session: AsyncSession, query: Any, at: Any, id_: Any, *, after: PageCursor | None, limit: int
) -> Any:
    if after is not None:
        # As one value, so that the index is entered where the last page ended.
        query = query.where(sa.tuple_(at, id_) > sa.tuple_(after.at, after.id))
    query = query.order_by(at, id_).limit(limit)
    return (await session.exec(query)).all()
