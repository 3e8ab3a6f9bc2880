"""Keeping watch over one request: what has slipped is raised once, and resolved by the facts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.live import NO_DEPARTMENT
from portal.models import DroppedBall, DroppedBallKind, MonitoringGap, ServiceRequest
from portal.rules.dropped_balls import DETECTED_KINDS, DropCondition, drop_conditions
from portal.rules.roster import Roster

ConditionKey = tuple[DroppedBallKind, str]


async def detect_dropped_balls(
    session: AsyncSession, request: ServiceRequest, roster: Roster, now: datetime
) -> set[int]:
    """Raise what of this request has slipped by now, resolve what has not, plan the next look.

    Gives the departments on whose desk something moved. The database is asked nothing where
    nothing has slipped, which is nearly always.
    """
    will_slip = list(drop_conditions(request, roster))
    later = [one.at for one in will_slip if one.at > now]
    true_now = [one for one in will_slip if one.at <= now]
    moved: set[int] = set()
    if true_now or request.has_open_ball:
        patient = await _patience(session, true_now, now)
        later += patient.values()
        raised = [one for one in true_now if one.key not in patient]
        moved = await _bring_up_to_date(session, request, raised, roster, now)
    request.next_check_at = min(later, default=None)
    return moved


async def _bring_up_to_date(
    session: AsyncSession,
    request: ServiceRequest,
    true_now: Sequence[DropCondition],
    roster: Roster,
    now: datetime,
) -> set[int]:
    query = select(DroppedBall).where(
        col(DroppedBall.request_id) == request.id, col(DroppedBall.kind).in_(DETECTED_KINDS)
    )
    balls = (await session.exec(query)).all()
    standing = {(ball.kind, ball.subject): ball for ball in balls if ball.resolved_at is None}
    dismissed = {(one.kind, one.subject, one.dropped_at) for one in balls if one.dismissed_by}
    moved = set[int]()
    true = {one.key for one in true_now}
    for key, ball in standing.items():
        if key not in true:
            ball.resolved_at = now
            moved.add(ball.department_id or NO_DEPARTMENT)
    request.has_open_ball = False
    for one in true_now:
        if (*one.key, one.at) in dismissed:
            continue  # Somebody has said why it does not matter; only a new time makes it matter.
        request.has_open_ball = True
        known = standing.get(one.key)
        if known is None:
            session.add(_ball(request, one, roster, now))
            moved.add(one.department_id)
        else:
            # Whoever has the work by now has the ball.
            known.owner_id, known.detail = one.owner_id, one.detail
    return moved


def _ball(
    request: ServiceRequest, slip: DropCondition, roster: Roster, now: datetime
) -> DroppedBall:
    return DroppedBall(
        kind=slip.kind,
        subject=slip.subject,
        request_id=request.id,
        department_id=slip.department_id,
        owner_id=slip.owner_id,
        detail=slip.detail,
        dropped_at=slip.at,
        raised_at=now,
        escalates_at=roster.department_by_id(slip.department_id).lead_escalation_at(now),
    )


async def _patience(
    session: AsyncSession, true_now: Iterable[DropCondition], now: datetime
) -> Mapping[ConditionKey, datetime]:
    """Until when each waits that fell due while nobody kept watch: it may be right, unseen."""
    outages = await _recent_outages(session, now) if true_now else []
    return {
        one.key: out.grace_until
        for one in true_now
        for out in outages
        if out.began_at <= one.at < out.grace_until
    }


async def _recent_outages(session: AsyncSession, now: datetime) -> Sequence[MonitoringGap]:
    query = select(MonitoringGap).where(col(MonitoringGap.grace_until) > now)
    return (await session.exec(query.order_by(col(MonitoringGap.grace_until)))).all()
