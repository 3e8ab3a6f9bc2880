"""The lists of the API."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import false
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

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
from portal.models.people.contact_address import parse_email_address, parse_phone
from portal.queries.paging import PageRequest, read_page
from portal.queries.requests import REQUEST_OPTIONS
from portal.queries.staff import find_staff_by_email

OfRequest = TypeVar("OfRequest", Event, FollowUp, Message, Promise)


@dataclass(frozen=True)
class RequestFilter:
    """The filters of the request list; each that is given narrows it."""

    department: str | None = None
    stage: str | None = None
    status: RequestStatus | None = None
    owner: str | None = None
    q: str | None = None


async def list_requests(
    session: AsyncSession, wanted: RequestFilter, page: PageRequest
) -> tuple[list[ServiceRequest], int | None]:
    """Matching requests, newest first and loaded whole, and the id of the next page.

    Raises BadInput for an unknown department, stage or owner: an empty list would say that there
    is no such work.
    """
    query = select(ServiceRequest).options(*REQUEST_OPTIONS)
    for condition in await _conditions(session, wanted):
        query = query.where(condition)
    return await read_page(session, query, col(ServiceRequest.id), page, newest_first=True)


async def list_of_request(
    session: AsyncSession, table: type[OfRequest], reference: str, page: PageRequest
) -> tuple[list[OfRequest], int | None]:
    """The events, messages or promises of a request, oldest first. Raises NotFound."""
    query = select(table).where(col(table.request_id) == await get_request_id(session, reference))
    return await read_page(session, query, col(table.id), page)


async def list_follow_ups(
    session: AsyncSession, reference: str, page: PageRequest
) -> tuple[list[tuple[FollowUp, StageRun]], int | None]:
    """The questions of a request with the passage that each is about, oldest first."""
    questions, after = await list_of_request(session, FollowUp, reference, page)
    found = select(StageRun).where(
        col(StageRun.id).in_({question.run_id for question in questions})
    )
    runs = {run.id: run for run in (await session.exec(found)).all()}
    return [(question, runs[question.run_id]) for question in questions], after


async def list_dropped_balls(
    session: AsyncSession, *, is_open: bool | None, page: PageRequest
) -> tuple[list[DroppedBall], int | None]:
    """Dropped balls, newest first: open, resolved, or both (None)."""
    query = select(DroppedBall)
    if is_open is not None:
        resolved = col(DroppedBall.resolved_at)
        query = query.where(resolved.is_(None) if is_open else resolved.is_not(None))
    return await read_page(session, query, col(DroppedBall.id), page, newest_first=True)


async def send_attempts_by_message(
    session: AsyncSession, messages: Sequence[Message]
) -> dict[int, list[SendAttempt]]:
    """Every try at sending each of these messages, first to last, by message id: one query."""
    query = (
        select(SendAttempt)
        .where(col(SendAttempt.message_id).in_([message.id for message in messages]))
        .order_by(col(SendAttempt.id))
    )
    tries: dict[int, list[SendAttempt]] = {}
    for attempt in (await session.exec(query)).all() if messages else []:
        tries.setdefault(attempt.message_id, []).append(attempt)
    return tries


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


async def _conditions(session: AsyncSession, wanted: RequestFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(col(ServiceRequest.status) == wanted.status)
        if wanted.status not in CLOSED_STATUSES:
            # True of them anyway; written out so that the partial indexes of open work are used.
            conditions.append(col(ServiceRequest.closed_at).is_(None))
    if wanted.department is not None:
        conditions.append(await _is_with_department(session, wanted.department))
    if wanted.stage is not None:
        conditions.append(await _is_at_stage(session, wanted.stage))
    if wanted.owner is not None:
        owner = await find_staff_by_email(session, wanted.owner)
        if owner is None:
            raise BadInput(
                f"Nobody at the desk has the address {wanted.owner[:100]!r}.",
                fields={"owner": "the e-mail address of a member of staff"},
            )
        conditions.append(col(ServiceRequest.owner_id) == owner.id)
    if wanted.q is not None and wanted.q.strip():
        conditions.append(_fits(wanted.q.strip()))
    return conditions


async def _is_with_department(session: AsyncSession, key: str) -> ColumnElement[bool]:
    """The department has it, or has taken up one of its stages that run side by side."""
    query = select(Department.id).where(col(Department.key) == key)
    department_id = (await session.exec(query)).one_or_none()
    if department_id is None:
        keys = ", ".join(sorted((await session.exec(select(Department.key))).all()))
        raise BadInput(
            f"There is no department {key[:64]!r}.", fields={"department": f"one of {keys}"}
        )
    taken_up = select(StageRun.request_id).where(
        col(StageRun.department_id) == department_id,
        col(StageRun.state) == RunState.OPEN,
        col(StageRun.reached_at).is_not(None),
    )
    return or_(
        col(ServiceRequest.department_id) == department_id, col(ServiceRequest.id).in_(taken_up)
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


def _fits(q: str) -> ColumnElement[bool]:
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
    for channel, parse in ((Channel.SMS, parse_phone), (Channel.EMAIL, parse_email_address)):
        with suppress(ValueError):
            address = parse(q)
            return (col(ContactPoint.channel) == channel) & (col(ContactPoint.address) == address)
    return false()
