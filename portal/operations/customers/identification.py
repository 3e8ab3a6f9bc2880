"""Whose a new request is: a customer of that name at that address, or somebody new."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from portal.models import Channel, ContactPoint, Customer
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import CUSTOMER_OPTIONS


@dataclass(frozen=True, slots=True)
class Identified:
    """The customer of a new request with these addresses; None where they are new.

    ``lookalike`` has the same name and one of the addresses, and another number or e-mail address
    than the one given: it may be the same person.
    """

    addresses: Mapping[Channel, str | None]
    customer: Customer | None = None
    lookalike: Customer | None = None

    def add_addresses(self, customer: Customer) -> None:
        """Add to the customer the addresses that they do not have yet."""
        known = {(point.channel, point.address) for point in customer.contact_points}
        for channel, address in self.addresses.items():
            if address is not None and (channel, address) not in known:
                customer.contact_points.append(ContactPoint(channel=channel, address=address))


async def identify_customer(
    uow: UnitOfWork, name: str, addresses: Mapping[Channel, str | None]
) -> Identified:
    """The customer of that name at one of these addresses, in E.164 and lower case.

    A family may share a phone, so the name must fit too. Who has another number or e-mail address
    than the one given is not taken for the same person: their older requests would be announced
    to an address that may be mistyped, or somebody else's.
    """
    lookalike = None
    for channel, address in addresses.items():
        if address is None:
            continue
        query = (
            select(Customer)
            .join(ContactPoint, col(ContactPoint.customer_id) == col(Customer.id))
            .where(col(ContactPoint.channel) == channel, col(ContactPoint.address) == address)
            .order_by(col(Customer.id))
            .options(CUSTOMER_OPTIONS)
        )
        for candidate in (await uow.session.exec(query)).all():
            if candidate.name.casefold() != name.casefold():
                continue
            if not _has_others(candidate, addresses, uow.now):
                return Identified(addresses, candidate)
            lookalike = lookalike or candidate
    return Identified(addresses, lookalike=lookalike)


def _has_others(customer: Customer, addresses: Mapping[Channel, str | None], now: datetime) -> bool:
    """Whether they are reached on one of these channels, and never at the address given."""
    for channel, address in addresses.items():
        is_known = any(
            point.channel == channel and point.address == address
            for point in customer.contact_points
        )
        if address is not None and not is_known and customer.addresses(channel, now):
            return True
    return False
