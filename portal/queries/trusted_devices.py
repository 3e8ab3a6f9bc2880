"""Whose browser is this, what was sent to show it, who shares an address, whom to notify."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import selectinload
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    Channel,
    ContactPoint,
    PushSubscription,
    ServiceRequest,
    TrustedDevice,
    VerificationCode,
    hash_device_secret,
)
from portal.queries.consent import may_write, was_stopped_from_address

CODE_COUNT_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CodeDestination:
    """An address of the customer to which a code may be sent."""

    channel: Channel
    address: str
    is_shared: bool


async def code_destinations(
    session: AsyncSession, request: ServiceRequest, now: datetime
) -> list[CodeDestination]:
    """Where a code may be sent: the phone first, and what they have stopped last.

    Also after a stop, since a code goes only to who asks for one: without it, a finder of the link
    who stops everything would keep the customer from replacing the link.
    """
    permitted: list[CodeDestination] = []
    stopped: list[CodeDestination] = []
    for channel in (Channel.SMS, Channel.EMAIL):
        address = request.customer.address(channel, now)
        if address:
            shared = await is_shared(session, channel, address, request.customer_id)
            is_permitted = await may_write(session, channel, address, request.id)
            destination = CodeDestination(channel, address, shared)
            (permitted if is_permitted else stopped).append(destination)
    return permitted + stopped


async def find_device(
    session: AsyncSession, secret: str, request_id: int, now: datetime
) -> TrustedDevice | None:
    """The browser with this secret, if it is trusted for the request's customer.

    It is trusted while the address that verified it is the customer's and has sent no stop since: a
    phone number that changes its owner takes no trust along. A stop by the link alone ends no
    trust, since a finder of the link can press it.
    """
    query = (
        select(TrustedDevice)
        .join(ServiceRequest, col(ServiceRequest.customer_id) == col(TrustedDevice.customer_id))
        .join(
            ContactPoint,
            (col(ContactPoint.customer_id) == col(TrustedDevice.customer_id))
            & (col(ContactPoint.channel) == col(TrustedDevice.channel))
            & (col(ContactPoint.address) == col(TrustedDevice.address)),
        )
        .where(
            col(ServiceRequest.id) == request_id,
            col(TrustedDevice.secret_hash) == hash_device_secret(secret),
            col(TrustedDevice.expires_at) > now,
            or_(col(ContactPoint.valid_until).is_(None), col(ContactPoint.valid_until) > now),
        )
    )
    device = (await session.exec(query)).one_or_none()
    if device is None or await was_stopped_from_address(
        session, device.channel, device.address, device.created_at
    ):
        return None
    return device


async def newest_code(
    session: AsyncSession, request_id: int, *, is_new_address: bool = False
) -> VerificationCode | None:
    """The last one that was made for this request: the only one that may still be good.

    A code to a new address proves that address alone, so the two are never taken for each other.
    """
    query = (
        select(VerificationCode)
        .where(
            col(VerificationCode.request_id) == request_id,
            col(VerificationCode.is_new_address) == is_new_address,
        )
        .order_by(col(VerificationCode.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).one_or_none()


async def recent_code_times(
    session: AsyncSession, customer_id: int, now: datetime
) -> Sequence[datetime]:
    """When a customer was made a code in the last 24 hours, for whichever request."""
    query = select(VerificationCode.created_at).where(
        col(VerificationCode.customer_id) == customer_id,
        col(VerificationCode.created_at) > now - CODE_COUNT_WINDOW,
    )
    return (await session.exec(query)).all()


async def is_shared(
    session: AsyncSession, channel: Channel, address: str, customer_id: int
) -> bool:
    """Whether another customer has, or had, this address too, such as a family's phone."""
    query = select(ContactPoint.id).where(
        col(ContactPoint.channel) == channel,
        col(ContactPoint.address) == address,
        col(ContactPoint.customer_id) != customer_id,
    )
    return (await session.exec(query.limit(1))).first() is not None


async def requests_of_customer(
    session: AsyncSession, customer_id: int, ended_since: datetime, limit: int
) -> Sequence[ServiceRequest]:
    """A customer's requests with their links, the newest first: open ones, and those ended since."""
    query = (
        select(ServiceRequest)
        .where(
            col(ServiceRequest.customer_id) == customer_id,
            or_(
                col(ServiceRequest.closed_at).is_(None), col(ServiceRequest.closed_at) > ended_since
            ),
        )
        .options(selectinload(ServiceRequest.links))  # type: ignore[arg-type]
        .order_by(col(ServiceRequest.id).desc())
        .limit(limit)
    )
    return (await session.exec(query)).all()


async def push_subscriptions(session: AsyncSession, customer_id: int) -> Sequence[PushSubscription]:
    """Those of this customer, the oldest first."""
    query = (
        select(PushSubscription)
        .where(col(PushSubscription.customer_id) == customer_id)
        .order_by(col(PushSubscription.id))
    )
    return (await session.exec(query)).all()
