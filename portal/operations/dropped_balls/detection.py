"""Detection of dropped balls of one request: each is raised once, and resolved when it is done."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.live import NO_DEPARTMENT
from portal.models import DroppedBall, DroppedBallKind, MonitoringGap
from portal.operations.step import StepContext
from portal.rules.dropped_balls import DETECTED_KINDS, DropCondition, drop_conditions
from portal.rules.facts import Facts

ConditionKey = tuple[DroppedBallKind, str]


async def detect_dropped_balls(context: StepContext) -> None:
    """Raise what is dropped of this request, resolve the rest, and plan the next check.

    Departments whose balls change are added to the work's changed departments. The database is
    asked nothing where nothing is dropped, which is nearly always.
    """
    work, facts = context.work, context.facts
    request, now = facts.request, facts.now
    conditions = list(drop_conditions(facts))
    check_times = [condition.at for condition in conditions if condition.at > now]
    dropped = [condition for condition in conditions if condition.at <= now]
    if dropped or request.has_open_ball:
        excused = await _grace_until(work.session, dropped, now)
        check_times += excused.values()
        raised = [condition for condition in dropped if condition.key not in excused]
        work.changed_departments |= await _update_balls(work.session, facts, raised)
    request.next_check_at = min(check_times, default=None)


async def _update_balls(
    session: AsyncSession, facts: Facts, dropped: Sequence[DropCondition]
) -> set[int]:
    """Raise these and resolve the others; gives the departments whose balls changed."""
    request = facts.request
    query = select(DroppedBall).where(
        col(DroppedBall.request_id) == request.id, col(DroppedBall.kind).in_(DETECTED_KINDS)
    )
    balls = (await session.exec(query)).all()
    open_balls = {(ball.kind, ball.subject): ball for ball in balls if ball.resolved_at is None}
    dismissed = {(ball.kind, ball.subject, ball.dropped_at) for ball in balls if ball.dismissed_by}
    changed = set[int]()
    keys = {condition.key for condition in dropped}
    for key, ball in open_balls.items():
        if key not in keys:
            ball.resolved_at = facts.now
            changed.add(ball.department_id or NO_DEPARTMENT)
    request.has_open_ball = False
    for condition in dropped:
        if (*condition.key, condition.at) in dismissed:
            continue  # It was dismissed with a reason; only a new time raises it again.
        request.has_open_ball = True
        open_ball = open_balls.get(condition.key)
        if open_ball is None:
            session.add(_ball(facts, condition))
            changed.add(condition.department_id)
        else:
            # The ball follows the work to its new owner.
            open_ball.owner_id, open_ball.detail = condition.owner_id, condition.detail
    return changed


def _ball(facts: Facts, condition: DropCondition) -> DroppedBall:
    department = facts.roster.department_by_id(condition.department_id)
    return DroppedBall(
        kind=condition.kind,
        subject=condition.subject,
        request_id=facts.request.id,
        department_id=condition.department_id,
        owner_id=condition.owner_id,
        detail=condition.detail,
        dropped_at=condition.at,
        raised_at=facts.now,
        escalates_at=department.lead_escalation_at(facts.now),
    )


async def _grace_until(
    session: AsyncSession, dropped: Sequence[DropCondition], now: datetime
) -> Mapping[ConditionKey, datetime]:
    """Until when each is excused that fell due while nothing was monitored."""
    gaps = await _recent_gaps(session, now) if dropped else []
    return {
        condition.key: gap.grace_until
        for condition in dropped
        for gap in gaps
        if gap.began_at <= condition.at < gap.grace_until
    }


async def _recent_gaps(session: AsyncSession, now: datetime) -> Sequence[MonitoringGap]:
    query = select(MonitoringGap).where(col(MonitoringGap.grace_until) > now)
    return (await session.exec(query.order_by(col(MonitoringGap.grace_until)))).all()
