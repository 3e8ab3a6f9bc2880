"""Formats times in a reader's language and zone, relative to now.

"today, 2:05 pm", "Tuesday, 2:05 pm", "Thu 26 Nov"; in Spanish as it follows any verb or "desde",
"a más tardar": "hoy a las 14:05", "el martes a las 14:05", "el jue 26 nov". The names of days and
months and the phrases around them are in `time_idioms`.

A text is read again on a later day, so times in it are ``lasting``: always by date.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta, get_timezone_location
from babel.lists import format_list

from portal.business_time import OpeningHours
from portal.messaging.wording.time_idioms import (
    IDIOMS,
    CalendarNames,
    Idiom,
    calendar_names,
    supported_locale,
)

WEEKDAY_RANGE = timedelta(days=6)
"""Within this many days a weekday's name alone is clear; beyond, the date is given."""
DAYS_AS_WEEKS = 14
"""From this many days on, a duration is given in weeks."""


@dataclass(frozen=True)
class TimeFormatter:
    """Formats times for one reader at one moment. Times are aware, in any zone.

    ``is_lasting``: read on a later day they are still true: "Thu 26 Nov, 9 am", not "tomorrow".
    """

    locale: str
    timezone: str
    now: datetime
    is_lasting: bool = False

    def since(self, at: datetime) -> str:
        """A moment, near or far: "today, 2:05 pm", "Tuesday, 2:05 pm", "Thu 26 Nov, 2:05 pm"."""
        return self._at_time(self._near_day(at), at)

    def on(self, at: datetime) -> str:
        """The same as it follows a verb: "on Tuesday, 2:05 pm", "today, 2:05 pm"."""
        day = self._near_day(at)
        is_relative = abs(self._days_away(at)) <= 1 and not self.is_lasting
        return self._at_time(day if is_relative else self._idiom.on.format(day), at)

    def by(self, at: datetime) -> str:
        """A due time, after "by": "6 pm" today, "tomorrow, 9 am", "Tuesday, 2:05 pm"."""
        is_hour_enough = self._days_away(at) == 0 and not self.is_lasting
        return self._hour(at) if is_hour_enough else self.since(at)

    def date_of(self, at: datetime) -> str:
        """The date itself, however near: "Thu 26 Nov"."""
        return self._date(at)

    def due_date(self, at: datetime) -> str:
        """The date after "by", however near, for a text that is read later: "Thu 26 Nov"."""
        return self._idiom.day.format(self._date(at))

    def day(self, at: datetime) -> str:
        """A due day: "6 pm" when it is today, "tomorrow", "Thu 26 Nov"."""
        away = self._days_away(at)
        if away == 0:
            return self.by(at)
        is_tomorrow = away == 1 and not self.is_lasting
        return self._idiom.relative_days[2] if is_tomorrow else self._dated(at)

    def ticket(self, at: datetime) -> str:
        """A due day as a heading: "6 pm" when it is today, "Thu 26 Nov"."""
        return self.clock(at) if self._days_away(at) == 0 else self._date(at)

    def ahead(self, at: datetime) -> str:
        """How far off that day is: "today", "tomorrow", "in 2 days", "in 3 weeks"."""
        away = self._days_away(at)
        if abs(away) <= 1:
            return self._idiom.relative_days[away + 1]
        return self._local_digits(_away(self.locale, away))

    def is_tomorrow(self, at: datetime) -> bool:
        """Whether it is on the next day of this reader."""
        return self._days_away(at) == 1

    def stamp(self, at: datetime) -> str:
        """As short as can be, for a list: "2:05 pm" today, "Tue, 2:05 pm", "16 Nov"."""
        away = self._days_away(at)
        if self.is_lasting:
            return self._dated(at)
        if away == 0:
            return self.clock(at)
        if abs(away) <= WEEKDAY_RANGE.days:
            weekday = self._names.weekdays[self._local(at).weekday()]
            return f"{weekday}{self._idiom.in_list} {self.clock(at)}"
        return self._date(at, weekday=False)

    def clock(self, at: datetime) -> str:
        """The time of day: "2:05 pm", "6 pm", "noon"; "14:05" where people count to 24."""
        local = self._local(at)
        if named := self._named_hour(local):
            return self._local_digits(named)
        return self._clock(local.hour, local.minute)

    def opening_hours(self, hours: OpeningHours) -> str:
        """The hours of a week, on the clock of their place: "Mon-Fri 9 am-6 pm, Sat 10 am-4 pm"."""
        parts = []
        for intervals, group in groupby(range(7), key=lambda day: hours.week[day]):
            days = [self._names.weekdays[day] for day in group]
            spans = (
                f"{self._clock(start // 60 % 24, start % 60)}-{self._clock(end // 60 % 24, end % 60)}"
                for start, end in intervals
            )
            if intervals:
                named = days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}"
                parts.append(f"{named} {f'{self._idiom.in_list} '.join(spans)}")
        return f"{self._idiom.in_list} ".join(parts)

    def _clock(self, hour: int, minute: int) -> str:
        if not self._idiom.halves:
            return self._local_digits(f"{hour}:{minute:02}")
        half = self._names.halves[hour >= 12]
        text = f"{hour % 12 or 12}:{minute:02} {half}" if minute else f"{hour % 12 or 12} {half}"
        return self._local_digits(text)

    def about(self, duration: timedelta) -> str:
        """A long duration, rounded up: "9 days", "5 weeks"."""
        days = -(-duration // timedelta(days=1))
        text = (
            _in_weeks(self.locale, -(-days // 7))
            if days >= DAYS_AS_WEEKS
            else _in_days(self.locale, days)
        )
        return self._local_digits(text)

    def length(self, duration: timedelta) -> str:
        """A duration in one round unit: "40 minutes", "1 day"."""
        seconds = max(60, round(duration.total_seconds() / 60) * 60)
        return self._local_digits(_length(self.locale, seconds))

    def listing(self, names: tuple[str, ...]) -> str:
        """Names as a sentence lists them: "Fire Safety, Plans and Development"."""
        return format_list(names, locale=supported_locale(self.locale))

    @property
    def place(self) -> str:
        """Whose clock this is, as the reader calls it: "New York"."""
        return _place(self.locale, self.timezone)

    def next_midnight(self) -> datetime:
        """When "today" stops being true for this reader, in UTC."""
        tomorrow = self._today + timedelta(days=1)
        return datetime.combine(tomorrow, time.min, self._zone).astimezone(UTC)

    @property
    def direction(self) -> str:
        """Which way the reader's language runs: `ltr` or `rtl`."""
        return self._names.direction

    def _near_day(self, at: datetime) -> str:
        away = self._days_away(at)
        if self.is_lasting or abs(away) > WEEKDAY_RANGE.days:
            return self._dated(at)
        if abs(away) <= 1:
            return self._idiom.relative_days[away + 1]
        return self._idiom.day.format(self._names.full_weekdays[self._local(at).weekday()])

    def _dated(self, at: datetime) -> str:
        """The date as it stands in a sentence: "Thu 26 Nov", "el jue 26 nov"."""
        return self._idiom.day.format(self._date(at))

    def _named_hour(self, local: datetime) -> str:
        """The name of an hour that is mistaken as a number: "noon", not "12 pm"."""
        if local.minute or local.hour % 12 or (self.is_lasting and not self._idiom.halves):
            return ""
        return self._idiom.noon if local.hour else self._idiom.midnight

    def _at_time(self, day: str, at: datetime) -> str:
        return f"{day}{self._idiom.comma} {self._hour(at)}"

    def _hour(self, at: datetime) -> str:
        """The time of day as it follows a verb: "2:05 pm", "a las 14:05", "a la 1:05"."""
        singular, plural = self._idiom.hour
        return (singular if self._local(at).hour == 1 else plural).format(self.clock(at))

    def _local_digits(self, text: str) -> str:
        """The text with the digits of the reader's locale."""
        return text.translate(self._names.digit_map)

    def _date(self, at: datetime, *, weekday: bool = True) -> str:
        local, comma = self._local(at), "," if self._names.month_first else ""
        month = self._names.months[local.month - 1]
        text = f"{month} {local.day}" if self._names.month_first else f"{local.day} {month}"
        if local.year != self._today.year:
            return self._local_digits(f"{text}{comma} {local.year}")
        text = f"{self._names.weekdays[local.weekday()]}{comma} {text}" if weekday else text
        return self._local_digits(text)

    def _days_away(self, at: datetime) -> int:
        return (self._local(at).date() - self._today).days

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def _today(self) -> date:
        return self._local(self.now).date()

    @property
    def _names(self) -> CalendarNames:
        return calendar_names(self.locale)

    @property
    def _idiom(self) -> Idiom:
        return IDIOMS[supported_locale(self.locale).language]


@lru_cache(2048)
def _length(locale: str, seconds: int) -> str:
    return format_timedelta(
        timedelta(seconds=seconds), threshold=1, locale=supported_locale(locale)
    )


@lru_cache(512)
def _in_days(locale: str, days: int) -> str:
    return format_timedelta(
        timedelta(days=days), "day", threshold=math.inf, locale=supported_locale(locale)
    )


@lru_cache(512)
def _in_weeks(locale: str, weeks: int) -> str:
    return format_timedelta(
        timedelta(weeks=weeks), "week", threshold=math.inf, locale=supported_locale(locale)
    )


@lru_cache(2048)
def _away(locale: str, days: int) -> str:
    """In days, then in weeks: "in 1 week" would be read as 7 days, and "in 2 months" as 60."""
    is_near = abs(days) < DAYS_AS_WEEKS
    away = timedelta(days=days) if is_near else timedelta(weeks=round(days / 7))
    return format_timedelta(
        away, "day" if is_near else "week", threshold=math.inf, add_direction=True,
        locale=supported_locale(locale),
    )  # fmt: skip


@lru_cache(512)
def _place(locale: str, timezone: str) -> str:
    return get_timezone_location(timezone, locale=supported_locale(locale), return_city=True)
