"""Renders messages about visits: what is booked, moved or cancelled, and what is free instead."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from portal.business_time import TimeWindow, zone_or_utc
from portal.messaging.sms.bidi import with_direction_mark
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.segments import count_segments
from portal.messaging.wording.renderer import MessageRenderer
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_windows import (
    choices_text,
    clock_text,
    window_text,
    with_zone,
)
from portal.models import FollowUp, StageRun
from portal.rules.visits import VisitPlan


def render_visit(renderer: MessageRenderer, question: FollowUp, template: str) -> str:
    """A message about the booked visit: when, and who, where and what to prepare as they fit.

    The hours are those of the place visited, which is named where the customer's clock is another.
    What would make the text cost more is left to the page. Raises ValueError where no visit is
    booked.
    """
    window = question.visit_window
    if window is None:
        raise ValueError("no visit is booked")
    times = visit_times(renderer, question)
    visit = with_zone(window_text(times, window), times, renderer.times.timezone, window.start)
    notes: list[str] = []
    text = renderer.say(template, visit=visit, notes="")
    for note in _notes(renderer, question):
        longer = renderer.say(template, visit=visit, notes=" ".join([*notes, note]))
        if _segments(renderer, longer) == _segments(renderer, text):
            notes.append(note)
            text = longer
    return text


def render_offer(
    renderer: MessageRenderer,
    question: FollowUp,
    template: str,
    *,
    wish: datetime | TimeWindow | None = None,
) -> str:
    """A message with the windows that ``question`` offers, by number, on the clock of the place.

    ``wish`` is the time that is not free, read back with its date, so that no other is understood.
    Of a visit that is booked it says that it stays.
    """
    times = visit_times(renderer, question)
    at = ""
    if isinstance(wish, TimeWindow):
        at = times.date_of(wish.start)
    elif wish is not None:
        at = f"{times.date_of(wish)} {clock_text(times, wish)}"
    asked = renderer.question(question)
    offered = offered_windows(renderer, question)
    choices = choices_text(times, offered)
    if offered:
        choices = with_zone(choices, times, renderer.times.timezone, offered[0].start)
    text = renderer.say(template, question=asked, at=at, choices=choices)
    booked = question.visit_window
    if booked is None:
        return text
    return f"{text} {renderer.say('visit_stays', visit=window_text(times, booked))}"


def visit_times(renderer: MessageRenderer, question: FollowUp) -> TimeFormatter:
    """How the customer reads the times of this visit: in the zone of the place visited.

    That is the zone of the department that comes.
    """
    department = renderer.roster.department_by_id(question.run.department_id)
    return replace(renderer.times, timezone=zone_or_utc(department.timezone))


def offered_windows(renderer: MessageRenderer, question: FollowUp) -> Sequence[TimeWindow]:
    """The windows that the question offers."""
    department = renderer.roster.department_by_id(question.run.department_id)
    definition = renderer.request.definition.question(question.key)
    plan = VisitPlan.of(definition, department.calendar)
    return (
        [TimeWindow(start, start + plan.length) for start in question.offered_starts]
        if plan
        else []
    )


def booked_with(renderer: MessageRenderer, run: StageRun) -> FollowUp | None:
    """The booked visit whose booking has opened this stage, and which its message announces."""
    visit = renderer.request.booked_visit
    is_opened_by_it = visit is not None and visit.closed_at == run.opened_at == run.reached_at
    return visit if is_opened_by_it else None


def _notes(renderer: MessageRenderer, question: FollowUp) -> list[str]:
    """Who comes, where to, and what to prepare, the most useful first."""
    visit = renderer.request.definition.question(question.key).visit
    locale = renderer.request.customer.locale
    run = _visitors_run(renderer, question)
    notes = []
    if run is not None:
        notes.append(renderer.say("visit_who", owner=renderer.person_name(run.assignee_id)))
    if visit.place is not None:
        notes.append(renderer.say("visit_place", place=visit.place.in_language(locale)))
    if visit.prepare is not None:
        notes.append(visit.prepare.in_language(locale))
    return notes


def _visitors_run(renderer: MessageRenderer, question: FollowUp) -> StageRun | None:
    """The open stage of the department that comes; else of whoever has the request."""
    runs = renderer.request.open_runs
    theirs = [run for run in runs if run.department_id == question.run.department_id]
    return next(reversed(theirs), None) or renderer.current_run()


def _segments(renderer: MessageRenderer, text: str) -> int:
    locale = renderer.request.customer.locale
    return count_segments(with_direction_mark(to_gsm7(text), locale)).segments
