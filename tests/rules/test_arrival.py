"""When a whole request should be done, from plain values without a database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from portal.business_time import business_calendar
from portal.models import RequestStatus, RunState
from portal.rules.arrival import Arrival, arrival_of
from portal.rules.stages.stage_timeline import StageTimeline
from portal.rules.stages.timeline_facts import RunFacts
from portal.workflows import read_workflow

MONDAY = datetime(2026, 11, 30, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

FIBRE = """
key = "fibre"
name = "Fibre"
[departments.desk]
name = "Desk"
hours = "Mon-Fri 09:00-17:00"
holidays = "GB-ENG"
[departments.nights]
name = "Nights"
[[stages]]
key = "check"
department = "desk"
title = "We check your order"
expected = "2bd"
[[stages]]
key = "consent"
department = "desk"
title = "We ask the landowner"
waits_for = "the landowner"
expected = "14d"
[[stages]]
key = "date"
department = "desk"
title = "We agree a day"
question = "When may we come?"
expects = "time"
expected = "30d"
[[stages]]
key = "build"
department = "desk"
title = "We build it"
expected = "3d"
[[stages]]
key = "switch"
department = "nights"
title = "We switch it on"
expected = "1d"
[[stages]]
key = "collect"
department = "desk"
title = "Please collect the router"
ask = "come"
expected = "90d"
"""


@dataclass(frozen=True)
class Run:
    stage_key: str
    state: str = RunState.OPEN
    due_at: datetime = MONDAY + DAY
    completed_at: datetime | None = None
    paused_at: datetime | None = None
    p50_at: datetime | None = None
    previous_due_at: datetime | None = None
    delay_reason: str = ""
    waits_on_customer: bool = False
    waits_on_third_party: bool = False
    held_at: datetime | None = None
    hold_until: datetime | None = None


def done(*keys: str) -> list[Run]:
    return [Run(key, RunState.COMPLETED, completed_at=MONDAY - HOUR) for key in keys]


@dataclass(frozen=True)
class Handoff:
    accept_by: datetime | None


def arrival(
    *runs: Run,
    now: datetime = MONDAY,
    status: str = RequestStatus.OPEN,
    text: str = FIBRE,
    handoff: Handoff | None = None,
) -> Arrival | None:
    workflow = read_workflow(text)

    def calendar_of(key: str):
        department = workflow.departments[key]
        return business_calendar(department.hours, "UTC", department.holidays)

    facts = [RunFacts(run, handoff if run.state == RunState.OPEN else None) for run in runs]
    timeline = StageTimeline(
        workflow, status, is_unconfirmed=False, runs=facts, calendar_of=calendar_of, now=now
    )
    return arrival_of(timeline)


def test_arrival_is_the_end_of_what_is_still_to_come() -> None:
    """Due on Tuesday; 14 days, 3 days and 1 day: the customer's own stages take no time."""
    tuesday = MONDAY + DAY
    assert arrival(Run("check", due_at=tuesday)) == Arrival(tuesday + 18 * DAY + 2 * DAY)


def test_stage_ends_on_a_day_on_which_its_department_is_open() -> None:
    """Three days from Thursday are a Sunday: it is built on Monday, and on on Tuesday."""
    thursday = MONDAY + 3 * DAY
    [monday] = {
        arrival(*done("check", "consent", "date"), Run("build", due_at=thursday + 4 * DAY)).by
    }
    assert monday == thursday + 5 * DAY
    found = arrival(*done("check"), Run("consent", due_at=thursday))
    assert found.by == thursday + 4 * DAY + DAY


