"""Erases again whom a list of erasures names, after an older backup was restored."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlmodel import col, select

from portal.errors import PortalError
from portal.models import Actor, Channel, Consent, Customer, Direction, Message
from portal.models.columns import saved_id
from portal.operations.privacy.classification import ERASED_NAME
from portal.operations.privacy.digests import address_digest, customer_digest, get_address_key
from portal.operations.privacy.erase import Erasure, erase_found
from portal.operations.unit_of_work import Operations, UnitOfWork
from portal.queries.person import PersonScope, is_anything_kept, scope_of_customers

log = structlog.get_logger()

Entries = Mapping[str, datetime]
ROUNDED = timedelta(seconds=1)
"""The list has whole seconds: an erasure may be so much later than its line says."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Who was erased again, and a sentence for each who could not be."""

    erasures: list[Erasure] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Listed:
    """Somebody in this database whom the list names, with the time of the erasure."""

    label: str
    at: datetime
    find: Callable[[UnitOfWork], Awaitable[PersonScope]]


async def replay_erasures(operations: Operations, actor: Actor, entries: Entries) -> Replay:
    """Erase again whom these entries name: digests, each with the time (UTC) of the erasure.

    Requests that are open are cancelled. Of people who never had a request only what they wrote
    before that time is erased: their number may be another's since. Who cannot be erased stops
    nobody else.
    """
    async with operations.begin(actor) as uow:
        found = [*await _listed_customers(uow, entries), *await _listed_strangers(uow, entries)]
    replay = Replay()
    for person in found:
        try:
            erasure = await erase_found(
                operations, actor, person.find, cancel_open=True, replay_of=person.at
            )
        except Exception as error:
            log.exception("a person could not be erased again")
            reason = error.detail if isinstance(error, PortalError) else "see the log."
            replay.failures.append(f"{person.label}: {reason}")
        else:
            replay.erasures.append(erasure)
    return replay


async def _listed_customers(uow: UnitOfWork, entries: Entries) -> list[_Listed]:
    key = await get_address_key(uow.session, uow.now)
    query = select(Customer).where(col(Customer.name) != ERASED_NAME).order_by(col(Customer.id))
    listed = []
    for customer in await uow.session.exec(query):
        at = entries.get(customer_digest(key, customer))
        if at is not None:
            customer_id = saved_id(customer)
            listed.append(_Listed(f"customer {customer_id}", at, _customer_scope(customer_id)))
    return listed


def _customer_scope(customer_id: int) -> Callable[[UnitOfWork], Awaitable[PersonScope]]:
    async def find(uow: UnitOfWork) -> PersonScope:
        return await scope_of_customers(uow.session, [customer_id])

    return find


async def _listed_strangers(uow: UnitOfWork, entries: Entries) -> list[_Listed]:
    """Addresses of messages of no request, and of the consent ledger, that were erased."""
    key = await get_address_key(uow.session, uow.now)
    unmatched = select(Message.channel, Message.from_address).where(
        col(Message.request_id).is_(None),
        col(Message.customer_id).is_(None),
        col(Message.direction) == Direction.IN,
        col(Message.from_address) != "",
    )
    written = (await uow.session.exec(unmatched.distinct())).all()
    consented = (await uow.session.exec(select(Consent.channel, Consent.address).distinct())).all()
    listed = []
    for channel, address in dict.fromkeys([*written, *consented]):
        at = entries.get(address_digest(key, Channel(channel), address))
        if at is None:
            continue
        own = [(Channel(channel), address)]
        scope = PersonScope((), (), own, own, until=at + ROUNDED)
        if await is_anything_kept(uow.session, scope):
            listed.append(_Listed("somebody without a request", at, _fixed(scope)))
    return listed


def _fixed(scope: PersonScope) -> Callable[[UnitOfWork], Awaitable[PersonScope]]:
    async def find(_: UnitOfWork) -> PersonScope:
        return scope

    return find
