"""The search for requests at the desk."""

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import ContactPoint, Customer, ServiceRequest
from portal.models.columns import saved_id
from portal.models.people.contact_address import parse_email_address, parse_phone
from portal.queries.desk.board import LIST_OPTIONS


async def search_requests(session: AsyncSession, words: str, limit: int) -> list[ServiceRequest]:
    """Requests by reference, phone, e-mail or external id; else by the beginning of the name.

    Newest first, with their stages, workflow and customer. Exact matches use an index; only where
    there is none are the beginnings of references searched, and then names.
    """
    exact = [
        col(ServiceRequest.reference) == words.upper(),
        col(ServiceRequest.external_id) == words,
        *(
            col(ServiceRequest.customer_id).in_(
                sa.select(col(ContactPoint.customer_id)).where(col(ContactPoint.address) == address)
            )
            for address in _addresses(words)
        ),
    ]
    begun = col(ServiceRequest.reference).startswith(words.upper(), autoescape=True)
    name = words.lower()
    named = col(ServiceRequest.customer_id).in_(
        sa.select(col(Customer.id)).where(
            sa.or_(
                sa.func.lower(col(Customer.name)).startswith(name, autoescape=True),
                sa.func.lower(col(Customer.name)).contains(f" {name}", autoescape=True),
            )
        )
    )
    for conditions in (exact, [begun], [named]):
        found: dict[int, ServiceRequest] = {}
        for condition in conditions:
            query = (
                select(ServiceRequest)
                .where(condition)
                .order_by(col(ServiceRequest.id).desc())
                .limit(limit)
                .options(*LIST_OPTIONS)
            )
            found.update({saved_id(one): one for one in (await session.exec(query)).all()})
        if found:
            return sorted(found.values(), key=lambda one: -saved_id(one))[:limit]
    return []


def _addresses(words: str) -> list[str]:
    addresses = []
    for read in (parse_phone, parse_email_address):
        try:
            addresses.append(read(words))
        except ValueError:
            continue
    return addresses
