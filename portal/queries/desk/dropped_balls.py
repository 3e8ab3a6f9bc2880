"""Open dropped balls."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import DroppedBall, EscalationLevel
from portal.queries.paging import PageRequest, WorkScope, count_at_most, read_page


async def list_open_dropped_balls(
    session: AsyncSession, scope: WorkScope, page: PageRequest
) -> tuple[list[DroppedBall], int | None]:
    """A page of them, oldest first, and the id of the next page."""
    query = _standing(select(DroppedBall), scope)
    return await read_page(session, query, col(DroppedBall.id), page)


async def count_open_dropped_balls(session: AsyncSession, scope: WorkScope) -> int:
    """How many there are, as ``count_at_most`` counts."""
    return await count_at_most(session, _standing(select(col(DroppedBall.id)), scope))


async def open_dropped_balls_of(session: AsyncSession, request_id: int) -> Sequence[DroppedBall]:
    """The open dropped balls of one request, oldest first."""
    query = select(DroppedBall).where(
        col(DroppedBall.request_id) == request_id, col(DroppedBall.resolved_at).is_(None)
    )
    return (await session.exec(query.order_by(col(DroppedBall.id)))).all()


def _standing(query: Any, scope: WorkScope) -> Any:
    query = query.where(col(DroppedBall.resolved_at).is_(None))
    if scope.person_id is not None:
        escalated = col(DroppedBall.level) != EscalationLevel.OWNER
        return query.where(
            sa.or_(
                sa.and_(col(DroppedBall.owner_id) == scope.person_id, ~escalated),
                sa.and_(col(DroppedBall.escalated_to_id) == scope.person_id, escalated),
            )
        )
    if scope.departments is not None:
        return query.where(col(DroppedBall.department_id).in_(scope.departments))
    return query
