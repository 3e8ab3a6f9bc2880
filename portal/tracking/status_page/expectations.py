"""What the customer may expect: by when, how sure it is, why it moved, and what they do themselves."""

from collections.abc import Iterator

from portal.business_time import OpeningHours, zone_or_utc
from portal.i18n.languages import language_of
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.channel_neutral import collect_text
from portal.messaging.wording.time_format import TimeFormatter
from portal.queries.status_page.rows import RunRow
from portal.rules.arrival import Arrival
from portal.tracking.status_page.timeline import TimelinePresenter
from portal.tracking.status_page.timeline_view import (
    ArrivalLine,
    DateEstimate,
    Delay,
    PlaceToCome,
)
from portal.workflows import CustomerAction, StageDefinition


def present_arrival(timeline: TimelinePresenter, arrival: Arrival | None) -> ArrivalLine | None:
    """When all of it should be done, in the customer's language."""
    if arrival is None:
        return None
    definition = timeline.definition
    third_party = definition.stage(arrival.stage).third_party_awaited if arrival.stage else None
    return ArrivalLine(
        timeline.localize(definition.arrives) if definition.arrives else LazyString("Ready by"),
        arrival.by,
        arrival.duration,
        arrival.awaited,
        timeline.localize(third_party) if third_party else "",
    )


def present_delay(timeline: TimelinePresenter, arrival: Arrival | None) -> Delay | None:
    """The date that we gave has passed, or we have given a new one with a reason.

    Where the date of the whole request is known, it is that one.
    """
    runs = timeline.timeline.open_runs
    late = [facts.run for facts in runs if facts.is_late(timeline.now)]
    if late:
        return Delay(previous_by=min(run.due_at for run in late))
    moved = [facts.run for facts in runs if facts.run.paused_at is None and facts.run.delay_reason]
    if not moved:
        return None
    last = max(moved, key=lambda run: run.due_at)
    if arrival is not None and arrival.by is not None:
        return Delay(arrival.previous_by, arrival.by, last.delay_reason)
    return Delay(last.previous_due_at, last.due_at, last.delay_reason)


def present_estimate(arrival: Arrival | None) -> DateEstimate | None:
    """By when half of similar requests are done, where that is measured and earlier."""
    if arrival is None or arrival.by is None or arrival.usually_by is None:
        return None
    return DateEstimate(arrival.usually_by, arrival.by)


def customer_action(timeline: TimelinePresenter) -> CustomerAction | None:
    """What the customer does in the stage that waits for them; None where that is not known."""
    stages = (stage for stage, _ in _stages_awaiting_customer(timeline))
    return next((action for stage in stages if (action := stage.customer_action)), None)


def place_to_come(timeline: TimelinePresenter) -> PlaceToCome | None:
    """Where the customer comes, in a stage that waits for that."""
    for stage, run in _stages_awaiting_customer(timeline):
        if stage.customer_action == "come":
            department = timeline.department(run.department_id)
            return PlaceToCome(
                department.name,
                OpeningHours.parse(department.hours) if department.hours else None,
                timeline.localize(stage.place) if stage.place else "",
                timeline.localize(stage.bring) if stage.bring else "",
            )
    return None


def collection(timeline: TimelinePresenter) -> str:
    """Where and when the thing is collected after the end; empty where there is nothing to collect."""
    snapshot, definition = timeline.snapshot, timeline.definition
    stage = definition.collection(snapshot.status, is_unconfirmed=bool(snapshot.closed_unconfirmed))
    if stage is None:
        return ""
    department = next(row for row in snapshot.departments if row.key == stage.department)
    times = TimeFormatter(snapshot.locale, zone_or_utc(snapshot.timezone), timeline.now)
    hours = times.opening_hours(OpeningHours.parse(department.hours)) if department.hours else ""
    place = timeline.localize(stage.place) if stage.place else department.name
    return collect_text(language_of(snapshot.locale), place, hours)


def _stages_awaiting_customer(
    timeline: TimelinePresenter,
) -> Iterator[tuple[StageDefinition, RunRow]]:
    for facts in timeline.timeline.open_runs:
        if facts.run.waits_on_customer and facts.run.held_at is None:
            yield timeline.definition.stage(facts.run.stage_key), facts.run
