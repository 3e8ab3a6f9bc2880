"""Open dropped balls."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import DroppedBall, EscalationLevel

MAX_COUNTED = 100


@dataclass(frozen=True, slots=True)
class DroppedBallScope:
    """The scope: balls of this assignee, or of these departments. Neither is all."""

    person_id: int | None = None
    departments: Collection[int] | None = None


async def list_open_dropped_balls(
    session: AsyncSession, scope: DroppedBallScope, *, limit: int, after: int | None = None
) -> tuple[list[DroppedBall], int | None]:
    """A page of them, oldest first, and the id of the next page."""
    query = _in_scope(select(DroppedBall), scope)
    if after is not None:
        query = query.where(col(DroppedBall.id) > after)
    balls = list((await session.exec(query.order_by(col(DroppedBall.id)).limit(limit + 1))).all())
    return balls[:limit], balls[limit - 1].id if len(balls) > limit else None


async def count_open_dropped_balls(session: AsyncSession, scope: DroppedBallScope) -> int:
    """How many there are; no further than ``MAX_COUNTED``, so that it always costs little."""
    counted = _in_scope(select(col(DroppedBall.id)), scope).limit(MAX_COUNTED).subquery()
    return (await session.exec(select(sa.func.count()).select_from(counted))).one()


async def open_dropped_balls_of(session: AsyncSession, request_id: int) -> Sequence[DroppedBall]:
    """The open dropped balls of one request, oldest first."""
    query = select(DroppedBall).where(
        col(DroppedBall.request_id) == request_id, col(DroppedBall.resolved_at).is_(None)
    )
    return (await session.exec(query.order_by(col(DroppedBall.id)))).all()


def _in_scope(query: Any, scope: DroppedBallScope) -> Any:
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
