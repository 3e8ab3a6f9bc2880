"""The clock of a stage and its pauses, compared with a count of every minute."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.business_time import Duration
from portal.models import Department, StageRun
from portal.models.requests.stage_run import PAUSABLE_TIMES
from portal.workflows import LocalizedText, StageDefinition
from tests.business_time.oracle import MINUTE, WEEKS, ZONES, open_minutes, starts, weeks


def department(hours: str, zone: str = "UTC", holidays: str = "") -> Department:
    return Department(
        id=1, key="bench", name="Repair Bench", hours=hours, timezone=zone, holidays=holidays
    )


def stage(expected: str, grace: str = "0s") -> StageDefinition:
    return StageDefinition(
        key="mended",
        department="bench",
        name="Mending",
        title=LocalizedText({"en": "Your device is being repaired"}),
        expected=Duration.parse(expected),
        grace=Duration.parse(grace),
    )


def started(bench: Department, at: datetime, expected: str, grace: str = "0s") -> StageRun:
    run = StageRun(stage_id=1, stage_key="mended", department_id=1, assignee_id=1)
    run.start(stage(expected, grace), bench, at)
    return run


durations = st.one_of(
    st.integers(0, 40).map("{}bh".format),
    st.integers(0, 4).map("{}bd".format),
    st.integers(0, 6).map("{}d".format),
    st.integers(0, 90).map("{}h".format),
    st.integers(0, 4000).map("{}m".format),
)
two_durations = st.tuples(durations, durations)
departments = st.builds(
    department,
    st.one_of(st.sampled_from(WEEKS), weeks()),
    st.sampled_from(ZONES),
    st.sampled_from(["", "US"]),
)
acts = st.sampled_from(["hold", "resume", "wait", "stop waiting", "expect", "look"])
histories = st.lists(st.tuples(st.integers(0, 3000), acts, durations), max_size=8)


@dataclass
class Lookout:
    """Writes down of each minute whether the department worked and whether the stage was paused.

    ``owed`` is what each of the clocks stood for when it was set: so many minutes that count.
    """

    run: StageRun
    bench: Department
    minutes: int = 0
    is_held: bool = False
    waits: bool = False
    paused: list[bool] = field(default_factory=list)
    owed: dict[str, int] = field(default_factory=dict)
    begun: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.run.opened_at
        self.note_what_is_owed()

    @property
    def now(self) -> datetime:
        return self.begun + self.minutes * MINUTE

    def pass_by(self, minutes: int) -> None:
        self.paused += [self.is_held or self.waits] * minutes
        self.minutes += minutes

    def note_what_is_owed(self) -> None:
        self.owed = {name: self.counted(getattr(self.run, name)) for name in PAUSABLE_TIMES}

    def counted(self, until: datetime) -> int:
        """The minutes that count until then, if nothing pauses it from now on."""
        return sum(works and not paused for works, paused in self._looked(until))

    def lost(self) -> int:
        return sum(works and paused for works, paused in self._looked(self.now))

    def _looked(self, until: datetime) -> list[tuple[bool, bool]]:
        minutes = max(0, int((until - self.begun) / MINUTE))
        works = [True] * minutes
        if self.run.in_business_hours:
            works = open_minutes(self.bench.calendar, self.begun, minutes)
        paused = (self.paused + [False] * minutes)[:minutes]
        return list(zip(works, paused, strict=True))

    def do(self, act: str, wait: str) -> None:
        run = self.run
        if act == "hold":
            run.hold(self.now, "A part is missing", None)
            self.is_held = True
        elif act == "resume":
            run.resume(self.now, self.bench)
            self.is_held = False
        elif act == "wait":
            run.wait_on_customer(self.now)
            self.waits = True
        elif act == "stop waiting":
            run.stop_waiting(self.now, self.bench)
            self.waits = False
        elif act == "expect":
            date = self.bench.calendar.add(self.now + MINUTE, Duration.parse(wait))
            run.set_due_at(date, Duration.parse("2bh"), self.bench, self.now)
            assert run.due_at == date
            self.note_what_is_owed()

    def look(self) -> None:
        """All that must hold of the run at this minute."""
        run = self.run
        assert run.is_paused is (self.is_held or self.waits)
        if run.is_paused:
            assert not run.is_overdue(self.now)
            return
        assert {name: self.counted(getattr(run, name)) for name in PAUSABLE_TIMES} == self.owed
        assert run.paused_seconds == 60 * self.lost()
        gone = self.counted(self.now)
        if gone != self.owed["overdue_at"]:  # to the minute: up to its last one it is not late
            assert run.is_overdue(self.now) is (gone > self.owed["overdue_at"])


@settings(max_examples=120)
@given(
    bench=departments,
    start=starts,
    expected=durations,
    grace=durations,
    others=two_durations,
    history=histories,
)
@example(  # a date that is an opening time, and a pause in the night before it
    bench=department("Mon-Fri 09:00-17:30"),
    start=datetime(2026, 6, 7, 12, tzinfo=UTC),
    expected="1bd",
    grace="0bh",
    others=("1bd", "2d"),
    history=[(1080, "hold", "0m"), (900, "resume", "0m")],
)
@example(  # a date given in a pause, which goes on
    bench=department("Mon-Fri 09:00-17:30"),
    start=datetime(2026, 6, 8, 12, tzinfo=UTC),
    expected="2bd",
    grace="4bh",
    others=("4bh", "2d"),
    history=[(60, "hold", "0m"), (1440, "expect", "9bh"), (1440, "resume", "0m")],
)
def test_stage_clock_counts_open_minutes_outside_pauses(
    *,
    bench: Department,
    start: datetime,
    expected: str,
    grace: str,
    others: tuple[str, str],
    history: list[tuple[int, str, str]],
) -> None:
    """It is late exactly when those exceed what is expected and the grace; all clocks alike."""
    run = started(bench, start, expected, grace)
    run.p50_at, run.silence_overdue_at = (
        bench.calendar.add(start, Duration.parse(other)) for other in others
    )
    lookout = Lookout(run, bench)
    lookout.look()
    for minutes, act, wait in [*history, (30, "resume", ""), (60, "stop waiting", "")]:
        before = {name: getattr(run, name) for name in PAUSABLE_TIMES}
        lookout.pass_by(minutes)
        lookout.look()
        assert {name: getattr(run, name) for name in PAUSABLE_TIMES} == before, "nobody touched it"
        lookout.do(act, wait)
        lookout.look()
    assert not run.is_overdue(run.overdue_at)
    assert run.is_overdue(run.overdue_at + MINUTE)
    run.complete(lookout.now, "Ben Bench", bench)
    assert run.duration_seconds == 60 * lookout.counted(lookout.now)


@settings(max_examples=60)
@given(departments, starts, durations, st.integers(0, 5000), st.integers(0, 5000))
def test_pause_outside_opening_hours_moves_no_date(
    bench: Department, start: datetime, expected: str, after: int, pause: int
) -> None:
    run = started(bench, start, expected)
    begun, ended = start + after * MINUTE, start + (after + pause) * MINUTE
    if run.in_business_hours:
        works = open_minutes(bench.calendar, begun, pause)
        ended = begun + (works.index(True) if True in works else pause) * MINUTE
    else:
        ended = begun
    due = run.due_at
    run.hold(begun, "A part is missing", None)
    run.resume(ended, bench)
    assert run.due_at == (due if due <= begun else max(due, ended))
    assert run.paused_seconds == 0


TUESDAY = datetime(2026, 6, 9, tzinfo=UTC)
SHOP = "Mon-Fri 09:00-12:00, 13:00-17:30"


def at(hour: float, day: int = 0) -> datetime:
    return TUESDAY + timedelta(days=day, hours=hour)


@pytest.mark.parametrize(
    ("held", "resumed", "due"),
    [
        (at(10), at(11), at(16)),  # an hour
        (at(11), at(14), at(17)),  # the break in between was nobody's
        (at(11), at(9, day=1), at(12, day=1)),  # until the morning: three hours were left
        (at(12), at(13), at(15)),  # the break alone
        (at(15), at(9, day=1), at(15)),  # when it was due already
    ],
)
def test_hold_moves_the_due_time_by_open_hours(
    held: datetime, resumed: datetime, due: datetime
) -> None:
    """Begun on Tuesday at 10, for four hours with a break from 12 to 1: due at 3 pm."""
    run = started(department(SHOP), at(10), "4bh")
    assert run.due_at == at(15)
    run.hold(held, "A part is missing", None)
    run.resume(resumed, department(SHOP))
    assert run.due_at == due


def test_overlapping_pauses_count_once() -> None:
    bench = department(SHOP)
    run = started(bench, at(10), "4bh")
    run.hold(at(10), "A part is missing", None)
    run.wait_on_customer(at(10.5))
    run.resume(at(11), bench)
    assert run.is_paused, "the customer has not answered"
    run.stop_waiting(at(11.5), bench)
    assert not run.is_paused
    assert (run.due_at, run.paused_seconds) == (at(16.5), 90 * 60)
    run.stop_waiting(at(12), bench)
    run.resume(at(12), bench)
    assert (run.due_at, run.paused_seconds) == (at(16.5), 90 * 60), "nothing was paused"


def test_ending_a_paused_run_ends_its_pause() -> None:
    bench = department(SHOP)
    run = started(bench, at(10), "4bh")
    run.wait_on_customer(at(11))
    run.complete(at(11.5), "Ben Bench", bench)
    assert not run.is_paused
    assert run.paused_seconds == 30 * 60
