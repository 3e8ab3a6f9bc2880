"""The events of one request for its activity log."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Event


async def newest_events(session: AsyncSession, request_id: int, *, limit: int) -> list[Event]:
    """The newest events, at most ``limit`` of them, the oldest of these first."""
    newest_first = (
        select(Event)
        .where(col(Event.request_id) == request_id)
        .order_by(col(Event.id).desc())
        .limit(limit)
    )
    return list(reversed((await session.exec(newest_first)).all()))
