"""How a customer reads times: in their own language and zone, from where they stand now.

"today, 2:05 pm", "Tuesday, 2:05 pm", "Thu 26 Nov". The names of days and months come from the
Unicode CLDR through Babel; which of them to use, and in which order, is ours.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_timedelta
from babel.lists import format_list

NEAR = timedelta(days=6)
"""Within this many days a weekday's name alone is clear; beyond, the date is said."""


@dataclass(frozen=True)
class Words:
    """The words for one reader at one moment. Times go in aware, in any zone."""

    locale: str
    timezone: str
    now: datetime

    def since(self, at: datetime) -> str:
        """A moment, near or far: "today, 2:05 pm", "Tuesday, 2:05 pm", "Thu 26 Nov, 2:05 pm"."""
        return f"{self._near_day(at)}{self._idiom.comma} {self.clock(at)}"

    def on(self, at: datetime) -> str:
        """The same as it follows a verb: "on Tuesday, 2:05 pm", "today, 2:05 pm"."""
        day = self._near_day(at)
        named = day in self._idiom.around
        return f"{day if named else self._idiom.on.format(day)}{self._idiom.comma} {self.clock(at)}"

    def by(self, at: datetime) -> str:
        """A time to be kept, after "by": "6 pm" today, "tomorrow, 9 am", "Tuesday, 2:05 pm"."""
        return self.clock(at) if self._days_away(at) == 0 else self.since(at)

    def date_of(self, at: datetime) -> str:
        """The date itself, however near: "Thu 26 Nov"."""
        return self._date(at)

    def day(self, at: datetime) -> str:
        """A day to be kept: "6 pm" when it is today, "tomorrow", "Thu 26 Nov"."""
        away = self._days_away(at)
        if away == 0:
            return self.clock(at)
        return self._idiom.around[2] if away == 1 else self._date(at)

    def stamp(self, at: datetime) -> str:
        """As short as can be, for a list: "2:05 pm" today, "Tue, 2:05 pm", "16 Nov"."""
        away = self._days_away(at)
        if away == 0:
            return self.clock(at)
        if abs(away) <= NEAR.days:
            weekday = self._names.weekdays[self._local(at).weekday()]
            return f"{weekday}{self._idiom.comma} {self.clock(at)}"
        return self._date(at, weekday=False)

    def clock(self, at: datetime) -> str:
        """The time of day: "2:05 pm", "6 pm"; "14:05" where people count to 24."""
        local = self._local(at)
        if not self._idiom.halves:
            return f"{local.hour}:{local.minute:02}"
        half = self._names.halves[local.hour >= 12]
        hour = local.hour % 12 or 12
        return f"{hour}:{local.minute:02} {half}" if local.minute else f"{hour} {half}"

    def length(self, took: timedelta) -> str:
        """How long something took, in one round unit: "40 minutes", "1 day"."""
        return _length(self.locale, max(60, round(took.total_seconds() / 60) * 60))

    def listing(self, names: tuple[str, ...]) -> str:
        """Names as a sentence lists them: "Fire Safety, Plans and Development"."""
        return format_list(names, locale=_spoken(self.locale))

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
        if abs(away) <= 1:
            return self._idiom.around[away + 1]
        if abs(away) <= NEAR.days:
            return self._names.full_weekdays[self._local(at).weekday()]
        return self._date(at)

    def _date(self, at: datetime, *, weekday: bool = True) -> str:
        local = self._local(at)
        said = f"{local.day} {self._names.months[local.month - 1]}"
        if local.year != self._today.year:
            return f"{said} {local.year}"
        return f"{self._names.weekdays[local.weekday()]} {said}" if weekday else said

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
    def _names(self) -> "Names":
        return _names(self.locale)

    @property
    def _idiom(self) -> "Idiom":
        return IDIOMS.get(self.locale.partition("-")[0].partition("_")[0], IDIOMS["en"])


@dataclass(frozen=True, slots=True)
class Idiom:
    """A language's turns of phrase, which CLDR does not give."""

    around: tuple[str, str, str]  # yesterday, today, tomorrow
    on: str
    comma: str = ","
    halves: bool = True


IDIOMS = {
    "en": Idiom(("yesterday", "today", "tomorrow"), "on {}"),
    "es": Idiom(("ayer", "hoy", "mañana"), "el {}", halves=False),
    "ar": Idiom(("أمس", "اليوم", "غدًا"), "{}", comma="،"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """A language's names, Monday and January first."""

    full_weekdays: tuple[str, ...]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    halves: tuple[str, str]
    direction: str


@cache
def _spoken(locale: str) -> Locale:
    """The language of "es-MX" or "es_MX": as spoken there, else "es", else English."""
    wanted = locale.replace("-", "_")
    for name in (wanted, wanted.partition("_")[0]):
        with suppress(ValueError, UnknownLocaleError):
            return Locale.parse(name)
    return Locale("en")


@cache
def _names(locale: str) -> Names:
    spoken = _spoken(locale)
    days, months = spoken.days["format"], spoken.months["format"]["abbreviated"]
    halves = spoken.day_periods["format"]["abbreviated"]
    return Names(
        full_weekdays=tuple(days["wide"][n] for n in range(7)),
        weekdays=tuple(days["abbreviated"][n] for n in range(7)),
        months=tuple(months[n] for n in range(1, 13)),
        halves=(halves["am"].lower(), halves["pm"].lower()),
        direction=spoken.text_direction,
    )


@lru_cache(2048)
def _length(locale: str, seconds: int) -> str:
    return format_timedelta(timedelta(seconds=seconds), threshold=1, locale=_spoken(locale))
