"""Lists that are read in pages by key, so that the last page costs no more than the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from portal.errors import BadInput, NotFound
from portal.models import (
    CLOSED_STATUSES,
    Channel,
    ContactPoint,
    Customer,
    Department,
    DroppedBall,
    Event,
    FollowUp,
    Message,
    Promise,
    RequestStatus,
    RunState,
    SendAttempt,
    ServiceRequest,
    Stage,
    StageRun,
)
from portal.models.people.contact_address import parse_phone
from portal.queries.requests import REQUEST_OPTIONS
from portal.queries.staff import find_staff_by_email


class HasId(Protocol):
    """What a list can hold: it has a key that the database counts up."""

    id: int | None


T = TypeVar("T", bound=HasId)


@dataclass(frozen=True)
class PageRequest:
    """Which page: ``limit`` rows that come after the one with the id ``after``."""

    limit: int
    after: int | None = None


@dataclass(frozen=True)
class RequestFilter:
    """The filters of the request list; each that is given narrows it."""

    department: str | None = None
    stage: str | None = None
    status: RequestStatus | None = None
    owner: str | None = None
    q: str | None = None


async def list_requests(
    session: AsyncSession, filters: RequestFilter, page: PageRequest
) -> tuple[list[ServiceRequest], int | None]:
    """Matching requests, newest first and loaded whole, and the id of the next page.

    Raises BadInput for an unknown department, stage or owner: an empty list would suggest that
    there is no such work.
    """
    query = select(ServiceRequest).options(*REQUEST_OPTIONS)
    for condition in await _conditions(session, filters):
        query = query.where(condition)
    return await _page(session, query, col(ServiceRequest.id), page, newest_first=True)


async def list_events(
    session: AsyncSession, request_id: int, page: PageRequest
) -> tuple[list[Event], int | None]:
    """What happened to a request, oldest first."""
    query = select(Event).where(col(Event.request_id) == request_id)
    return await _page(session, query, col(Event.id), page)


async def list_messages(
    session: AsyncSession, request_id: int, page: PageRequest
) -> tuple[list[Message], int | None]:
    """The conversation of a request, oldest first."""
    query = select(Message).where(col(Message.request_id) == request_id)
    return await _page(session, query, col(Message.id), page)


async def list_promises(
    session: AsyncSession, request_id: int, page: PageRequest
) -> tuple[list[Promise], int | None]:
    """The promises of a request, oldest first."""
    query = select(Promise).where(col(Promise.request_id) == request_id)
    return await _page(session, query, col(Promise.id), page)


async def list_follow_ups(
    session: AsyncSession, request_id: int, page: PageRequest
) -> tuple[list[tuple[FollowUp, StageRun]], int | None]:
    """The questions of a request with the stage run of each, oldest first."""
    query = select(FollowUp).where(col(FollowUp.request_id) == request_id)
    questions, after = await _page(session, query, col(FollowUp.id), page)
    runs_query = select(StageRun).where(
        col(StageRun.id).in_({question.run_id for question in questions})
    )
    runs = {run.id: run for run in (await session.exec(runs_query)).all()}
    return [(question, runs[question.run_id]) for question in questions], after


async def list_dropped_balls(
    session: AsyncSession, *, is_open: bool | None, page: PageRequest
) -> tuple[list[DroppedBall], int | None]:
    """Dropped balls, newest first: open, resolved, or both (None)."""
    query = select(DroppedBall)
    if is_open is not None:
        resolved = col(DroppedBall.resolved_at)
        query = query.where(resolved.is_(None) if is_open else resolved.is_not(None))
    return await _page(session, query, col(DroppedBall.id), page, newest_first=True)


async def send_attempts_by_message(
    session: AsyncSession, messages: Sequence[Message]
) -> dict[int, list[SendAttempt]]:
    """All attempts to send each of these messages, first to last, by message id: one query."""
    query = (
        select(SendAttempt)
        .where(col(SendAttempt.message_id).in_([message.id for message in messages]))
        .order_by(col(SendAttempt.id))
    )
    attempts: dict[int, list[SendAttempt]] = {}
    for attempt in (await session.exec(query)).all() if messages else []:
        attempts.setdefault(attempt.message_id, []).append(attempt)
    return attempts


async def references_by_id(session: AsyncSession, ids: set[int | None]) -> dict[int, str]:
    """The reference of each of these requests, by id: one query."""
    query = select(ServiceRequest.id, ServiceRequest.reference).where(
        col(ServiceRequest.id).in_(ids - {None})
    )
    return {request_id or 0: name for request_id, name in (await session.exec(query)).all()}


async def get_request_id(session: AsyncSession, reference: str) -> int:
    """The id of the request of that reference. Raises NotFound."""
    query = select(ServiceRequest.id).where(
        col(ServiceRequest.reference) == reference.strip().upper()[:32]
    )
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise NotFound(f"There is no request {reference.strip()[:40]!r}.")
    return found


async def _conditions(session: AsyncSession, filters: RequestFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.status is not None:
        conditions.append(col(ServiceRequest.status) == filters.status)
        if filters.status not in CLOSED_STATUSES:
            # True of them anyway; written out so that the partial indexes of open work are used.
            conditions.append(col(ServiceRequest.closed_at).is_(None))
    if filters.department is not None:
        conditions.append(await _is_with_department(session, filters.department))
    if filters.stage is not None:
        conditions.append(await _is_at_stage(session, filters.stage))
    if filters.owner is not None:
        owner = await find_staff_by_email(session, filters.owner)
        if owner is None:
            raise BadInput(
                f"Nobody at the desk has the address {filters.owner[:100]!r}.",
                fields={"owner": "the e-mail address of a member of staff"},
            )
        conditions.append(col(ServiceRequest.owner_id) == owner.id)
    if filters.q is not None and filters.q.strip():
        conditions.append(_matches_search(filters.q.strip()))
    return conditions


async def _is_with_department(session: AsyncSession, key: str) -> ColumnElement[bool]:
    """The department has it, or has accepted one of its parallel stages."""
    query = select(Department.id).where(col(Department.key) == key)
    department_id = (await session.exec(query)).one_or_none()
    if department_id is None:
        keys = ", ".join(sorted((await session.exec(select(Department.key))).all()))
        raise BadInput(
            f"There is no department {key[:64]!r}.", fields={"department": f"one of {keys}"}
        )
    reached = select(StageRun.request_id).where(
        col(StageRun.department_id) == department_id,
        col(StageRun.state) == RunState.OPEN,
        col(StageRun.reached_at).is_not(None),
    )
    return or_(
        col(ServiceRequest.department_id) == department_id, col(ServiceRequest.id).in_(reached)
    )


async def _is_at_stage(session: AsyncSession, key: str) -> ColumnElement[bool]:
    known = select(Stage.id).where(col(Stage.key) == key)
    stages = (await session.exec(known)).all()
    if not stages:
        raise BadInput(
            f"No workflow has a stage {key[:64]!r}.", fields={"stage": "the key of a stage"}
        )
    return col(ServiceRequest.id).in_(
        select(StageRun.request_id).where(
            col(StageRun.stage_id).in_(stages), col(StageRun.state) == RunState.OPEN
        )
    )


def _matches_search(q: str) -> ColumnElement[bool]:
    """Its reference or external_id, the customer's phone or e-mail, or how their name begins."""
    at_address = select(ContactPoint.customer_id).where(_is_address(q))
    return or_(
        col(ServiceRequest.reference) == q.upper(),
        col(ServiceRequest.external_id) == q,
        col(ServiceRequest.customer_id).in_(at_address),
        col(ServiceRequest.customer_id).in_(
            select(Customer.id).where(col(Customer.name).istartswith(q, autoescape=True))
        ),
    )


def _is_address(q: str) -> ColumnElement[bool]:
    try:
        channel, address = Channel.SMS, parse_phone(q)
    except ValueError:
        channel, address = Channel.EMAIL, q.lower()
    return (col(ContactPoint.channel) == channel) & (col(ContactPoint.address) == address)


async def _page(
    session: AsyncSession,
    query: SelectOfScalar[T],
    key: Any,
    page: PageRequest,
    *,
    newest_first: bool = False,
) -> tuple[list[T], int | None]:
    if page.after is not None:
        query = query.where(key < page.after if newest_first else key > page.after)
    query = query.order_by(key.desc() if newest_first else key).limit(page.limit + 1)
    rows = list((await session.exec(query)).all())
    items = rows[: page.limit]
    return items, items[-1].id if len(rows) > page.limit else None
