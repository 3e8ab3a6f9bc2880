"""The appointments and calls ahead, as the customer may add them to a calendar."""

from collections.abc import Iterator

from portal.models import CLOSED_STATUSES, FollowUpState, PromiseKind, RunState
from portal.models.people.given_name import staff_first_name
from portal.queries.status_page.rows import FollowUpRow, RunRow, StatusPageRow
from portal.rules.visits import is_visit_over
from portal.tracking.status_page.appointment_view import Appointment
from portal.tracking.status_page.timeline import TimelinePresenter


def find_appointments(timeline: TimelinePresenter) -> tuple[Appointment, ...]:
    """Times that the customer named and calls that staff promised, soonest first; only future."""
    if timeline.snapshot.status in CLOSED_STATUSES:
        return ()
    appointments = [*_named_times(timeline), *_calls(timeline.snapshot)]
    upcoming = (
        appointment
        for appointment in appointments
        if (appointment.until or appointment.at) > timeline.now
    )
    return tuple(sorted(upcoming, key=lambda appointment: appointment.at))


def _named_times(timeline: TimelinePresenter) -> Iterator[Appointment]:
    """The latest time of each question; one that is asked again has none until it is answered."""
    follow_ups = timeline.snapshot.follow_ups  # in the order of their ids
    without_time = (FollowUpState.PLANNED, FollowUpState.WITHDRAWN)
    newest = {row.key: row for row in follow_ups if row.state not in without_time}
    for key, follow_up in newest.items():
        is_named = follow_up.state == FollowUpState.ANSWERED and follow_up.answer_at is not None
        if is_named and not is_visit_over(follow_up, timeline.snapshot.runs, timeline.now):
            yield _appointment(key, follow_up, timeline)


def _appointment(key: str, follow_up: FollowUpRow, timeline: TimelinePresenter) -> Appointment:
    at = follow_up.answer_at or timeline.now
    if follow_up.answer_until is None:
        return Appointment(key, _title(follow_up, timeline), at)
    visit = timeline.definition.question(follow_up.key).visit
    visitor = _visitor(follow_up, timeline.snapshot)
    who = staff_first_name(visitor.assignee) if visitor else ""
    return Appointment(
        key, timeline.localize(visit.name) if visit.name else _title(follow_up, timeline), at,
        until=follow_up.answer_until,
        who=who,
        place=timeline.localize(visit.place) if visit.place else "",
        prepare=timeline.localize(visit.prepare) if visit.prepare else "",
        on_the_way=who if follow_up.on_the_way_at else "",
        timezone=_zone(follow_up, timeline),
        photo=(visitor.assignee_photo if visitor else None) or "",
    )  # fmt: skip


def _zone(follow_up: FollowUpRow, timeline: TimelinePresenter) -> str:
    """The zone of the place visited: that of the department that comes."""
    run = next(run for run in timeline.snapshot.runs if run.id == follow_up.run_id)
    return timeline.calendar(run.department_id).zone.key


def _visitor(follow_up: FollowUpRow, snapshot: StatusPageRow) -> RunRow | None:
    """The stage of whoever comes: the last that is open at the department that asked for a time."""
    asked = next(run for run in snapshot.runs if run.id == follow_up.run_id)
    open_runs = [run for run in snapshot.runs if run.state == RunState.OPEN]
    theirs = [run for run in open_runs if run.department_id == asked.department_id]
    return next(reversed(theirs or open_runs), None)


def _title(follow_up: FollowUpRow, timeline: TimelinePresenter) -> str:
    """The title of the question, of the stage that its yes opens, else of its stage."""
    definition = timeline.definition
    question = definition.question(follow_up.key)
    if question.title is not None:
        return timeline.localize(question.title)
    stage = definition.stage(question.yes.stage or question.after_stage)
    if follow_up.during_stage and question.yes.stage is None:
        following = (other for other in definition.stages if stage.key in other.after)
        stage = next(following, stage)
    return timeline.localize(stage.title)


def _calls(snapshot: StatusPageRow) -> Iterator[Appointment]:
    for promise in snapshot.promises:
        if promise.kind == PromiseKind.CALL and promise.closed_at is None:
            begin = promise.not_before_at
            until = promise.due_at if begin and begin < promise.due_at else None
            yield Appointment(
                f"call-{promise.id}", "", begin or promise.due_at, is_call=True, until=until
            )
