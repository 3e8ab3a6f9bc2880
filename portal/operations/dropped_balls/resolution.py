"""Raising what has slipped by an event, and what people do about it; see ``watching`` for time."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.errors import Conflict, NotFound
from portal.live import FRONT_DESK
from portal.models import (
    BallKind,
    DroppedBall,
    EventKind,
    Message,
    ServiceRequest,
    StaffMember,
)
from portal.operations.dropped_balls.detection import keep_watch
from portal.operations.transitions import check_words
from portal.operations.unit_of_work import Turn
from portal.queries.requests import lock_by_id, lock_for_watch
from portal.queries.roster import load_full_roster

STEPPING_IN = timedelta(minutes=1)
"""So long after an absence has begun the work has gone to whoever stands in."""


def about(message: Message) -> str:
    """The subject of a ball about one message."""
    return f"message:{message.id}"


async def raise_ball(
    turn: Turn, kind: BallKind, subject: str, detail: str, *, request_id: int | None = None
) -> bool:
    """Put it before the request's owner, or with no request before whoever oversees; once.

    While one of this kind and subject is open nothing happens: then it gives False.
    """
    query = select(DroppedBall.id).where(
        col(DroppedBall.kind) == kind,
        col(DroppedBall.subject) == subject,
        col(DroppedBall.resolved_at).is_(None),
    )
    if (await turn.session.exec(query)).first() is not None:
        return False
    ball = DroppedBall(
        kind=kind, subject=subject, request_id=request_id, detail=detail,
        slipped_at=turn.now, raised_at=turn.now,
    )  # fmt: skip
    if request_id is None:
        ball.owner_id = (await load_full_roster(turn.session)).overseer()
    else:
        request = await lock_by_id(turn.session, request_id)
        department = (await turn.roster(request)).department_by_id(request.department_id)
        ball.owner_id, ball.department_id = request.owner_id, department.id
        ball.escalates_at = department.lead_by(turn.now)
    turn.session.add(ball)
    await turn.session.flush()
    turn.moved.add(ball.department_id or FRONT_DESK)
    return True


async def resolve_balls(turn: Turn, subject: str, *kinds: BallKind) -> None:
    """The facts have put it right: the open balls of these kinds about this are closed."""
    query = select(DroppedBall).where(
        col(DroppedBall.kind).in_(kinds),
        col(DroppedBall.subject) == subject,
        col(DroppedBall.resolved_at).is_(None),
    )
    for ball in (await turn.session.exec(query)).all():
        ball.resolved_at = turn.now
        turn.moved.add(ball.department_id or FRONT_DESK)


async def look_at(turn: Turn, ids: Sequence[int]) -> None:
    """Raise what has slipped of these requests, resolve what has not, plan the next look."""
    for request in await lock_for_watch(turn.session, ids):
        roster = await turn.roster(request)
        turn.moved |= await keep_watch(turn.session, request, roster, turn.now)
        if request.has_dropped:
            turn.nudged.add(request.id or 0)


async def look_for_ownerless(turn: Turn) -> int:
    """Have those looked at whose owner has left or is away, and who nobody took over."""
    gone = select(StaffMember.id).where(
        col(StaffMember.disabled_at).is_not(None)
        | (
            (col(StaffMember.absent_from) <= turn.now - STEPPING_IN)
            & (col(StaffMember.absent_until).is_(None) | (col(StaffMember.absent_until) > turn.now))
        )
    )
    people = (await turn.session.exec(gone)).all()
    if not people:
        return 0
    connection = await turn.session.connection()
    found = await connection.execute(
        sa.update(ServiceRequest)
        .where(
            col(ServiceRequest.closed_at).is_(None),
            col(ServiceRequest.owner_id).in_(people),
            col(ServiceRequest.has_dropped).is_(False),
            col(ServiceRequest.watch_at).is_(None) | (col(ServiceRequest.watch_at) > turn.now),
        )
        .values(watch_at=turn.now)
    )
    return found.rowcount


async def dismiss_ball(turn: Turn, ball_id: int, reason: str) -> DroppedBall:
    """Set it aside, with the reason: it does not matter, or nothing can be done about it.

    It comes back only if it slips anew. Raises NotFound, BadInput without a reason, and Conflict
    where it has been resolved already.
    """
    reason = check_words("reason", reason)
    seen = await turn.session.get(DroppedBall, ball_id)
    if seen is None:
        raise NotFound(f"There is no dropped ball {ball_id}.")
    # The request before its ball, as the watch takes them.
    request = await lock_by_id(turn.session, seen.request_id) if seen.request_id else None
    ball = await turn.session.get_one(
        DroppedBall, ball_id, with_for_update=True, populate_existing=True
    )
    if ball.resolved_at is not None:
        raise Conflict("This has been put right already, so there is nothing to set aside.")
    ball.resolved_at, ball.dismissed_reason = turn.now, reason
    ball.dismissed_by = turn.actor.name
    turn.moved.add(ball.department_id or FRONT_DESK)
    if request is not None:
        request.record(
            EventKind.BALL_DISMISSED, turn.actor, turn.now, visible=False, moves=False,
            ball=ball.kind.value, detail=ball.detail, reason=reason,
        )  # fmt: skip
        await turn.settle(request)
    return ball