def test_holiday_is_no_day_of_arrival() -> None:
    """Three days from 22 December are Christmas Day, a Friday; Monday is a substitute holiday."""
    before = datetime(2026, 12, 22, 10, tzinfo=UTC)
    found = arrival(*done("check"), Run("consent", due_at=before), now=before - DAY)
    assert found.by == datetime(2026, 12, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("run", "awaited", "days"),
    [
        (Run("consent", paused_at=MONDAY - DAY, waits_on_third_party=True), "third_party", 4),
        (Run("date", paused_at=MONDAY - DAY, waits_on_customer=True), "customer", 4),
        (Run("consent", paused_at=MONDAY, held_at=MONDAY, due_at=MONDAY + 2 * DAY), "hold", 8),
    ],
)
def test_paused_request_takes_so_long_after_the_wait(run: Run, awaited: str, days: int) -> None:
    keys = ["check", "consent", "date"]
    found = arrival(*done(*keys[: keys.index(run.stage_key)]), run)
    assert found == Arrival(duration=days * DAY, awaited=awaited, stage=run.stage_key)


def test_hold_with_an_end_has_a_date() -> None:
    """An hour of work was left; it goes on on Thursday."""
    until = MONDAY + 3 * DAY
    run = Run("switch", due_at=MONDAY + HOUR, paused_at=MONDAY, held_at=MONDAY, hold_until=until)
    assert arrival(*done("check", "consent", "date", "build"), run) == Arrival(until + HOUR)


def test_stage_that_only_records_a_delivery_takes_no_time() -> None:
    """The customer has it when the third party says so."""
    text = FIBRE.replace('expected = "1d"', 'expected = "1d"\ndelivered = "complete"')
    before = done("check", "consent", "date")
    thursday = MONDAY + 3 * DAY
    assert arrival(*before, Run("build", due_at=thursday), text=text) == Arrival(thursday)
    assert arrival(*before, Run("build", due_at=thursday)) == Arrival(thursday + DAY)


def test_what_nobody_accepts_in_time_takes_its_whole_time_from_now_on() -> None:
    """From Thursday on its three days end on a Sunday, so on Monday; then it is switched on."""
    before, run = done("check", "consent", "date"), Run("build", due_at=MONDAY + 4 * DAY)
    thursday = MONDAY + 3 * DAY
    waiting, late = Handoff(thursday + HOUR), Handoff(thursday)
    assert arrival(*before, run, now=thursday, handoff=waiting) == Arrival(MONDAY + 7 * DAY)
    assert arrival(*before, run, now=thursday, handoff=late) == Arrival(MONDAY + 8 * DAY)


def test_what_the_customer_has_sent_is_not_waited_for() -> None:
    """Of the 30 days that they had nothing counts any more."""
    found = arrival(*done("check", "consent"), Run("date", due_at=MONDAY + 30 * DAY))
    assert found == Arrival(MONDAY + 4 * DAY)


def test_moved_date_is_known_with_the_one_before() -> None:
    run = Run("switch", due_at=MONDAY + 3 * DAY, previous_due_at=MONDAY + DAY, delay_reason="Snow.")
    found = arrival(*done("check", "consent", "date", "build"), run)
    assert found == Arrival(MONDAY + 3 * DAY, previous_by=MONDAY + DAY)


def test_measured_durations_give_an_earlier_date() -> None:
    before = done("check", "consent", "date", "build")
    run = Run("switch", due_at=MONDAY + 3 * DAY, p50_at=MONDAY + DAY)
    assert arrival(*before, run) == Arrival(MONDAY + 3 * DAY, MONDAY + DAY)


@pytest.mark.parametrize(
    ("runs", "status"),
    [
        ([Run("check", due_at=MONDAY)], RequestStatus.OPEN),
        ([Run("check")], RequestStatus.CANCELLED),
        ([], RequestStatus.AWAITING_CONFIRMATION),
        (
            [
                *done("check", "consent", "date", "build", "switch"),
                Run("collect", paused_at=MONDAY, waits_on_customer=True),
            ],
            RequestStatus.WAITING_ON_CUSTOMER,
        ),
    ],
)
def test_no_date_when_late_or_over_or_nothing_is_left_for_us(runs: list[Run], status: str) -> None:
    assert arrival(*runs, status=status) is None
