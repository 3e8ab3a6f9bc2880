"""Share links: the live one of a request, and the page that one shows."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import ShareLink, TrackingLink


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
