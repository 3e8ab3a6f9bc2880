"""Who else is at a request."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Presence, StaffMember
from portal.models.people.presence import PRESENCE_TIMEOUT


async def find_present_colleagues(
    session: AsyncSession, request_id: int, except_staff_id: int, now: datetime
) -> Sequence[tuple[str, bool]]:
    """The names of those who have this request open, and whether they write; not one's own."""
    query = (
        sa.select(col(StaffMember.name), col(Presence.is_writing))
        .join(StaffMember, col(StaffMember.id) == col(Presence.staff_id))
        .where(
            col(Presence.request_id) == request_id,
            col(Presence.staff_id) != except_staff_id,
            col(Presence.seen_at) >= now - PRESENCE_TIMEOUT,
        )
        .order_by(col(StaffMember.name))
    )
    rows = await (await session.connection()).execute(query)
    return [(name, writing) for name, writing in rows]
