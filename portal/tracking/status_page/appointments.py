"""The appointments and calls ahead, as the customer may add them to a calendar."""

from collections.abc import Iterator

from portal.models import CLOSED_STATUSES, FollowUpState, PromiseKind
from portal.queries.status_page.rows import FollowUpRow, StatusPageRow
from portal.tracking.status_page.timeline import TimelinePresenter
from portal.tracking.status_page.view_models import Appointment


def find_appointments(timeline: TimelinePresenter) -> tuple[Appointment, ...]:
    """Times that the customer named and calls that staff promised, soonest first; only future."""
    if timeline.snapshot.status in CLOSED_STATUSES:
        return ()
    found = [*_named_times(timeline), *_calls(timeline.snapshot)]
    ahead = (appointment for appointment in found if appointment.at > timeline.now)
    return tuple(sorted(ahead, key=lambda appointment: appointment.at))


def _named_times(timeline: TimelinePresenter) -> Iterator[Appointment]:
    """The latest time of each question; one that is asked again has none until it is answered."""
    follow_ups = timeline.snapshot.follow_ups  # in the order of their ids
    newest = {row.key: row for row in follow_ups if row.state != FollowUpState.WITHDRAWN}
    for key, asked in newest.items():
        if asked.state == FollowUpState.ANSWERED and asked.answer_at is not None:
            yield Appointment(key, _title(asked, timeline), asked.answer_at)


def _title(asked: FollowUpRow, timeline: TimelinePresenter) -> str:
    """The title of the question, of the stage that its yes opens, else of its stage."""
    definition = timeline.definition
    question = definition.question(asked.key)
    if question.title is not None:
        return timeline.localize(question.title)
    stage = definition.stage(question.yes.stage or question.after_stage)
    if asked.during_stage and question.yes.stage is None:
        following = (other for other in definition.stages if stage.key in other.after)
        stage = next(following, stage)
    return timeline.localize(stage.title)


def _calls(snapshot: StatusPageRow) -> Iterator[Appointment]:
    for promise in snapshot.promises:
        if promise.kind == PromiseKind.CALL and promise.closed_at is None:
            yield Appointment(f"call-{promise.id}", "", promise.due_at, is_call=True)
