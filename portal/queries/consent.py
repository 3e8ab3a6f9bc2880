"""Consent: may we write to an address."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Channel, Consent


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


class ConsentQuery(NamedTuple):
    """To write to an address, about a request or none."""

    channel: Channel
    address: str
    request_id: int | None


async def find_permitted(
    session: AsyncSession, consent_queries: Collection[ConsentQuery]
) -> set[ConsentQuery]:
    """Those of them that ``may_write`` allows, however many, in one query."""
    query = (
        sa.select(
            col(Consent.id), col(Consent.channel), col(Consent.address), col(Consent.request_id),
            col(Consent.granted),
        )
        .where(
            col(Consent.channel).in_({consent_query.channel for consent_query in consent_queries}),
            col(Consent.address).in_({consent_query.address for consent_query in consent_queries}),
        )
        .order_by(col(Consent.id))
    )  # fmt: skip
    newest: dict[ConsentQuery, tuple[int, bool]] = {}
    for id_, channel, address, request_id, granted in await (await session.connection()).execute(
        query
    ):
        newest[ConsentQuery(channel, address, request_id)] = (id_ or 0, granted)
    return {
        consent_query for consent_query in consent_queries if _is_permitted(newest, consent_query)
    }


def _is_permitted(
    newest: Mapping[ConsentQuery, tuple[int, bool]], consent_query: ConsentQuery
) -> bool:
    for_address = newest.get(consent_query._replace(request_id=None))
    if for_address is None:
        # Somebody without a request who wrote to us may be answered; nobody else is written to.
        return consent_query.request_id is None
    if not for_address[1]:
        return False
    for_request = newest.get(consent_query) if consent_query.request_id is not None else None
    if for_request is None or for_request[1]:
        return True
    return for_address[0] > for_request[0]  # START again came after "not this one"
