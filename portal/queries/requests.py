"""Finds one request with its stages, handoffs, promises, questions and customer."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from portal.errors import NotFound, UnknownLink
from portal.models import (
    Channel,
    ContactPoint,
    Customer,
    RunState,
    ServiceRequest,
    StageRun,
    TrackingLink,
)
from portal.models.requests.request_status import CLOSED_STATUSES

CUSTOMER_OPTIONS = selectinload(Customer.contact_points)  # type: ignore[arg-type]
REQUEST_OPTIONS: tuple[ORMOption, ...] = (
    selectinload(ServiceRequest.workflow),  # type: ignore[arg-type]
    selectinload(ServiceRequest.customer).selectinload(Customer.contact_points),  # type: ignore[arg-type]
    selectinload(ServiceRequest.runs),  # type: ignore[arg-type]
    selectinload(ServiceRequest.handoffs),  # type: ignore[arg-type]
    selectinload(ServiceRequest.promises),  # type: ignore[arg-type]
    selectinload(ServiceRequest.follow_ups),  # type: ignore[arg-type]
    selectinload(ServiceRequest.needs),  # type: ignore[arg-type]
    selectinload(ServiceRequest.links),  # type: ignore[arg-type]
)


DETECTION_OPTIONS: Sequence[ORMOption] = REQUEST_OPTIONS[:6]
"""What detection reads of a request; of the customer, whether an address is valid."""


async def find_service_request(session: AsyncSession, reference: str) -> ServiceRequest | None:
    """The request of that reference, however its letters are cased; None when there is none."""
    query = select(ServiceRequest).where(col(ServiceRequest.reference) == _read(reference))
    return (await session.exec(query.options(*REQUEST_OPTIONS))).one_or_none()


async def get_service_request(session: AsyncSession, reference: str) -> ServiceRequest:
    """The request of that reference. Raises NotFound."""
    request = await find_service_request(session, reference)
    if request is None:
        raise NotFound(f"There is no request {reference.strip()[:40]!r}.")
    return request


async def lock_service_request(
    session: AsyncSession, reference: str, version: int | None = None
) -> ServiceRequest:
    """The request, locked until this transaction ends.

    Raises NotFound, or Stale when ``version`` is no longer the newest.
    """
    query = select(ServiceRequest).where(col(ServiceRequest.reference) == _read(reference))
    request = (await session.exec(_for_update(query))).one_or_none()
    if request is None:
        raise NotFound(f"There is no request {reference.strip()[:40]!r}.")
    request.check_version(version)
    return request


async def lock_by_id(session: AsyncSession, request_id: int) -> ServiceRequest:
    """The request, held until this transaction ends; it exists, since another row names it."""
    # What this unit of work has changed is written first: reloading would undo it.
    await session.flush()
    query = select(ServiceRequest).where(col(ServiceRequest.id) == request_id)
    return (await session.exec(_for_update(query))).one()


async def lock_for_detection(session: AsyncSession, ids: Sequence[int]) -> Sequence[ServiceRequest]:
    """Those that no other transaction has locked, locked, with what detection reads."""
    query = (
        select(ServiceRequest)
        .where(col(ServiceRequest.id).in_(ids))
        .options(*DETECTION_OPTIONS)
        .with_for_update(skip_locked=True, of=ServiceRequest)
        .execution_options(populate_existing=True)
    )
    return (await session.exec(query)).all()


async def find_due_for_detection(session: AsyncSession, now: datetime, limit: int) -> list[int]:
    """The ids of requests that are due for detection, the longest due first."""
    query = (
        select(ServiceRequest.id)
        .where(col(ServiceRequest.next_check_at) <= now)
        .order_by(col(ServiceRequest.next_check_at))
        .limit(limit)
    )
    return [value for value in (await session.exec(query)).all() if value is not None]


async def lock_by_token(session: AsyncSession, token: str) -> ServiceRequest:
    """The request that a tracking link opens, held. Raises UnknownLink."""
    query = select(TrackingLink.request_id).where(
        col(TrackingLink.token) == _read(token, fold=False),
        col(TrackingLink.revoked_at).is_(None),
    )
    request_id = (await session.exec(query)).one_or_none()
    if request_id is None:
        raise UnknownLink
    return await lock_by_id(session, request_id)


def _read(word: str, *, fold: bool = True) -> str:
    """A reference or token as it may be asked for; one that cannot be (a NUL in it) finds none."""
    if not (word.isascii() and word.strip().isprintable()):
        return ""
    return word.strip().upper()[:64] if fold else word[:64]


def _for_update(query: SelectOfScalar[ServiceRequest]) -> SelectOfScalar[ServiceRequest]:
    """Whole and locked; what this session read of it before is refreshed."""
    return (
        query.options(*REQUEST_OPTIONS).with_for_update().execution_options(populate_existing=True)
    )


async def find_open_requests(
    session: AsyncSession, channel: Channel, address: str
) -> list[ServiceRequest]:
    """The requests under way for whoever is reached at this address, oldest first."""
    query = (
        select(ServiceRequest)
        .join(ContactPoint, col(ContactPoint.customer_id) == col(ServiceRequest.customer_id))
        .where(
            col(ContactPoint.channel) == channel,
            col(ContactPoint.address) == address,
            col(ServiceRequest.status).not_in(CLOSED_STATUSES),
        )
        .order_by(col(ServiceRequest.id))
        .options(*REQUEST_OPTIONS)
    )
    return list((await session.exec(query)).all())


async def find_references_by_tracking_key(
    session: AsyncSession, key: str, ended_since: datetime, limit: int
) -> list[str]:
    """The references of the requests with this tracking number in an open stage, oldest first.

    Where none is open, of those with it in a stage that ended since then.
    """
    query = (
        select(ServiceRequest.reference, StageRun.state)
        .join(StageRun, col(StageRun.request_id) == col(ServiceRequest.id))
        .where(
            col(StageRun.tracking_key) == key,
            (col(StageRun.state) == RunState.OPEN) | (col(StageRun.closed_at) >= ended_since),
            col(ServiceRequest.erased_at).is_(None),
        )
        .order_by(col(ServiceRequest.id))
    )
    found = (await session.exec(query)).all()
    has_open = any(state == RunState.OPEN for _, state in found)
    references = [reference for reference, state in found if state == RunState.OPEN or not has_open]
    return list(dict.fromkeys(references))[:limit]


async def find_recent_requests(
    session: AsyncSession, channel: Channel, address: str, closed_since: datetime
) -> list[ServiceRequest]:
    """The open requests of whoever is reached at this address, and those closed since then."""
    query = (
        select(ServiceRequest)
        .join(ContactPoint, col(ContactPoint.customer_id) == col(ServiceRequest.customer_id))
        .where(
            col(ContactPoint.channel) == channel,
            col(ContactPoint.address) == address,
            col(ServiceRequest.status).not_in(CLOSED_STATUSES)
            | (col(ServiceRequest.closed_at) >= closed_since),
        )
        .order_by(col(ServiceRequest.id))
        .options(*REQUEST_OPTIONS)
    )
    return list((await session.exec(query)).all())


async def find_newest_ids(
    session: AsyncSession,
    channel: Channel,
    address: str,
    *,
    now: datetime,
    closed_since: datetime,
    limit: int,
) -> list[int]:
    """The ids of the newest requests of whoever is reached at this address now, oldest first.

    Those that are open, and those closed since then.
    """
    query = (
        select(ServiceRequest.id)
        .join(ContactPoint, col(ContactPoint.customer_id) == col(ServiceRequest.customer_id))
        .where(
            col(ContactPoint.channel) == channel,
            col(ContactPoint.address) == address,
            col(ContactPoint.valid_until).is_(None) | (col(ContactPoint.valid_until) > now),
            col(ServiceRequest.status).not_in(CLOSED_STATUSES)
            | (col(ServiceRequest.closed_at) >= closed_since),
        )
        .order_by(col(ServiceRequest.id).desc())
        .limit(limit)
    )
    newest = (await session.exec(query)).all()
    return [value for value in reversed(newest) if value is not None]


async def find_by_references(
    session: AsyncSession, references: Sequence[str]
) -> list[ServiceRequest]:
    """The requests with these references, open or closed, in the order of the references."""
    query = (
        select(ServiceRequest)
        .where(col(ServiceRequest.reference).in_(references))
        .options(*REQUEST_OPTIONS)
    )
    found = {request.reference: request for request in (await session.exec(query)).all()}
    return [found[reference] for reference in references if reference in found]


async def find_last_request(
    session: AsyncSession, channel: Channel, address: str
) -> ServiceRequest | None:
    """The newest request of whoever is reached at this address, ended or not."""
    query = (
        select(ServiceRequest)
        .join(ContactPoint, col(ContactPoint.customer_id) == col(ServiceRequest.customer_id))
        .where(col(ContactPoint.channel) == channel, col(ContactPoint.address) == address)
        .order_by(col(ServiceRequest.id).desc())
        .limit(1)
        .options(*REQUEST_OPTIONS)
    )
    return (await session.exec(query)).one_or_none()
