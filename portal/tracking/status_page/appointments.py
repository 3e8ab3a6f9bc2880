"""When somebody of ours comes or calls, as the customer may put it into a calendar."""

from collections.abc import Iterator

from portal.models import CLOSED_STATUSES, FollowUpState, PromiseKind
from portal.queries.status_page.rows import FollowUpRow, StatusPageRow
from portal.tracking.status_page.timeline import StageTimeline
from portal.tracking.status_page.view_models import Appointment


def find_appointments(journey: StageTimeline) -> tuple[Appointment, ...]:
    """Those ahead, soonest first: times that the customer named, and calls that we promised."""
    if journey.snapshot.status in CLOSED_STATUSES:
        return ()
    found = [*_named(journey), *_calls(journey.snapshot)]
    ahead = (one for one in found if one.at > journey.now)
    return tuple(sorted(ahead, key=lambda one: one.at))


def _named(journey: StageTimeline) -> Iterator[Appointment]:
    """The time last given for each question; one that is asked anew has none until answered."""
    put = journey.snapshot.follow_ups  # in the order of their ids
    newest = {one.key: one for one in put if one.state != FollowUpState.WITHDRAWN}
    for key, asked in newest.items():
        if asked.state == FollowUpState.ANSWERED and asked.answer_at is not None:
            yield Appointment(key, _what_for(asked, journey), asked.answer_at)


def _what_for(asked: FollowUpRow, journey: StageTimeline) -> str:
    """The leg that the time is for: the question's own, what its yes opens, else its stage."""
    definition = journey.definition
    question = definition.question(asked.key)
    if question.title is not None:
        return journey.localize(question.title)
    stage = definition.stage(question.yes.stage or question.after_stage)
    if asked.during_stage and question.yes.stage is None:
        stage = next((one for one in definition.stages if stage.key in one.after), stage)
    return journey.localize(stage.title)


def _calls(snapshot: StatusPageRow) -> Iterator[Appointment]:
    for promise in snapshot.promises:
        if promise.kind == PromiseKind.CALL and promise.closed_at is None:
            yield Appointment(f"call-{promise.id}", "", promise.due_at, is_call=True)
