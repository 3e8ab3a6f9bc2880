"""The windows of a visit that are free at this moment."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.business_time import TimeWindow
from portal.models import (
    AnswerType,
    Department,
    EventKind,
    FollowUp,
    ServiceRequest,
    StageRun,
)
from portal.operations.step import StepContext
from portal.rules.facts import Facts
from portal.rules.visits import VisitPlan, nearest_windows

OFFERED_COUNT = 3
"""Windows that a text offers."""
OFFER_EVENTS = frozenset({EventKind.QUESTION_ASKED, EventKind.QUESTION_REMINDED})


def visit_plan(facts: Facts, question: FollowUp) -> VisitPlan | None:
    """The windows of this question; None where any time answers it."""
    if question.expects != AnswerType.TIME:
        return None
    department = facts.roster.department_by_id(question.run.department_id)
    definition = facts.request.definition.question(question.key)
    return VisitPlan.of(definition, department.calendar)


def visit_zone(facts: Facts, question: FollowUp) -> str:
    """The zone in which the customer reads and names the hours of this question.

    A visit has that of the place visited, which is the zone of the department that comes. Where
    any time answers, it is the customer's own.
    """
    if visit_plan(facts, question) is None:
        return facts.request.customer.readable_timezone
    return facts.roster.department_by_id(question.run.department_id).calendar.zone.key


async def free_windows(
    session: AsyncSession, facts: Facts, question: FollowUp, *, is_booking: bool = False
) -> list[TimeWindow] | None:
    """The free windows of this question, soonest first; None where any time answers it.

    With ``is_booking`` the department is locked until the transaction ends, so that of two
    customers who want the last place one gets it; and what was offered counts until it begins.
    """
    plan = visit_plan(facts, question)
    if plan is None:
        return None
    department_id = question.run.department_id
    if is_booking:
        await session.exec(
            select(Department.id)
            .where(col(Department.id) == department_id)
            .with_for_update(key_share=True)
        )
    booked = await _booked(session, department_id, facts.now, besides=question)
    offered = question.offered_starts if is_booking else ()
    return list(plan.free_windows(facts.now, booked, offered))


async def offer_visit_windows(context: StepContext) -> None:
    """Choose the windows that the message of a question offers."""
    facts = context.facts
    for question in facts.request.follow_ups:
        if not question.is_asked or question.expects != AnswerType.TIME:
            continue
        free = await free_windows(context.work.session, facts, question)
        if free is not None:
            question.offer(nearest_windows(question.without_refused(free), None, OFFERED_COUNT))


async def _booked(
    session: AsyncSession, department_id: int, now: datetime, *, besides: FollowUp
) -> Sequence[TimeWindow]:
    """The visits ahead of this department's open requests, in whichever workflow."""
    query = (
        select(FollowUp.answer_at, FollowUp.answer_until)
        .join(StageRun, col(StageRun.id) == col(FollowUp.run_id))
        .join(ServiceRequest, col(ServiceRequest.id) == col(FollowUp.request_id))
        .where(
            col(FollowUp.answer_until) > now,
            col(StageRun.department_id) == department_id,
            col(ServiceRequest.closed_at).is_(None),
            col(FollowUp.id) != besides.id,
        )
    )
    return [
        TimeWindow(start, end)
        for start, end in (await session.exec(query)).all()
        if start is not None and end is not None
    ]
