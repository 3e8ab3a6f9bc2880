"""When a call can be that a customer asks for: within the department's hours, as they named it."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from portal.business_time import BusinessCalendar, TimeWindow

MIN_CALL_WINDOW = timedelta(minutes=10)
"""A shorter rest of a window leaves no time for a call."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CallTime:
    """A call within a window: not before ``not_before_at``, due at its end.

    ``window`` is how the customer named it. A moment begins when it is due.
    """

    due_at: datetime
    not_before_at: datetime
    window: str


@dataclass(frozen=True, slots=True)
class CallRefusal:
    """Why no call can be then: the department ``closes`` or ``opens`` at ``at``, or is closed.

    ``day`` is a moment of a day on which a call can be.
    """

    why: Literal["closes", "opens", "closed"]
    at: datetime
    day: datetime


def fit_call(
    calendar: BusinessCalendar,
    wish: TimeWindow,
    kind: str,
    now: datetime,
    *,
    has_day: bool = True,
) -> CallTime | CallRefusal:
    """When the call is, or why it cannot be then.

    ``kind`` is how the window was named, "moment" for one time of day. Without ``has_day`` the next
    day fits as well.
    """
    if kind == "moment":
        if not calendar.is_open(wish.start):
            return _refusal(calendar, wish, now)
        return CallTime(wish.start, wish.start, kind)
    windows = [wish] if has_day else [wish, TimeWindow(wish.start + _DAY, wish.end + _DAY)]
    for window in windows:
        part = _open_part(calendar, TimeWindow(max(window.start, now), window.end))
        if part is not None:
            return CallTime(part.end, part.start, kind)
    return _refusal(calendar, wish, now)


def _open_part(calendar: BusinessCalendar, window: TimeWindow) -> TimeWindow | None:
    """The first part of the window in which the department is open."""
    if calendar.is_always_open:
        return window
    for period in calendar.open_windows(window.start):
        if period.start >= window.end:
            break
        part = period.intersect(window)
        if part is not None and part.end - part.start >= MIN_CALL_WINDOW:
            return part
    return None


def _refusal(calendar: BusinessCalendar, wish: TimeWindow, now: datetime) -> CallRefusal:
    day = wish.start.astimezone(calendar.zone).date()
    midnight = datetime.combine(day, time(0), calendar.zone)
    periods: list[TimeWindow] = []
    following = now
    for period in calendar.open_windows(max(midnight, now)):
        if period.start.astimezone(calendar.zone).date() > day:
            following = period.start
            break
        periods.append(period)
    if not periods:
        return CallRefusal("closed", wish.start, following)
    if wish.start < periods[0].start:
        return CallRefusal("opens", periods[0].start, periods[0].start)
    later = next((period for period in periods if period.start > wish.start), None)
    if later is not None:
        return CallRefusal("opens", later.start, later.start)
    closes = periods[-1].end
    return CallRefusal("closes", closes, periods[-1].start if closes > now else following)
