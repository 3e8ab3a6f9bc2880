"""The request behind a tracking link, share links, and whether a link was sent just now."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import UnknownLink
from portal.models import Message, MessageKind, ServiceRequest, ShareLink, TrackingLink
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


async def find_share_link(session: AsyncSession, request_id: int) -> ShareLink | None:
    """The newest link of this request that is not ended."""
    query = (
        select(ShareLink)
        .where(col(ShareLink.request_id) == request_id, col(ShareLink.ended_at).is_(None))
        .order_by(col(ShareLink.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).one_or_none()


async def find_shared_page(session: AsyncSession, token: str) -> str | None:
    """The token of the tracking link of the page that this link shows a part of.

    None for an unknown or ended link, and where the customer's own link is revoked.
    """
    query = (
        select(TrackingLink.token)
        .join(ShareLink, col(ShareLink.request_id) == col(TrackingLink.request_id))
        .where(
            col(ShareLink.token) == token[:64],
            col(ShareLink.ended_at).is_(None),
            col(TrackingLink.revoked_at).is_(None),
        )
        .order_by(col(TrackingLink.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).first()
