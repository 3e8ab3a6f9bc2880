"""The windows in which a visit can be booked: of the department's hours, with room, not too soon."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from portal.business_time import BusinessCalendar, Duration, TimeWindow, business_calendar
from portal.models.requests.stage_run import RunState
from portal.workflows import FollowUpDefinition, VisitDefinition
from portal.workflows.question_definition import VISIT_LENGTH

DAYTIME = "Mon-Fri 09:00-17:00"
"""When visits are made for a department that never closes."""
MAX_WINDOWS = 2_000
"""Windows that are looked at; more than four of a day in a year."""
REMINDED_AT = time(10)
"""When the customer is reminded on the day before, on the clock of the place visited."""
MIN_BEFORE_REMINDER = timedelta(hours=12)
"""A visit that was booked less than this before the reminder needs none."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class VisitPlan:
    """The windows of one question, in the hours of its department; pure."""

    calendar: BusinessCalendar
    definition: VisitDefinition

    @classmethod
    def of(cls, question: FollowUpDefinition, calendar: BusinessCalendar) -> VisitPlan | None:
        """The plan of a question that a time answers; None where any time does.

        Any time does where the department never closes and the file names no ``slot``.
        """
        if question.expects != "time" or (calendar.is_always_open and question.visit.slot is None):
            return None
        if calendar.is_always_open:
            calendar = business_calendar(DAYTIME, calendar.zone.key)
        return cls(calendar, question.visit)

    @property
    def length(self) -> timedelta:
        """How long a visit's window is."""
        return (self.definition.slot or VISIT_LENGTH).length

    def windows(self, now: datetime, offered: Collection[datetime] = ()) -> Iterator[TimeWindow]:
        """Every window that can be booked now, whether or not it is full, soonest first.

        What was ``offered``, by its starts, can be booked until it begins: an offer stands.
        """
        earliest = self._add(now, self.definition.earliest)
        latest = self._add(now, self.definition.latest)
        count = 0
        for period in self.calendar.open_windows(now if offered else earliest):
            start = period.start
            while start + self.length <= period.end:
                count += 1
                if start > latest or count > MAX_WINDOWS:
                    return
                if (start >= earliest or start in offered) and start > now:
                    yield TimeWindow(start, start + self.length)
                start += self.length
            if period.start > latest:
                return

    def free_windows(
        self,
        now: datetime,
        booked: Sequence[TimeWindow],
        offered: Collection[datetime] = (),
    ) -> Iterator[TimeWindow]:
        """Those with room beside the visits that are ``booked``."""
        capacity = self.definition.capacity
        for window in self.windows(now, offered):
            if capacity is None or sum(window.overlaps(other) for other in booked) < capacity:
                yield window

    def _add(self, now: datetime, duration: Duration) -> datetime:
        return self.calendar.add(now, duration)


class _AnsweredTime(Protocol):
    """What ``is_visit_over`` reads of a question whose answer is a time."""

    @property
    def answer_at(self) -> datetime | None:
        """When it begins."""

    @property
    def answer_until(self) -> datetime | None:
        """When the window of a visit ends."""

    @property
    def closed_at(self) -> datetime | None:
        """When it was answered."""


class _OpenedWork(Protocol):
    """What ``is_visit_over`` reads of a run."""

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""

    @property
    def completed_at(self) -> datetime | None:
        """When it was completed."""

    @property
    def department_id(self) -> int:
        """The department that does it."""

    @property
    def state(self) -> str:
        """A RunState."""


def is_visit_over(visit: _AnsweredTime, runs: Iterable[_OpenedWork], now: datetime) -> bool:
    """Whether its window has ended, or the work of the department that comes is done.

    That is the work which the visit opened, completed within its window, or before it with no
    further stage of that department open. A stage that is sent back leaves the visit as it is.
    """
    start, end = visit.answer_at, visit.answer_until or visit.answer_at
    if start is None or end is None or end <= now:
        return True
    runs = list(runs)
    at_work = {run.department_id for run in runs if run.state == RunState.OPEN}
    return any(
        run.opened_at == visit.closed_at and run.completed_at is not None
        and (run.completed_at >= start or run.department_id not in at_work)
        for run in runs
    )  # fmt: skip


def match_windows(
    free: Sequence[TimeWindow], wish: TimeWindow, *, is_moment: bool
) -> list[TimeWindow]:
    """The free windows that a wish names: the one that has its moment, or those within it."""
    if is_moment:
        return [window for window in free if window.has(wish.start)][:1]
    return [window for window in free if wish.contains(window)]


def nearest_windows(
    free: Sequence[TimeWindow], wish: datetime | None, count: int
) -> list[TimeWindow]:
    """So many windows to offer, in order: those nearest to the wish, else the next ones.

    A wish beyond the last window is far from all of them: the next ones are offered.
    """
    if wish is None or not free or not free[0].start - _DAY <= wish <= free[-1].end:
        return list(free[:count])
    by_distance = sorted(free, key=lambda window: (abs(window.start - wish), window.start))
    return sorted(by_distance[:count])


def visit_reminder_at(window: TimeWindow, timezone: str, booked_at: datetime) -> datetime | None:
    """On the day before, at ``REMINDED_AT`` in the visit's zone; None for one booked since."""
    zone = ZoneInfo(timezone)
    day_before = window.start.astimezone(zone).date() - _DAY
    at = datetime.combine(day_before, REMINDED_AT, zone).astimezone(UTC)
    return at if at - booked_at >= MIN_BEFORE_REMINDER else None
