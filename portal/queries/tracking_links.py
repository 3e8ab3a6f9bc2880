"""The request behind a tracking link, and whether a link was sent just now."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import UnknownLink
from portal.models import Message, MessageKind, ServiceRequest, TrackingLink
from portal.queries.requests import REQUEST_OPTIONS


async def get_by_token(session: AsyncSession, token: str) -> ServiceRequest:
    """The request that this link opens. Raises UnknownLink."""
    query = (
        select(ServiceRequest)
        .join(TrackingLink, col(TrackingLink.request_id) == col(ServiceRequest.id))
        .where(col(TrackingLink.token) == token[:64], col(TrackingLink.revoked_at).is_(None))
        .options(*REQUEST_OPTIONS)
    )
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise UnknownLink
    return found


async def was_link_sent(session: AsyncSession, cause: str) -> bool:
    """True when this cause has sent its link already, by whichever channel."""
    query = select(Message.id).where(
        col(Message.cause) == cause, col(Message.kind) == MessageKind.LINK
    )
    return (await session.exec(query)).first() is not None
