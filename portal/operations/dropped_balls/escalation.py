"""What nobody has put right goes on to the lead, then to a manager; whoever has it gets mail."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.messaging.wording.staff_notices import write_notice
from portal.models import (
    Channel,
    DroppedBall,
    Level,
    Message,
    MessageKind,
    Outage,
    ServiceRequest,
    StaffMember,
)
from portal.models.requests.dropped_ball import UNMAILED
from portal.operations.unit_of_work import Turn
from portal.queries.roster import load_full_roster
from portal.rules.roster import Roster

AT_ONCE = 500
MAIL_EVERY = timedelta(minutes=10)
"""One person gets no more than one mail in so long, however much has slipped."""


async def escalate(turn: Turn) -> int:
    """Take what is due to the next level, by each department's rule; gives how many went.

    Not while staff catch up after an outage of ours.
    """
    catching_up = select(Outage.id).where(col(Outage.patient_until) > turn.now).limit(1)
    if (await turn.session.exec(catching_up)).first() is not None:
        return 0
    query = (
        select(DroppedBall)
        .where(col(DroppedBall.resolved_at).is_(None), col(DroppedBall.escalates_at) <= turn.now)
        .order_by(col(DroppedBall.escalates_at))
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    due = (await turn.session.exec(query)).all()
    roster = await load_full_roster(turn.session) if due else None
    for ball in due:
        if roster is not None:
            _take_on(turn, ball, roster)
    return len(due)


def _take_on(turn: Turn, ball: DroppedBall, roster: Roster) -> None:
    department = roster.department_by_id(ball.department_id or 0)
    lead = roster.lead_of(department)
    manager = roster.manager_of(department)
    if ball.level == Level.OWNER and lead not in (None, ball.owner_id):
        ball.level, ball.escalated_to_id = Level.LEAD, lead
        ball.escalates_at = department.manager_by(ball.raised_at, turn.now)
    elif ball.level != Level.MANAGER and manager not in (None, ball.owner_id):
        ball.level, ball.escalated_to_id, ball.escalates_at = Level.MANAGER, manager, None
    else:
        ball.escalates_at = None  # There is nobody above whoever has it.
        return
    ball.escalated_at = turn.now
    turn.moved.add(department.id or 0)
    turn.nudged.add(ball.request_id or 0)


async def mail_people(turn: Turn) -> int:
    """Owe each person one mail about all that is before them and that they had no mail about.

    Gives how many people are told; nobody is, where this house sends no mail.
    """
    if turn.settings.smtp_url is None:
        return 0
    query = (
        select(DroppedBall)
        .where(sa.text(UNMAILED), col(DroppedBall.owner_id).is_not(None))
        .order_by(col(DroppedBall.id))
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    balls = (await turn.session.exec(query)).all()
    by_person: dict[int, list[DroppedBall]] = defaultdict(list)
    for ball in balls:
        by_person[ball.before or 0].append(ball)
    references = await _references(turn, balls)
    mailed = 0
    for person_id, theirs in by_person.items():
        person = await turn.session.get(StaffMember, person_id)
        if person is None or await _had_mail_lately(turn, person):
            continue
        await _mail(turn, person, theirs, references)
        mailed += 1
    return mailed


async def _mail(
    turn: Turn, person: StaffMember, balls: Sequence[DroppedBall], references: Mapping[int, str]
) -> None:
    subject, body = write_notice([(references.get(one.request_id or 0, ""), one) for one in balls])
    cause = f"ball:{balls[0].id}:{balls[0].level}"
    await turn.outbox.notify_staff(cause, person.email, subject, body)
    for ball in balls:
        ball.mailed_level = ball.level


async def _had_mail_lately(turn: Turn, person: StaffMember) -> bool:
    query = (
        select(Message.id)
        .where(
            col(Message.to_address) == person.email,
            col(Message.channel) == Channel.EMAIL,
            col(Message.kind) == MessageKind.NOTICE,
            col(Message.created_at) > turn.now - MAIL_EVERY,
        )
        .limit(1)
    )
    return (await turn.session.exec(query)).first() is not None


async def _references(turn: Turn, balls: Sequence[DroppedBall]) -> dict[int, str]:
    ids = {ball.request_id for ball in balls if ball.request_id is not None}
    query = select(ServiceRequest.id, ServiceRequest.reference).where(
        col(ServiceRequest.id).in_(ids)
    )
    return {key or 0: reference for key, reference in (await turn.session.exec(query)).all()}
