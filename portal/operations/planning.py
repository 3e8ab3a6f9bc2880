"""The times at which a request comes up again: its questions, its promised dates, its next update."""

from portal.models import EventKind, FollowUpState
from portal.operations.step import StepContext
from portal.rules.follow_up_schedule import MIN_WAIT, FollowUpSchedule
from portal.rules.proactive_updates import (
    ContactSchedule,
    fulfil_date_promises,
    proactive_updates,
)

PROGRESS_EVENTS = frozenset(
    {EventKind.STAGE_REACHED, EventKind.AWAITING_CONFIRMATION, EventKind.COMPLETED}
)
"""The customer gets a message about these, which contains more than a new date."""


async def fulfil_promised_dates(context: StepContext) -> None:
    """Keep the promises of a new date: the customer has had better news."""
    facts = context.facts
    fulfil_date_promises(facts.request, facts.actor, facts.now)


async def reschedule_follow_ups(context: StepContext) -> None:
    """Ask soon what is due and had to wait, once nothing keeps it waiting."""
    facts = context.facts
    soon, schedule = facts.now + MIN_WAIT, FollowUpSchedule(facts)
    for question in facts.request.follow_ups:
        if not question.is_pending or question.next_at is None or question.next_at <= soon:
            continue
        is_planned = question.state == FollowUpState.PLANNED
        due_at = schedule.ask_at(question) if is_planned else schedule.next_step_at(question)
        is_due = due_at is not None and due_at <= facts.now
        if is_due and schedule.blocked_until(question) is None:
            question.next_at = soon


async def schedule_update(context: StepContext) -> None:
    """Set when the next proactive update is due; None without one."""
    facts = context.facts
    schedule = ContactSchedule(facts.request.customer, context.work.settings, facts.now)
    updates = proactive_updates(facts, schedule)
    facts.request.next_update_at = min((update.at for update in updates), default=None)
