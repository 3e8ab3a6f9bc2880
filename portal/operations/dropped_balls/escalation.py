"""Escalation: an open ball is assigned to the lead, then to a manager, who get an e-mail."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

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
from portal.queries.job_failures import is_waiting
from portal.queries.roster import load_full_roster
from portal.rules.roster import Roster

BATCH_SIZE = 500
NOTICE_INTERVAL = timedelta(minutes=10)
"""One person gets at most one e-mail in this time, however many balls are dropped."""
ESCALATION = "escalation"
NOTICES = "notices"
"""The jobs whose failures (``JobFailure``) are of a ball, and of a person."""
ASSIGNEE = sa.case(
    (col(DroppedBall.level) == EscalationLevel.OWNER, col(DroppedBall.owner_id)),
    else_=col(DroppedBall.escalated_to_id),
)
"""``DroppedBall.assignee_id`` as SQL."""
CAUSE_PREFIX = "ball:"
"""The beginning of the causes of e-mails about balls."""


async def find_due_escalations(session: AsyncSession, now: datetime) -> dict[int, int | None]:
    """The balls that escalate now, by id, each with the id of its request.

    None while staff catch up after an outage of ours.
    """
    catching_up = select(MonitoringGap.id).where(col(MonitoringGap.grace_until) > now).limit(1)
    if (await session.exec(catching_up)).first() is not None:
        return {}
    query = (
        select(col(DroppedBall.id), col(DroppedBall.request_id))
        .where(*_escalates(now), ~is_waiting(ESCALATION, col(DroppedBall.id), now))
        .order_by(col(DroppedBall.escalates_at))
        .limit(BATCH_SIZE)
    )
    return {ball_id or 0: request_id for ball_id, request_id in (await session.exec(query)).all()}


async def escalate(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Take each of these balls that is due to the next level, by its department's rule."""
    query = (
        select(DroppedBall)
        .where(col(DroppedBall.id).in_(ids), *_escalates(uow.now))
        .order_by(col(DroppedBall.id))
        .with_for_update(skip_locked=True)
    )
    due = (await uow.session.exec(query)).all()
    if not due:
        return
    roster = await load_full_roster(uow.session)
    for ball in due:
        _escalate_ball(uow, ball, roster)
    await uow.session.flush()


def _escalates(now: datetime) -> tuple[Any, ...]:
    return col(DroppedBall.resolved_at).is_(None), col(DroppedBall.escalates_at) <= now


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


async def find_people_to_notify(session: AsyncSession, now: datetime) -> list[int]:
    """The staff, by id, with balls that they were not notified of."""
    query = (
        select(ASSIGNEE)
        .where(*_awaits_notice(), ASSIGNEE.is_not(None), ~is_waiting(NOTICES, ASSIGNEE, now))
        .distinct()
        .limit(BATCH_SIZE)
    )
    return sorted((await session.exec(query)).all())


async def queue_staff_notices(uow: UnitOfWork, people: Sequence[int]) -> int:
    """Queue one e-mail for each of these people about the balls that they were not notified of.

    Gives how many people are notified.
    """
    query = (
        select(DroppedBall)
        .where(*_awaits_notice(), ASSIGNEE.in_(people))
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


def _awaits_notice() -> tuple[Any, ...]:
    return sa.text(NOTIFICATION_PENDING), col(DroppedBall.owner_id).is_not(None)


async def _queue_notice(
    uow: UnitOfWork,
    person: StaffMember,
    balls: Sequence[DroppedBall],
    references_by_id: Mapping[int, str],
) -> None:
    subject, body = render_notice(
        [(references_by_id.get(ball.request_id or 0, ""), ball) for ball in balls]
    )
    cause = f"{CAUSE_PREFIX}{balls[0].id}:{balls[0].level}"
    await uow.outbox.queue_staff_notice(cause, person.email, subject, body)
    for ball in balls:
        ball.notified_level = ball.level


async def _was_notified_recently(uow: UnitOfWork, person: StaffMember) -> bool:
    """Whether they were sent a mail about balls; mail about their account is another thing."""
    query = (
        select(Message.id)
        .where(
            col(Message.to_address) == person.email,
            col(Message.channel) == Channel.EMAIL,
            col(Message.kind) == MessageKind.NOTICE,
            col(Message.cause).startswith(CAUSE_PREFIX),
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
