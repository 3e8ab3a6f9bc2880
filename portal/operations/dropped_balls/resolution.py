"""Balls raised and resolved by events, and dismissed by staff; ``detection`` handles time."""

from collections.abc import Collection, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.errors import Conflict, NotFound
from portal.live import NO_DEPARTMENT
from portal.models import (
    DroppedBall,
    DroppedBallKind,
    EventKind,
    Message,
    ServiceRequest,
    StaffMember,
)
from portal.models.columns import saved_id
from portal.operations.authorization import authorize_dismissal
from portal.operations.dropped_balls.detection import detect_dropped_balls
from portal.operations.step import StepContext
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import lock_by_id, lock_for_detection
from portal.queries.roster import load_full_roster

REASSIGNMENT_DELAY = timedelta(minutes=1)
"""How long after an absence begins the work is reassigned to the substitute."""


def message_subject(message: Message) -> str:
    """The subject of a ball about one message."""
    return f"message:{message.id}"


def request_subject(request: ServiceRequest) -> str:
    """The subject of a ball about one request."""
    return f"request:{request.id}"


async def raise_dropped_ball(
    uow: UnitOfWork,
    kind: DroppedBallKind,
    subject: str,
    detail: str,
    *,
    request_id: int | None = None,
    owner_id: int | None = None,
) -> bool:
    """Raise a ball for the request's owner or ``owner_id``; without a request, for the default manager.

    Gives False, and raises none, while one of this kind and subject is open.
    """
    query = select(DroppedBall.id).where(
        col(DroppedBall.kind) == kind,
        col(DroppedBall.subject) == subject,
        col(DroppedBall.resolved_at).is_(None),
    )
    if (await uow.session.exec(query)).first() is not None:
        return False
    ball = DroppedBall(
        kind=kind, subject=subject, request_id=request_id, detail=detail,
        dropped_at=uow.now, raised_at=uow.now,
    )  # fmt: skip
    if request_id is None:
        ball.owner_id = (await load_full_roster(uow.session)).default_manager()
    else:
        request = await lock_by_id(uow.session, request_id)
        department = (await uow.roster(request)).department_by_id(request.department_id)
        ball.owner_id, ball.department_id = owner_id or request.owner_id, department.id
        ball.escalates_at = department.lead_escalation_at(uow.now)
    uow.session.add(ball)
    await uow.session.flush()
    uow.changed_departments.add(ball.department_id or NO_DEPARTMENT)
    return True


async def resolve_dropped_balls(uow: UnitOfWork, subject: str, *kinds: DroppedBallKind) -> None:
    """Resolve the open balls of these kinds about this subject."""
    query = select(DroppedBall).where(
        col(DroppedBall.kind).in_(kinds),
        col(DroppedBall.subject) == subject,
        col(DroppedBall.resolved_at).is_(None),
    )
    for ball in (await uow.session.exec(query)).all():
        ball.resolved_at = uow.now
        uow.changed_departments.add(ball.department_id or NO_DEPARTMENT)


async def raise_urgent(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Raise an urgent message at once, for whoever oversees; the request's owner gets an e-mail."""
    roster = await uow.roster(request)
    detail = "The customer writes of something urgent: theft, fraud or harm."
    overseer_id, owner = roster.default_manager(), roster.person(request.owner_id)
    is_new = await raise_dropped_ball(
        uow, DroppedBallKind.URGENT, request_subject(request), detail,
        request_id=saved_id(request), owner_id=overseer_id,
    )  # fmt: skip
    if is_new and owner.id != overseer_id:
        notice = f"{request.reference}: {detail}"
        cause = f"urgent:{request.id}:{uow.now.timestamp():.0f}"
        await uow.outbox.queue_staff_notice(cause, owner.email, notice, notice)


async def resolve_urgent(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Resolve the ball of an urgent message: somebody has answered it."""
    await resolve_dropped_balls(uow, request_subject(request), DroppedBallKind.URGENT)


async def inspect_requests(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Raise what is dropped of these requests, resolve what is not, plan the next check."""
    for request in await lock_for_detection(uow.session, ids):
        await detect_dropped_balls(StepContext(uow, await uow.facts(request)))
        if request.has_open_ball:
            uow.changed_requests.add(saved_id(request))


async def schedule_customer_checks(uow: UnitOfWork, customer_ids: Collection[int]) -> None:
    """Schedule a check of the open requests of these customers, whose addresses have changed."""
    await (await uow.session.connection()).execute(
        sa.update(ServiceRequest)
        .where(
            col(ServiceRequest.customer_id).in_(customer_ids),
            col(ServiceRequest.closed_at).is_(None),
        )
        .values(next_check_at=uow.now)
    )


async def schedule_ownerless_checks(uow: UnitOfWork) -> int:
    """Schedule a check of the requests whose owner has left or is absent, without a substitute."""
    absent_staff = select(StaffMember.id).where(
        col(StaffMember.disabled_at).is_not(None)
        | (
            (col(StaffMember.absent_from) <= uow.now - REASSIGNMENT_DELAY)
            & (col(StaffMember.absent_until).is_(None) | (col(StaffMember.absent_until) > uow.now))
        )
    )
    people = (await uow.session.exec(absent_staff)).all()
    if not people:
        return 0
    connection = await uow.session.connection()
    result = await connection.execute(
        sa.update(ServiceRequest)
        .where(
            col(ServiceRequest.closed_at).is_(None),
            col(ServiceRequest.owner_id).in_(people),
            col(ServiceRequest.has_open_ball).is_(False),
            col(ServiceRequest.next_check_at).is_(None)
            | (col(ServiceRequest.next_check_at) > uow.now),
        )
        .values(next_check_at=uow.now)
    )
    return result.rowcount


async def dismiss_dropped_ball(uow: UnitOfWork, dropped_ball_id: int, reason: str) -> DroppedBall:
    """Dismiss it with a reason: it does not matter, or nothing can be done about it.

    It is raised again only for a new time. Raises NotFound, BadInput without a reason, and Conflict
    where it has been resolved already.
    """
    seen = await uow.session.get(DroppedBall, dropped_ball_id)
    if seen is None:
        raise NotFound(f"There is no dropped ball {dropped_ball_id}.")
    # The request is locked before its ball, as detection does.
    request = await lock_by_id(uow.session, seen.request_id) if seen.request_id else None
    await authorize_dismissal(uow, request, seen.assignee_id)
    reason = check_text("reason", reason)
    ball = await uow.session.get_one(
        DroppedBall, dropped_ball_id, with_for_update=True, populate_existing=True
    )
    if ball.resolved_at is not None:
        raise Conflict("This has been put right already, so there is nothing to set aside.")
    ball.resolved_at, ball.dismissed_reason = uow.now, reason
    ball.dismissed_by = uow.actor.name
    uow.changed_departments.add(ball.department_id or NO_DEPARTMENT)
    if request is not None:
        request.record(
            EventKind.BALL_DISMISSED, uow.actor, uow.now, visible=False, bumps_version=False,
            ball=ball.kind.value, detail=ball.detail, reason=reason,
        )  # fmt: skip
        await uow.finish(request)
    return ball
