"""Consent: may we write to an address."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Channel, Consent, ServiceRequest
from portal.models.people.consent import LINK_SOURCES


async def newest_consents(
    session: AsyncSession, channel: Channel, address: str, request_id: int | None
) -> tuple[Consent | None, Consent | None]:
    """The newest line about the address as a whole, and the newest about this request alone."""
    query = (
        select(Consent)
        .where(
            col(Consent.channel) == channel,
            col(Consent.address) == address,
            or_(col(Consent.request_id).is_(None), col(Consent.request_id) == request_id),
        )
        .order_by(col(Consent.id).desc())
    )
    lines = (await session.exec(query)).all()
    for_address = next((line for line in lines if line.request_id is None), None)
    for_request = next((line for line in lines if line.request_id is not None), None)
    return for_address, for_request


async def may_write(
    session: AsyncSession, channel: Channel, address: str, request_id: int | None
) -> bool:
    """Whether consent stands: a withdrawal for the address, or for this request, ends it."""
    return bool(await find_permitted(session, [ConsentQuery(channel, address, request_id)]))


async def was_stopped_from_address(
    session: AsyncSession, channel: Channel, address: str, since: datetime
) -> bool:
    """Whether consent was withdrawn since then other than by a link alone: from the address, or by staff."""
    by_link = col(Consent.source).in_(LINK_SOURCES)
    query = (
        select(Consent.granted)
        .where(
            col(Consent.channel) == channel,
            col(Consent.address) == address,
            col(Consent.request_id).is_(None),
            or_(col(Consent.granted), ~by_link),
            col(Consent.at) >= since,
        )
        .order_by(col(Consent.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).first() is False


async def consent_history(
    session: AsyncSession, addresses: Collection[str], *, most: int = 50
) -> Sequence[Consent]:
    """Every line of the ledger about these addresses, newest first."""
    query = (
        select(Consent)
        .where(
            col(Consent.channel).in_((Channel.SMS, Channel.EMAIL)),
            col(Consent.address).in_(addresses),
        )
        .order_by(col(Consent.id).desc())
        .limit(most)
    )
    return (await session.exec(query)).all()


async def find_stopped_requests(
    session: AsyncSession, channel: Channel, addresses: Collection[str], customer_id: int
) -> set[int]:
    """The customer's requests, by id, that were stopped one by one at each of these addresses."""
    if not addresses:
        return set()
    own = select(ServiceRequest.id).where(col(ServiceRequest.customer_id) == customer_id)
    lines = (
        select(Consent.address, Consent.request_id, Consent.granted)
        .where(
            col(Consent.channel) == channel,
            col(Consent.address).in_(addresses),
            or_(col(Consent.request_id).is_(None), col(Consent.request_id).in_(own)),
        )
        .order_by(col(Consent.id))
    )
    stopped: dict[str, set[int]] = {address: set() for address in addresses}
    for address, request_id, is_granted in (await session.exec(lines)).all():
        if request_id is None:  # A line about the address replaces those about one request.
            stopped[address].clear()
        elif is_granted:
            stopped[address].discard(request_id)
        else:
            stopped[address].add(request_id)
    return set.intersection(*stopped.values())


class ConsentQuery(NamedTuple):
    """To write to an address, about a request or none."""

    channel: Channel
    address: str
    request_id: int | None


async def find_permitted(
    session: AsyncSession, queries: Collection[ConsentQuery]
) -> set[ConsentQuery]:
    """Those that consent allows, however many, in one query.

    A line about the address as a whole replaces what was said before about one request: START
    after "not this one" allows that one again. Without any line an address may be answered, but
    not be written to about a request.
    """
    lines = (
        sa.select(
            col(Consent.channel), col(Consent.address), col(Consent.request_id),
            col(Consent.granted),
        )
        .where(
            col(Consent.channel).in_({query.channel for query in queries}),
            col(Consent.address).in_({query.address for query in queries}),
        )
        .order_by(col(Consent.id))
    )  # fmt: skip
    granted_for: dict[ConsentQuery, dict[int | None, bool]] = {}
    for channel, address, request_id, granted in await (await session.connection()).execute(lines):
        whole = ConsentQuery(channel, address, None)
        if request_id is None:
            granted_for[whole] = {None: granted}
        else:
            granted_for.setdefault(whole, {})[request_id] = granted
    permitted = set()
    for query in queries:
        granted_by_request = granted_for.get(query._replace(request_id=None), {})
        is_answer = query.request_id is None
        if granted_by_request.get(None, is_answer) and granted_by_request.get(
            query.request_id, True
        ):
            permitted.add(query)
    return permitted
