"""When a whole request should be done: the one date that its customer reads first. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeVar

from portal.rules.stages.stage_timeline import StageTimeline
from portal.rules.stages.timeline_facts import HandoffT, QuestionT, Run, RunFacts

AwaitedParty = Literal["customer", "third_party", "hold", "unknown"]
"""Whom a paused request waits for; ``unknown``: the workflow says only that its clock is paused."""


class ArrivalRun(Run, Protocol):
    """What the date of arrival depends on, of a StageRun."""

    @property
    def p50_at(self) -> datetime | None:
        """By when half of comparable runs are done."""

    @property
    def previous_due_at(self) -> datetime | None:
        """The date that the customer was given before `due_at`."""

    @property
    def waits_on_customer(self) -> bool:
        """Whether it waits for the customer."""

    @property
    def waits_on_third_party(self) -> bool:
        """Whether it waits for a third party that the workflow names."""

    @property
    def held_at(self) -> datetime | None:
        """Since when staff hold it."""

    @property
    def hold_until(self) -> datetime | None:
        """When the hold ends, where that is known."""


ArrivalRunT = TypeVar("ArrivalRunT", bound=ArrivalRun)
DateOf = Callable[[ArrivalRun], datetime]
"""Gives a date of a run."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a request should be done.

    ``by`` is the date; while it waits without a known end, ``duration`` is how long it takes after
    ``awaited`` (the stage with the key ``stage``) is done waiting. ``usually_by`` is the date of
    half of similar requests, ``previous_by`` the one given before it moved to a later day.
    """

    by: datetime | None = None
    usually_by: datetime | None = None
    previous_by: datetime | None = None
    duration: timedelta | None = None
    awaited: AwaitedParty | None = None
    stage: str = ""


def arrival_of(timeline: StageTimeline[ArrivalRunT, HandoffT, QuestionT]) -> Arrival | None:
    """The arrival of a request; None where nothing is left for us to do, or the date is unknown.

    It counts the open stages and what is still to come, in the hours of each department, without
    what waits for the customer. It is unknown while a stage is late and has no new date, and while
    the thing is looked for.
    """
    if timeline.has_no_dates:
        return None
    runs = timeline.open_runs
    if timeline.is_over or not runs or any(facts.is_late(timeline.now) for facts in runs):
        return None
    waiting = next((facts.run for facts in runs if _waits_without_end(facts.run)), None)
    by = _last_end(timeline)
    if by is None or by <= timeline.now:
        return None
    if waiting is not None:
        duration = by - timeline.now
        return Arrival(
            duration=duration, awaited=_awaited(timeline, waiting), stage=waiting.stage_key
        )
    return Arrival(by, _usually_by(timeline, by), _previous_by(timeline, by))


def _last_end(
    timeline: StageTimeline[ArrivalRunT, HandoffT, QuestionT],
    date_of: DateOf | None = None,
) -> datetime | None:
    """The end of the last stage, where each open run that is not paused ends at its ``date_of``.

    Without one, when it is due.
    """

    def end_of(facts: RunFacts[ArrivalRunT, HandoffT, QuestionT]) -> datetime:
        date = date_of(facts.run) if date_of else timeline.due_at(facts)
        return max(_end_of(timeline, facts.run, date), timeline.now)

    _, ends = timeline.expected_times(end_of)
    known_ends = [end for end in ends.values() if end]
    return max(known_ends) if known_ends and len(known_ends) == len(ends) else None


def _end_of(
    timeline: StageTimeline[ArrivalRunT, HandoffT, QuestionT], run: ArrivalRun, date: datetime
) -> datetime:
    """When an open run ends that ends at ``date`` if it is not paused.

    What waits for somebody is done when they are, and what the customer has sent is checked soon; a
    hold leaves the rest of its time for later.
    """
    if run.paused_at is None:
        is_theirs = timeline.definition.stage(run.stage_key).is_customers_turn
        return timeline.now if is_theirs else date
    resumed_at = run.hold_until if run.held_at and run.hold_until else timeline.now
    if run.waits_on_customer or run.waits_on_third_party:
        return resumed_at
    stage = timeline.definition.stage(run.stage_key)
    calendar = timeline.calendar_of(stage.department).calendar_for(stage.expected)
    rest = calendar.elapsed(run.paused_at, run.due_at)
    end = calendar.add_open_time(max(resumed_at, timeline.now), rest)
    return timeline.calendar_of(stage.department).on_open_day(end)


def _waits_without_end(run: ArrivalRun) -> bool:
    if run.paused_at is None:
        return False
    return run.waits_on_customer or run.waits_on_third_party or run.hold_until is None


def _awaited(
    timeline: StageTimeline[ArrivalRunT, HandoffT, QuestionT], run: ArrivalRun
) -> AwaitedParty:
    if run.held_at is not None:
        return "hold"
    if run.waits_on_third_party:
        return "third_party"
    is_customer = timeline.definition.stage(run.stage_key).is_customers_turn
    return "customer" if is_customer else "unknown"


def _usually_by(
    timeline: StageTimeline[ArrivalRunT, HandoffT, QuestionT], by: datetime
) -> datetime | None:
    """An earlier date, by which half of similar requests are done; None where that is not known."""
    runs = timeline.open_runs
    if len(runs) != 1 or runs[0].run.p50_at is None or runs[0].run.delay_reason:
        return None
    if not timeline.now < runs[0].run.p50_at < runs[0].run.due_at:
        return None
    usually_by = _last_end(timeline, lambda run: run.p50_at or run.due_at)
    return usually_by if usually_by and timeline.now < usually_by < by else None


def _previous_by(
    timeline: StageTimeline[ArrivalRunT, HandoffT, QuestionT], by: datetime
) -> datetime | None:
    """The earlier date that was given before, where a delay has moved it."""
    if not any(
        facts.run.delay_reason and facts.run.previous_due_at for facts in timeline.open_runs
    ):
        return None
    past = replace(timeline, now=min(_previous_dates(timeline)))
    previous_by = _last_end(past, _previous_or_due)
    return previous_by if previous_by and previous_by < by else None


def _previous_or_due(run: ArrivalRun) -> datetime:
    return (run.previous_due_at if run.delay_reason else None) or run.due_at


def _previous_dates(timeline: StageTimeline[ArrivalRunT, HandoffT, QuestionT]) -> list[datetime]:
    """The dates of the open runs before they moved: the present must not move them again."""
    return [timeline.now, *(_previous_or_due(facts.run) for facts in timeline.open_runs)]
