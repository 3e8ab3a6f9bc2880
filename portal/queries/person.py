"""Finds everything that is kept about one person, by a phone number or e-mail address."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import BadInput, Conflict, NotFound
from portal.models import (
    Channel,
    Consent,
    ContactPoint,
    Customer,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.models.people.contact_address import parse_email_address, parse_phone

Address = tuple[Channel, str]


@dataclass(frozen=True, slots=True)
class PersonScope:
    """What is about one person: their customer rows, their requests, and their addresses.

    ``own_addresses`` are those of ``addresses`` that no other customer has: only messages of them
    that belong to no request, and their lines of the consent ledger, are this person's alone.
    ``until`` (UTC) leaves out of these what is of that time or later: an address may have gone to
    somebody else.
    """

    customer_ids: Sequence[int]
    request_ids: Sequence[int]
    addresses: Sequence[Address] = ()
    own_addresses: Sequence[Address] = ()
    until: datetime | None = None

    def is_in_time(self, column: Any) -> Any:
        """The condition that a time is before ``until``, as SQL; true where there is none."""
        return sa.true() if self.until is None else col(column) < self.until

    @property
    def messages(self) -> Any:
        """The condition for the messages to and from this person, as SQL."""
        own = [address for _, address in self.own_addresses]
        unmatched = sa.and_(
            col(Message.request_id).is_(None),
            # Mail to a colleague who is a customer too is about others.
            col(Message.kind) != MessageKind.NOTICE,
            self.is_in_time(Message.created_at),
            sa.or_(
                # As text: only so does the partial index serve it.
                sa.and_(sa.text("direction = 'in'"), col(Message.from_address).in_(own)),
                col(Message.to_address).in_(own),
            ),
        )
        # A message of a customer has a request, so these two find all.
        return sa.or_(col(Message.request_id).in_(self.request_ids), unmatched)


def parse_address(text: str) -> Address:
    """The phone number (E.164) or e-mail address (lower case). Raises BadInput with a sentence."""
    try:
        if "@" in text:
            return Channel.EMAIL, parse_email_address(text)
        return Channel.SMS, parse_phone(text.strip())
    except ValueError as error:
        raise BadInput(str(error), fields={"address": str(error)}) from None


async def find_person(session: AsyncSession, text: str, names: Collection[str] = ()) -> PersonScope:
    """Everything of the person at this phone number or e-mail address.

    A family may share a phone. Raises Conflict with the names where several people have the
    address and ``names`` does not say which of them it is, NotFound where nothing is kept about
    it, and BadInput where it is no address.
    """
    channel, address = parse_address(text)
    at_address = await _customers_at(session, channel, address)
    wanted = {name.strip().casefold() for name in names}
    customers = [item for item in at_address if not wanted or item.name.casefold() in wanted]
    found = sorted({customer.name for customer in customers})
    if at_address and not customers:
        raise NotFound("Nobody of that name has this address. Names must be given in full.")
    if not wanted and len({name.casefold() for name in found}) > 1:
        raise Conflict(
            f"Several people have this address: {', '.join(found)}. Please name the one who is "
            "meant."
        )
    scope = await scope_of_customers(
        session, [saved_id(customer) for customer in customers], extra=[(channel, address)]
    )
    if not scope.customer_ids and not await is_anything_kept(session, scope):
        raise NotFound("Nothing is kept about this address.")
    return scope


async def scope_of_customers(
    session: AsyncSession, customer_ids: Sequence[int], *, extra: Sequence[Address] = ()
) -> PersonScope:
    """Everything of these customers, and of ``extra`` addresses."""
    merged = select(Customer.id).where(col(Customer.merged_into_id).in_(customer_ids))
    ids = [*customer_ids, *(id_ or 0 for id_ in (await session.exec(merged)).all())]
    points = select(ContactPoint).where(col(ContactPoint.customer_id).in_(ids))
    addresses = [(point.channel, point.address) for point in (await session.exec(points)).all()]
    addresses = list(dict.fromkeys([*extra, *addresses]))
    others = select(ContactPoint).where(
        col(ContactPoint.address).in_([address for _, address in addresses]),
        col(ContactPoint.customer_id).not_in(ids),
    )
    shared = {(point.channel, point.address) for point in (await session.exec(others)).all()}
    requests = (
        select(ServiceRequest.id)
        .where(col(ServiceRequest.customer_id).in_(ids))
        .order_by(col(ServiceRequest.id))  # They are locked in this order.
    )
    return PersonScope(
        customer_ids=ids,
        request_ids=[id_ or 0 for id_ in (await session.exec(requests)).all()],
        addresses=addresses,
        own_addresses=[address for address in addresses if address not in shared],
    )


async def _customers_at(
    session: AsyncSession, channel: Channel, address: str
) -> Sequence[Customer]:
    query = (
        select(Customer)
        .where(
            col(Customer.id).in_(
                select(ContactPoint.customer_id).where(
                    col(ContactPoint.channel) == channel, col(ContactPoint.address) == address
                )
            )
        )
        .order_by(col(Customer.id))
    )
    return (await session.exec(query)).all()


async def is_anything_kept(session: AsyncSession, scope: PersonScope) -> bool:
    """Whether there are messages or lines of the consent ledger, though there is no customer."""
    addresses = [address for _, address in scope.own_addresses]
    for query in (
        select(Message.id).where(scope.messages).limit(1),
        select(Consent.id)
        .where(col(Consent.address).in_(addresses), scope.is_in_time(Consent.at))
        .limit(1),
    ):
        if (await session.exec(query)).first() is not None:
            return True
    return False
