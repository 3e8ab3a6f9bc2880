"""Escalation: an open ball is assigned to the lead, then to a manager, who get an e-mail."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.messaging.wording.staff_notices import render_notice
from portal.models import (
    Channel,
    DroppedBall,
    EscalationLevel,
    Message,
    MessageKind,
    MonitoringGap,
    ServiceRequest,
    StaffMember,
)
from portal.models.columns import saved_id
from portal.models.requests.dropped_ball import NOTIFICATION_PENDING
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.roster import load_full_roster
from portal.rules.roster import Roster

BATCH_SIZE = 500
NOTICE_INTERVAL = timedelta(minutes=10)
"""One person gets at most one e-mail in this time, however many balls are dropped."""


async def escalate(uow: UnitOfWork) -> int:
    """Take each ball that is due to the next level, by its department's rule; gives how many.

    Nothing is escalated while staff catch up after an outage of ours.
    """
    catching_up = select(MonitoringGap.id).where(col(MonitoringGap.grace_until) > uow.now).limit(1)
    if (await uow.session.exec(catching_up)).first() is not None:
        return 0
    query = (
        select(DroppedBall)
        .where(col(DroppedBall.resolved_at).is_(None), col(DroppedBall.escalates_at) <= uow.now)
        .order_by(col(DroppedBall.escalates_at))
        .limit(BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    due = (await uow.session.exec(query)).all()
    roster = await load_full_roster(uow.session) if due else None
    for ball in due:
        if roster is not None:
            _escalate_ball(uow, ball, roster)
    return len(due)


def _escalate_ball(uow: UnitOfWork, ball: DroppedBall, roster: Roster) -> None:
    department = roster.department_by_id(ball.department_id or 0)
    lead = roster.lead_of(department)
    manager = roster.manager_of(department)
    if ball.level == EscalationLevel.OWNER and lead not in (None, ball.owner_id):
        ball.level, ball.escalated_to_id = EscalationLevel.LEAD, lead
        ball.escalates_at = department.manager_escalation_at(ball.raised_at, uow.now)
    elif ball.level != EscalationLevel.MANAGER and manager not in (None, ball.owner_id):
        ball.level, ball.escalated_to_id, ball.escalates_at = EscalationLevel.MANAGER, manager, None
    else:
        ball.escalates_at = None  # Nobody is above its assignee.
        return
    ball.escalated_at = uow.now
    uow.changed_departments.add(saved_id(department))
    uow.changed_requests.add(ball.request_id or 0)


async def queue_staff_notices(uow: UnitOfWork) -> int:
    """Queue one e-mail for each person about all their balls that they were not notified of.

    Gives how many people are notified: none, where no SMTP server is set.
    """
    if uow.settings.smtp_url is None:
        return 0
    query = (
        select(DroppedBall)
        .where(sa.text(NOTIFICATION_PENDING), col(DroppedBall.owner_id).is_not(None))
        .order_by(col(DroppedBall.id))
        .limit(BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    balls = (await uow.session.exec(query)).all()
    by_person: dict[int, list[DroppedBall]] = defaultdict(list)
    for ball in balls:
        by_person[ball.assignee_id or 0].append(ball)
    references_by_id = await _references(uow, balls)
    notified = 0
    for person_id, person_balls in by_person.items():
        person = await uow.session.get(StaffMember, person_id)
        if person is None or await _was_notified_recently(uow, person):
            continue
        await _queue_notice(uow, person, person_balls, references_by_id)
        notified += 1
    return notified


async def _queue_notice(
    uow: UnitOfWork,
    person: StaffMember,
    balls: Sequence[DroppedBall],
    references_by_id: Mapping[int, str],
) -> None:
    subject, body = render_notice(
        [(references_by_id.get(ball.request_id or 0, ""), ball) for ball in balls]
    )
    cause = f"ball:{balls[0].id}:{balls[0].level}"
    await uow.outbox.queue_staff_notice(cause, person.email, subject, body)
    for ball in balls:
        ball.notified_level = ball.level


async def _was_notified_recently(uow: UnitOfWork, person: StaffMember) -> bool:
    query = (
        select(Message.id)
        .where(
            col(Message.to_address) == person.email,
            col(Message.channel) == Channel.EMAIL,
            col(Message.kind) == MessageKind.NOTICE,
            col(Message.created_at) > uow.now - NOTICE_INTERVAL,
        )
        .limit(1)
    )
    return (await uow.session.exec(query)).first() is not None


async def _references(uow: UnitOfWork, balls: Sequence[DroppedBall]) -> dict[int, str]:
    ids = {ball.request_id for ball in balls if ball.request_id is not None}
    query = select(ServiceRequest.id, ServiceRequest.reference).where(
        col(ServiceRequest.id).in_(ids)
    )
    return {key or 0: reference for key, reference in (await uow.session.exec(query)).all()}
