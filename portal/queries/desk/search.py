"""The search for requests at the desk."""

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import ContactPoint, Customer, ServiceRequest
from portal.models.columns import saved_id
from portal.models.people.contact_address import parse_email_address, parse_phone
from portal.queries.desk.board import LIST_OPTIONS


async def search_requests(session: AsyncSession, text: str, limit: int) -> list[ServiceRequest]:
    """Requests by reference, phone, e-mail or external id; else by the beginning of the name.

    Newest first, with their stages, workflow and customer. Exact matches use an index; only where
    there is none are the beginnings of references searched, and then names.
    """
    exact = [
        col(ServiceRequest.reference) == text.upper(),
        col(ServiceRequest.external_id) == text,
        *(
            col(ServiceRequest.customer_id).in_(
                sa.select(col(ContactPoint.customer_id)).where(col(ContactPoint.address) == address)
            )
            for address in _addresses(text)
        ),
    ]
    reference_prefix = col(ServiceRequest.reference).startswith(text.upper(), autoescape=True)
    name = text.lower()
    named = col(ServiceRequest.customer_id).in_(
        sa.select(col(Customer.id)).where(
            sa.or_(
                sa.func.lower(col(Customer.name)).startswith(name, autoescape=True),
                sa.func.lower(col(Customer.name)).contains(f" {name}", autoescape=True),
            )
        )
    )
    for conditions in (exact, [reference_prefix], [named]):
        requests: dict[int, ServiceRequest] = {}
        for condition in conditions:
            query = (
                select(ServiceRequest)
                .where(condition)
                .order_by(col(ServiceRequest.id).desc())
                .limit(limit)
                .options(*LIST_OPTIONS)
            )
            requests.update(
                {saved_id(request): request for request in (await session.exec(query)).all()}
            )
        if requests:
            return sorted(requests.values(), key=lambda request: -saved_id(request))[:limit]
    return []


def _addresses(text: str) -> list[str]:
    addresses = []
    for parse in (parse_phone, parse_email_address):
        try:
            addresses.append(parse(text))
        except ValueError:
            continue
    return addresses
