"""The opening hours of a department in a week."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

_DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAY_NAMES: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_MINUTES_A_DAY: Final = 24 * 60
_LAST_MINUTE: Final = _MINUTES_A_DAY - 1

MinuteInterval = tuple[int, int]
"""Minutes since midnight of the day on which it begins, from and until; past 1440 is tomorrow."""


@dataclass(frozen=True)
class OpeningHours:
    """When a department is open, in local time: a tuple of spans for each day from Monday.

    A span that runs past midnight belongs to the day on which it begins.
    """

    week: tuple[tuple[MinuteInterval, ...], ...]
    text: str = field(compare=False)

    @classmethod
    def parse(cls, text: str | None) -> OpeningHours:
        """Read "Mon-Fri 09:00-12:00, 13:00-17:30; Sat 10:00-14:00", or "always" (as None is).

        A part without days is for the days of the part before it; 22:00-06:00 runs overnight, and
        23:59 is the end of the day, as in 00:00-23:59.
        Raises ValueError with a sentence for anything else.
        """
        if text is None or text.strip().lower() == "always":
            return cls(week=(((0, _MINUTES_A_DAY),),) * 7, text="always")
        week: list[list[MinuteInterval]] = [[] for _ in range(7)]
        days: list[int] = []
        days_without_hours: list[
            int
        ] = []  # days named so far whose hours are still to come: "Mon, Wed 9-5"
        for part in re.split(r"[,;]", text):
            tokens = part.split(maxsplit=1)
            if tokens and not tokens[0][0].isdigit():
                days_without_hours += _days(tokens.pop(0))
            if tokens:
                days, days_without_hours = days_without_hours or days, []
                interval = _parse_interval(tokens[0])
                if not days:
                    raise ValueError(f'"{part.strip()}" has no day before it, such as Mon-Fri.')
                for day in days:
                    week[day].append(interval)
        if days_without_hours or not days:
            raise ValueError(f'"{text}" names no hours. Write them like Mon-Fri 09:00-17:30.')
        _refuse_overlaps(text, week)
        return cls(week=tuple(tuple(sorted(intervals)) for intervals in week), text=text.strip())

    def __str__(self) -> str:
        return self.text

    @cached_property
    def is_always_open(self) -> bool:
        """Whether there is no hour of the week in which the department is closed."""
        return sum(until - start for intervals in self.week for start, until in intervals) == (
            7 * _MINUTES_A_DAY
        )


def _days(text: str) -> list[int]:
    names = text.lower().split("-")
    days = [_day(name, text) for name in names]
    if len(days) == 1:
        return days
    if len(days) != 2:
        raise ValueError(f'"{text}" is not a range of days. Write it like Mon-Fri.')
    first, last = days
    return [day % 7 for day in range(first, last + (7 if last < first else 0) + 1)]


def _day(name: str, text: str) -> int:
    for names in (_DAY_NAMES, _FULL_DAY_NAMES):
        if name in names:
            return names.index(name)
    raise ValueError(f'"{text}" is not a day. Days are Mon, Tue, Wed, Thu, Fri, Sat and Sun.')


def _parse_interval(text: str) -> MinuteInterval:
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})", text.strip())
    if not match:
        raise ValueError(f'"{text.strip()}" is not a range of hours. Write it like 09:00-17:30.')
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    start, until = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if max(from_minute, to_minute) > 59 or start >= _MINUTES_A_DAY or until > _MINUTES_A_DAY:
        raise ValueError(f'"{text.strip()}" has a time that no clock shows.')
    if until == _LAST_MINUTE:
        until = _MINUTES_A_DAY
    if start == until:
        raise ValueError(f'"{text.strip()}" is no time at all. For a whole day write 00:00-24:00.')
    return start, until if until > start else until + _MINUTES_A_DAY


def _refuse_overlaps(text: str, week: list[list[MinuteInterval]]) -> None:
    intervals = sorted(
        (day * _MINUTES_A_DAY + start, day * _MINUTES_A_DAY + until)
        for day, intervals in enumerate(week)
        for start, until in intervals
    )
    cyclic = [
        *intervals,
        (intervals[0][0] + 7 * _MINUTES_A_DAY, 0),
    ]  # Sunday night runs into Monday
    if any(later[0] < earlier[1] for earlier, later in pairwise(cyclic)):
        raise ValueError(f'"{text}" has hours that overlap.')
