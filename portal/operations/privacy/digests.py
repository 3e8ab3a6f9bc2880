"""Digests of addresses and customers: a stop stays a stop after its person was erased."""

from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import AddressKey, Channel, Consent, Customer
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import newest_consents

ERASED_STOP_EVIDENCE = "A stop from before the person was erased."


async def get_address_key(session: AsyncSession, now: datetime) -> AddressKey:
    """The key of this installation; made where there is none yet."""
    key = (await session.exec(select(AddressKey))).one_or_none()
    if key is None:
        key = AddressKey.make(now)
        session.add(key)
        await session.flush()
    return key


def address_digest(key: AddressKey, channel: Channel, address: str) -> str:
    """The digest of an address on this channel."""
    return key.digest(f"{channel.value} {address}")


def customer_digest(key: AddressKey, customer: Customer) -> str:
    """The digest of a customer row.

    With the time of its creation: in an older database restored, another customer may have the
    same id later.
    """
    return key.digest(f"customer {customer.id} {customer.created_at.isoformat()}")


async def restore_stop(uow: UnitOfWork, channel: Channel, address: str) -> None:
    """Write the stop of an erased person again, when their address comes back.

    Called before the ledger is read for an address that a request or a message brings. Does
    nothing where the ledger knows the address.
    """
    known, _ = await newest_consents(uow.session, channel, address, None)
    if known is not None:
        return
    key = await get_address_key(uow.session, uow.now)
    erased, _ = await newest_consents(
        uow.session, channel, address_digest(key, channel, address), None
    )
    if erased is not None and not erased.granted:
        uow.session.add(
            Consent(
                channel=channel,
                address=address,
                granted=False,
                source=erased.source,
                evidence=ERASED_STOP_EVIDENCE,
                at=uow.now,
            )
        )
        await uow.session.flush()
