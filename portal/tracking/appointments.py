"""When somebody of ours comes or calls, as the customer may put it into a calendar."""

from collections.abc import Iterator
from datetime import datetime

from portal.models import ENDED, FollowUpState, PromiseKind
from portal.queries.snapshots import FollowUpRow, Snapshot
from portal.tracking.view import Appointment
from portal.workflows import WorkflowDefinition


def read_appointments(
    snapshot: Snapshot, definition: WorkflowDefinition, now: datetime
) -> tuple[Appointment, ...]:
    """Those ahead, soonest first: times that the customer named, and calls that we promised."""
    if snapshot.status in ENDED:
        return ()
    found = [*_named(snapshot, definition), *_calls(snapshot)]
    return tuple(sorted((one for one in found if one.at > now), key=lambda one: one.at))


def _named(snapshot: Snapshot, definition: WorkflowDefinition) -> Iterator[Appointment]:
    """The time last given for each question; one that is asked anew has none until answered."""
    newest = {
        one.key: one for one in snapshot.follow_ups if one.state != FollowUpState.WITHDRAWN
    }  # in the order of their ids
    for key, asked in newest.items():
        if asked.state == FollowUpState.ANSWERED and asked.answer_at is not None:
            title = _what_for(asked, definition, snapshot.locale)
            yield Appointment(key, title, asked.answer_at)


def _what_for(asked: FollowUpRow, definition: WorkflowDefinition, locale: str) -> str:
    """The leg that the time is for: the question's own, what its yes opens, else its stage."""
    question = definition.question(asked.key)
    if question.title is not None:
        return question.title.in_language(locale)
    stage = definition.stage(question.yes.stage or question.after_stage)
    if asked.at_stage and question.yes.stage is None:
        after = [one for one in definition.stages if stage.key in one.after]
        stage = after[0] if after else stage
    return stage.title.in_language(locale)


def _calls(snapshot: Snapshot) -> Iterator[Appointment]:
    for promise in snapshot.promises:
        if promise.kind == PromiseKind.CALL and promise.closed_at is None:
            yield Appointment(f"call-{promise.id}", "", promise.due_at, is_call=True)
