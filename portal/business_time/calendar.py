"""When a department is open: its hours in its time zone, without its holidays."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from holidays import country_holidays, list_supported_countries

from portal.business_time.duration import Duration
from portal.business_time.opening_hours import OpeningHours
from portal.business_time.time_window import TimeWindow

_ZERO: Final = timedelta(0)
_ONE_DAY: Final = timedelta(days=1)


class OpenPeriod(NamedTuple):
    """One uninterrupted open period, in UTC, and the local day that it belongs to."""

    day: date
    start: datetime
    until: datetime


@dataclass(frozen=True)
class BusinessCalendar:
    """When a department is open: its hours, in its time zone, without its holidays.

    A period that begins on a business day lasts to its end, even into a holiday. Where clocks go
    forward, the skipped hour does not count; where they go back, an opening or closing time is its
    first occurrence, so an hour that occurs twice counts twice. Periods never overlap.
    """

    hours: OpeningHours
    zone: ZoneInfo
    holidays: str | None = None
    _periods: dict[date, tuple[OpenPeriod, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def is_always_open(self) -> bool:
        """Open at every moment of the year."""
        return self.holidays is None and self.hours.is_always_open

    def calendar_for(self, duration: Duration) -> BusinessCalendar:
        """The calendar that counts this duration: this one, or one that never closes."""
        return self if duration.in_opening_hours else ALWAYS_OPEN

    def add(self, start: datetime, duration: Duration) -> datetime:
        """The moment at which a duration begun at `start` has passed.

        `1bd` ends at the same local time on the next business day, `2bd` on the one after. A duration
        that begins outside the hours counts from the next opening. If the last day is shorter, its
        first opening or last closing is used. For a calendar that never closes every day is one.
        """
        if duration.unit == "bd":
            return self._add_working_days(_utc(start), duration.amount)
        if duration.unit == "bh":
            return self.add_open_time(start, duration.length)
        return _utc(start) + duration.length

    def add_open_time(self, start: datetime, open_duration: timedelta) -> datetime:
        """The first moment at which `elapsed(start, moment)` is exactly `open_duration`.

        Resumes a pause with the time that remained. Raises ValueError below zero.
        """
        start, remaining = _utc(start), open_duration
        if remaining < _ZERO:
            raise ValueError("time cannot be added backwards")
        if self.is_always_open or not remaining:
            return start + remaining
        for period in self._periods_from(start):
            begins = max(start, period.start)
            if remaining <= period.until - begins:
                return begins + remaining
            remaining -= period.until - begins
        raise AssertionError  # the periods do not end

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """How much of the time between two moments was open; zero where `end` is not later."""
        start, end = _utc(start), _utc(end)
        if end <= start:
            return _ZERO
        if self.is_always_open:
            return end - start
        passed = _ZERO
        for period in self._periods_from(start):
            if period.start >= end:
                break
            passed += min(end, period.until) - max(start, period.start)
        return passed

    def is_open(self, at: datetime) -> bool:
        """Whether the department is open at this moment; at its closing time it is closed."""
        return self.next_open(at) == at

    def next_open(self, at: datetime) -> datetime:
        """The first moment from `at` on, itself included, at which the department is open."""
        at = _utc(at)
        return at if self.is_always_open else max(at, next(self._periods_from(at)).start)

    def on_open_day(self, at: datetime) -> datetime:
        """That moment; on a local day without hours, the same time on the next day that has them.

        On that day it is no earlier than the first opening and no later than the last closing.
        """
        at = _utc(at)
        day = at.astimezone(self.zone).date()
        if self.is_always_open or self._periods_on(day) or self.is_open(at):
            return at
        periods = next(self._working_days_from(day))
        time_of_day = at.astimezone(self.zone).replace(tzinfo=None) - _midnight(day)
        same_time = self._instant(_midnight(periods[0].day) + time_of_day)
        return min(max(same_time, periods[0].start), periods[-1].until)

    def add_to_open_day(self, start: datetime, duration: Duration) -> datetime:
        """As `add`; a duration in plain days (`5d`) ends on a day on which the department is open."""
        end = self.add(start, duration)
        return self.on_open_day(end) if duration.unit == "d" else end

    def open_windows(self, start: datetime) -> Iterator[TimeWindow]:
        """The open periods that end after this moment, in order and without end, each whole.

        Raises ValueError for a calendar that never closes.
        """
        if self.is_always_open:
            raise ValueError("a calendar that never closes has no periods")
        for period in self._periods_from(_utc(start)):
            yield TimeWindow(period.start, period.until)

    def _add_working_days(self, start: datetime, days: int) -> datetime:
        if days == 0:
            return start
        first_period = next(self._periods_from(start))
        begins = max(start, first_period.start)
        time_of_day = begins.astimezone(self.zone).replace(tzinfo=None) - _midnight(
            first_period.day
        )
        working_days = self._working_days_from(first_period.day + _ONE_DAY)
        for _ in range(days - 1):
            next(working_days)
        periods = next(working_days)
        same_time = self._instant(_midnight(periods[0].day) + time_of_day)
        return min(max(same_time, periods[0].start), periods[-1].until)

    def _periods_from(self, at: datetime) -> Iterator[OpenPeriod]:
        # Yesterday's period may last past midnight.
        yesterday = at.astimezone(self.zone).date() - _ONE_DAY
        for periods in self._working_days_from(yesterday):
            for period in periods:
                if period.until > at:
                    yield period

    def _working_days_from(self, day: date) -> Iterator[tuple[OpenPeriod, ...]]:
        last_open = day
        while day - last_open < timedelta(days=400):
            if periods := self._periods_on(day):
                last_open = day
                yield periods
            day += _ONE_DAY
        raise ValueError(f"no working day in a year: {self.hours}, holidays {self.holidays}")

    def _periods_on(self, day: date) -> tuple[OpenPeriod, ...]:
        if day not in self._periods:
            if len(self._periods) > 4000:  # about ten years: limits the memory
                self._periods.clear()
            self._periods[day] = tuple(self._compute_periods(day))
        return self._periods[day]

    def _compute_periods(self, day: date) -> Iterator[OpenPeriod]:
        if self.holidays and day in _public_holidays(self.holidays, day.year):
            return
        for from_minute, to_minute in self.hours.week[day.weekday()]:
            start = self._instant(_midnight(day) + timedelta(minutes=from_minute))
            until = self._instant(_midnight(day) + timedelta(minutes=to_minute))
            if start < until:
                yield OpenPeriod(day, start, until)

    def _instant(self, local: datetime) -> datetime:
        """The first moment at which the local time is `local` or has skipped it."""
        moment = local.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        if self._local_time(moment) == local:
            return moment
        earliest = local.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        seconds = range(int((moment - earliest).total_seconds()) + 1)
        seconds_skipped = bisect_right(
            seconds,
            local,
            key=lambda second: self._local_time(earliest + timedelta(seconds=second)),
        )
        return earliest + timedelta(seconds=seconds_skipped)

    def _local_time(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)


@lru_cache(maxsize=1024)
def business_calendar(
    hours: str | None = None, timezone: str = "UTC", holidays: str | None = None
) -> BusinessCalendar:
    """The calendar for hours ("Mon-Fri 09:00-17:30"), an IANA time zone and a region ("US-CA").

    Created once per process and shared. Raises ValueError with a sentence for invalid input.
    """
    if holidays is not None:
        check_holidays(holidays)
    return BusinessCalendar(OpeningHours.parse(hours), find_zone(timezone), holidays)


def find_zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises ValueError with a sentence for an unknown one."""
    if name not in zone_names():
        raise ValueError(f'"{name}" is not a time zone. They are named like Europe/London.')
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The names of all IANA time zones, from the package tzdata (see ``portal``)."""
    return frozenset(available_timezones())


def zone_or_utc(name: str) -> str:
    """The time zone of that name, for what is only shown; UTC where it is unknown."""
    return name if name in zone_names() else "UTC"


def check_holidays(place: str) -> None:
    """Raises ValueError with a sentence where no public holidays are known for "US" or "US-CA"."""
    country, dash, region = place.partition("-")
    regions = holiday_regions().get(country)
    if regions is None:
        raise ValueError(
            f'"{place}" is no country whose holidays are known. '
            'Write two letters, like "US", and perhaps a region, like "US-CA".'
        )
    if dash and region not in regions:
        known = f"Known are {', '.join(regions)}." if regions else f'Write "{country}".'
        raise ValueError(f'"{place}" is not a known region of {country}. {known}')


@lru_cache(maxsize=1)
def holiday_regions() -> dict[str, list[str]]:
    """Two-letter country codes whose public holidays are known, and the regions of each."""
    return {
        country: regions
        for country, regions in list_supported_countries(include_aliases=False).items()
        if len(country) == 2  # ISO 3166 alpha-2; the three-letter codes repeat them
    }


@lru_cache(maxsize=1024)
def _public_holidays(place: str, year: int) -> frozenset[date]:
    country, _, region = place.partition("-")
    return frozenset(country_holidays(country, subdiv=region or None, years=year))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - on the wall


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be placed")
    return moment.astimezone(UTC)


ALWAYS_OPEN: Final = business_calendar()
"""Around the clock, without holidays."""
