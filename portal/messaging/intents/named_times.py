"""Reading the time that a customer names: a moment, a window, a part of a day, or a day. Pure.

"Tuesday between 2 and 4", "after 5", "not before noon", "tomorrow morning", "on Friday". English
and Spanish. What could mean two times is none, and so is a window beside any word that is not
known: "Friday I am busy between 9 and 12" names when not to come.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from portal.business_time import TimeWindow
from portal.messaging.intents.appointment_times import (
    MAX_AHEAD,
    AppointmentTimeParser,
    normalize_text,
)
from portal.messaging.intents.hours import parse_hour
from portal.messaging.intents.time_words import are_known, excludes_time
from portal.messaging.intents.tokens import MAX_READ_LENGTH


class WindowKind(StrEnum):
    """How a time was named; it is worded the same way."""

    MOMENT = "moment"
    BETWEEN = "between"
    AFTER = "after"
    BEFORE = "before"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class NamedTime:
    """A window to come, in UTC. A moment is one that begins then and lasts a minute.

    ``has_day``: a day was named; else it is the next one on which the window is still to come.
    """

    window: TimeWindow
    kind: WindowKind
    has_day: bool = True

    @property
    def is_moment(self) -> bool:
        """Whether one time of day was named."""
        return self.kind == WindowKind.MOMENT


_HOUR = (
    r"(?:(?:half|quarter) past \d{1,2}|quarter to \d{1,2}|\d{1,2}(?::\d{2})?(?: ?[ap]m)?(?: y media)?"
    r"|noon|midday|mediodia|lunch(?:time)?|work|almuerzo|comer)"
)
_THE = r"(?:a |a la |a las |la |las |el |al |my |your |about |around |at )?"
BETWEEN = re.compile(
    rf"\b(?:between|from|entre|de|desde)? ?{_THE}(?P<a>{_HOUR})"
    rf" ?(?:and|to|until|till|y|a|hasta|-) ?{_THE}(?P<b>{_HOUR})\b"
)
RANGE = re.compile(r"\b(?P<a>\d{1,2}(?::\d{2})?) ?- ?(?P<b>\d{1,2}(?::\d{2})?(?: ?[ap]m)?)\b")
AFTER = re.compile(
    rf"\b(?:any ?time )?(?<!not )(?<!no )(?:not before|not until|no earlier than|after|from|past|no antes de|despues de(?:l)?"
    rf"|a partir de|desde) {_THE}(?P<a>{_HOUR})(?: on(?:wards)?\b)?"
)
BEFORE = re.compile(
    rf"\b(?:any ?time )?(?<!not )(?<!no )(?:not after|no later than|before|until|till|by|no despues de|antes de(?:l)?|hasta)"
    rf" {_THE}(?P<a>{_HOUR})\b"
)
PARTS = {
    WindowKind.MORNING: re.compile(r"\b(?:morning|(?:por|en|de) la manana)\b"),
    WindowKind.AFTERNOON: re.compile(r"\b(?:afternoon|(?:por|en|de) la tarde)\b"),
    WindowKind.EVENING: re.compile(r"\b(?:evening|tonight|(?:por|en|de) la noche|esta noche)\b"),
}
PART_HOURS = {
    WindowKind.MORNING: (time(0), time(12)),
    WindowKind.AFTERNOON: (time(12), time(18)),
    WindowKind.EVENING: (time(17), time(22)),
}
NAMED_HOURS = {
    "lunch": time(13), "lunchtime": time(13), "almuerzo": time(14), "comer": time(15),
    "work": time(17), "noon": time(12), "midday": time(12), "mediodia": time(12),
}  # fmt: skip
UNCLEAR = re.compile(
    r"\b(?:or|o|except|instead of|rather than|any day|whenever|cant|cannot|dont|not(?! (?:before|after|until))|weekdays?|weekends?|about|around"
    r"|roughly|approx\w*|sobre|hacia|eso de|y pico|midnight|medianoche|madrugada"
    r"|utc|gmt|bst|cest|[ecmp][sd]?t|(?:your|eastern|central|mountain|pacific|\w+ standard) time)\b"
)
"""What makes of a time a choice, none, or one of another zone."""
_POLITE = r"(?:please|thanks|thank you|ok|okay|works|is (?:good|fine)|por favor|gracias|من فضلك)"
CHOICE = re.compile(
    rf"(?:{_POLITE} )?(?:(?:the|la|el|option|number|no|opcion|numero|رقم) ){{0,3}}(\d)(?:st|nd|rd|th)?(?: one)?(?: {_POLITE}){{0,3}}"
)
"""One of the times that were offered, by its number: "2", "Number 3 please"."""


def read_choice(text: str) -> int:
    """The number by which a text chooses one of the times that were offered; 0 where it does not."""
    said = CHOICE.fullmatch(normalize_text(text)) if len(text) <= MAX_READ_LENGTH else None
    return int(said[1]) if said else 0


@dataclass(frozen=True, slots=True)
class NamedTimeParser:
    """Whoever names the time: their zone and habits, and the moment at which they do.

    ``takes_next_week``: today's weekday is that of next week, as a visit is for another day.
    """

    timezone: str
    locale: str
    now: datetime
    takes_next_week: bool = False

    def read(
        self,
        text: str,
        *,
        day_needed: bool = True,
        also: AbstractSet[str] = frozenset(),
        is_alone: bool = False,
    ) -> NamedTime | None:
        """The one time that is named, to come and within a year; None where it is not plain.

        Without ``day_needed`` a time of day alone is the next one. ``also``: words that may stand
        beside the time. A moment may stand beside other words too, unless ``is_alone``. A text of
        more than ``MAX_READ_LENGTH`` letters names none.
        """
        if len(text) > MAX_READ_LENGTH or excludes_time(text):
            return None
        parser = AppointmentTimeParser(self.timezone, self.locale, self.now, self.takes_next_week)
        moment = parser.read(text, day_needed=day_needed)
        words = normalize_text(text)
        days, rest = parser.parse_days(words)
        if moment is not None:
            if is_alone and not are_known(rest.split(), also):
                return None
            start = moment.astimezone(UTC)
            window = TimeWindow(start, start + timedelta(minutes=1))
            return NamedTime(window, WindowKind.MOMENT, bool(days))
        is_unclear = None in days or len(days) > 1 or (day_needed and not days)
        if is_unclear or UNCLEAR.search(words):
            return None
        day = next(iter(days), None)
        named = _hours(rest, also, has_day=day is not None)
        if named is None or (named[0] == WindowKind.DAY and day is None):
            return None
        return self._window(day, *named)

    def at(self, start: datetime) -> NamedTime:
        """That moment, as if it had been named."""
        return NamedTime(TimeWindow(start, start + timedelta(minutes=1)), WindowKind.MOMENT)

    def _window(
        self, day: date | None, kind: WindowKind, start: time, end: time | None
    ) -> NamedTime | None:
        zone = ZoneInfo(self.timezone)
        today = self.now.astimezone(zone).date()
        for candidate in [day] if day else [today, today + timedelta(days=1)]:
            window = TimeWindow(
                datetime.combine(candidate, start, zone).astimezone(UTC),
                _end(candidate, end, zone),
            )
            if window.end > self.now and window.start <= self.now + MAX_AHEAD:
                if window.start >= window.end:
                    return None
                return NamedTime(window, kind, has_day=day is not None)
        return None


def _end(day: date, end: time | None, zone: ZoneInfo) -> datetime:
    """That time of the day; without one, when the day ends."""
    if end is None:
        return datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)
    return datetime.combine(day, end, zone).astimezone(UTC)


def _hours(
    words: str, also: AbstractSet[str], *, has_day: bool
) -> tuple[WindowKind, time, time | None] | None:
    """The kind and the hours that the words name, which have no day; None where not plain."""
    for rule, kind in (
        (BETWEEN, WindowKind.BETWEEN), (RANGE, WindowKind.BETWEEN), (AFTER, WindowKind.AFTER),
        (BEFORE, WindowKind.BEFORE),
    ):  # fmt: skip
        said = _only(rule, words)
        if said is None:
            continue
        beside = f"{words[: said.start()]} {words[said.end() :]}"
        if re.search(r"\d", beside) or not are_known(beside.split(), also):
            return None
        return _window_hours(kind, said, words)
    return _hour_or_part(words, has_day=has_day) if are_known(words.split(), also) else None


def _hour_or_part(words: str, *, has_day: bool) -> tuple[WindowKind, time, time | None] | None:
    """One hour, a part of the day, or where neither is named the whole day."""
    if (at := parse_hour(words, named_day=has_day)) is not None:
        return WindowKind.MOMENT, at, _minute_after(at)
    parts = [kind for kind, rule in PARTS.items() if rule.search(words)]
    if re.search(r"\d", words) or len(parts) > 1:
        return None
    if parts:
        return (parts[0], *PART_HOURS[parts[0]])
    return WindowKind.DAY, time(0), None


def _minute_after(at: time) -> time:
    return time(at.hour, at.minute, 59, 999_999)


def _only(rule: re.Pattern[str], words: str) -> re.Match[str] | None:
    found = list(rule.finditer(words))
    return found[0] if len(found) == 1 else None


def _window_hours(
    kind: WindowKind, said: re.Match[str], words: str
) -> tuple[WindowKind, time, time | None] | None:
    part = _part_words(words)
    if kind != WindowKind.BETWEEN:
        at = _hour(f"{said['a']}{part}")
        if at is None:
            return None
        return (kind, at, None) if kind == WindowKind.AFTER else (kind, time(0), at)
    first, last = said["a"], said["b"]
    half = re.search(r"[ap]m$", last)
    end = _hour(f"{last}{part}")
    # "Between 2 and 4 pm": the half of the day is of both, where that is in order.
    starts = [_hour(f"{first}{part}")]
    if half and not re.search(r"[ap]m$", first) and first not in NAMED_HOURS:
        starts.insert(0, _hour(f"{first} {half[0]}"))
    if end is None:
        return None
    for start in starts:
        if start is not None and start < end:
            return kind, start, end
    return None


def _part_words(words: str) -> str:
    """The part of the day that says which half an hour is of."""
    if PARTS[WindowKind.MORNING].search(words):
        return " morning"
    is_late = any(PARTS[kind].search(words) for kind in (WindowKind.AFTERNOON, WindowKind.EVENING))
    return " afternoon" if is_late else ""


def _hour(text: str) -> time | None:
    named = NAMED_HOURS.get(text.removesuffix(" afternoon").removesuffix(" morning"))
    if named is not None:
        return named
    # A number alone is an hour only after "at".
    said = (
        f"at {text}"
        if re.match(r"\d{1,2}(?: |$)", text) and not re.search(r"[ap]m", text)
        else text
    )
    return parse_hour(said, named_day=True)
