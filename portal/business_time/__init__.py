"""Business time: how long a department has, counted in its business hours.

Pure: nothing here waits, stores or sends. Every moment in and out is an aware UTC datetime;
local time exists only inside a calendar, because opening hours are local times.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from portal.business_time.calendar import (
    ALWAYS_OPEN,
    BusinessCalendar,
    business_calendar,
    check_holidays,
    find_zone,
    holiday_regions,
    zone_names,
    zone_or_utc,
)
from portal.business_time.duration import Duration
from portal.business_time.opening_hours import OpeningHours
from portal.business_time.time_window import TimeWindow

__all__ = [
    "ALWAYS_OPEN",
    "BusinessCalendar",
    "Duration",
    "OpeningHours",
    "TimeWindow",
    "business_calendar",
    "check_holidays",
    "find_zone",
    "holiday_regions",
    "now",
    "override_now",
    "zone_names",
    "zone_or_utc",
]


def now() -> datetime:
    """The present moment, aware UTC. The only place where the product reads the time."""
    return _clock()


@contextmanager
def override_now(clock: Callable[[], datetime]) -> Iterator[None]:
    """Use another clock (aware UTC) in this process while the block runs, for a simulation."""
    global _clock  # noqa: PLW0603 (one clock for each process)
    previous, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = previous


def _system_clock() -> datetime:
    return datetime.now(UTC)


_clock: Callable[[], datetime] = _system_clock
