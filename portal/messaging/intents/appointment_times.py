"""Reading the time that somebody names: "tomorrow at 10", "Tuesday 2pm", "el martes a las 3".

A small table of our own for English and Spanish. What could mean two times is none: it is said
back to a customer as agreed, so a person asks rather than that we guess.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.messaging.intents.tokens import MAX_READ_LENGTH

MAX_AHEAD = timedelta(days=365)

WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon lunes",
            "tuesday tues tue martes",
            "wednesday weds wed miercoles",
            "thursday thurs thur thu jueves",
            "friday fri viernes",
            "saturday sat sabado",
            "sunday sun domingo",
        )
    )
    for name in names.split()
}
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan enero",
            "february feb febrero",
            "march mar marzo",
            "april apr abril",
            "may mayo",
            "june jun junio",
            "july jul julio",
            "august aug agosto",
            "september sept sep septiembre setiembre",
            "october oct octubre",
            "november nov noviembre",
            "december dec diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
MONTH_FIRST = frozenset({"en-us", "en-ph"})
DAY_FIRST = frozenset(
    f"en-{land}" for land in ("gb", "ie", "au", "nz", "in", "za", "sg")
) | frozenset(
    f"es-{land}" for land in ("es", "mx", "ar", "co", "cl", "pe", "ve", "ec", "gt", "cu", "do")
)
"""How "12/3" is written there; elsewhere it may be either, and so is neither."""

NAMED_DAY = re.compile(rf"\b(next|proximo|siguiente)?\s*\b({'|'.join(WEEKDAYS)})\b")
RELATIVE_DAYS = {
    re.compile(r"\b(?:the )?day after tomorrow\b|\bpasado manana\b"): 2,
    re.compile(r"\b(?:tomorrow|tomorow|tmrw|tmrow|tmr|2mrw|2moro)\b"): 1,
    re.compile(r"(?<!la )(?<!de )\bmanana\b"): 1,
    re.compile(r"\b(?:today|tonight|hoy|esta noche|esta tarde)\b"): 0,
}
MONTH_DAY = re.compile(rf"\b({'|'.join(MONTHS)})\.? (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)")
DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)? (?:of |de )?({'|'.join(MONTHS)})\b")
DAY_OF_MONTH = re.compile(r"\b(?:the (\d{1,2})(?:st|nd|rd|th)|el (?:dia )?(\d{1,2}))\b(?! ?[:h])")
ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
NUMERIC_DATE = re.compile(r"\b(\d{1,2})[/.](\d{1,2})(?:[/.](\d{4}|\d{2}))?\b")

VAGUE = re.compile(
    r"\b(?:between|entre|after|despues|before|antes|around|about|como a|any|cualquier|or|weekdays"
    r"|not|no|cant|cannot|instead|except"
    r"|(?:from|by) \d{1,2}|until|till|late|later|roughly|approx\w*|desde|hasta|sobre|hacia|a partir"
    r"|eso de|y pico|mas tarde|midnight|medianoche|madrugada|lunch\w*"
    r"|utc|gmt|bst|cest|[ecmp][sd]t|(?:your|eastern|central|mountain|pacific|\w+ standard) time)\b"
)
"""What makes of a time a span, a choice, none, or one of another zone."""
MORE_OF_A_TIME = re.compile(
    r"\d|\b(?:half|quarter|past|minutes?|five|ten|fifteen|twenty|thirty|forty|fifty"
    r"|media|cuartos?|menos|minutos?|cinco|diez|quince|veinte|treinta|cuarenta|cincuenta)\b"
)
"""What belongs to a time beside its hour, and is not read: "half 3" is 2:30 or 3:30."""

HOUR = re.compile(
    r"\b(?:(?P<half>half past|quarter past|quarter to) (?P<of>\d{1,2})"
    r"|(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half_day>am|pm)\b"
    r"|(?P<wall>\d{1,2}):(?P<wall_minute>\d{2})"
    r"|(?P<clock>\d{1,2}) ?(?:h|hrs|horas)\b"
    r"|(?P<oclock>\d{1,2}) ?o ?clock"
    r"|(?:at|a las?|las) (?P<at>\d{1,2})(?!:| ?[ap]m\b)(?P<spanish> y media| y cuarto| menos cuarto"
    r"| (?:y|menos) (?:[1-5]?[05]|veinte))?)\b"
)
NOON = re.compile(r"\b(?:noon|midday|mediodia|medio dia)\b")
MORNING = re.compile(r"\b(?:morning|(?:de|por|en) la manana)\b")
AFTERNOON = re.compile(r"\b(?:afternoon|evening|night|tonight|tarde|tardecita|noche)\b")
NIGHT = re.compile(r"\b(?:evening|night|tonight|noche)\b")
"""Twelve at night is midnight of one day or of the next."""
HOUR_ONLY = re.compile(r"^\D*?\b(\d{1,2})\b\D*$")
MINUTES = {
    "half past": 30,
    "quarter past": 15,
    "quarter to": -15,
    "media": 30,
    "cuarto": 15,
    "veinte": 20,
}
"""Minutes that are said in words."""
EARLIEST_HOUR = 5
"""An hour of the morning before this one is a slip."""
EARLIEST_MORNING_HOUR = 7
"""An hour with no half of the day named is one by day: 7 to 11 in the morning, 12 to 6 after."""


@dataclass(frozen=True, slots=True)
class AppointmentTimeParser:
    """Whoever names the time: their zone and habits, and the moment at which they do."""

    timezone: str
    locale: str
    now: datetime

    def read(self, text: str, *, day_needed: bool = True) -> datetime | None:
        """The one moment that is named, to come and within a year; None where it is not plain.

        Without ``day_needed`` an hour alone is the next time that the clock shows it. A text of
        more than ``MAX_READ_LENGTH`` letters names none.
        """
        if len(text) > MAX_READ_LENGTH:
            return None
        words = normalize_text(text)
        if VAGUE.search(words):
            return None
        days, rest = self.parse_days(words)
        if None in days or len(days) > 1 or (day_needed and not days):
            return None
        if MORE_OF_A_TIME.search(_beside_the_hour(rest)):
            return None
        wall = parse_hour(rest, named_day=bool(days))
        return self._moment(next(iter(days), None), wall) if wall else None

    def _moment(self, day: date | None, wall: time) -> datetime | None:
        zone = ZoneInfo(self.timezone)
        local = self.now.astimezone(zone)
        at = datetime.combine(day or local.date(), wall, zone)
        if day is None and at <= self.now:
            at += timedelta(days=1)
        return at if self.now < at <= self.now + MAX_AHEAD else None

    def parse_days(self, words: str) -> tuple[set[date | None], str]:
        """The days that are named, None for one that is not plain, and the words without them."""
        today = self.now.astimezone(ZoneInfo(self.timezone)).date()
        days: set[date | None] = set()
        for rule, read in DATE_RULES:
            if rule is DAY_OF_MONTH and days:
                continue

            def take(said: re.Match[str], read: DateReader = read) -> str:
                days.add(read(self, today, said))
                return " "

            words = rule.sub(take, words)
        for said in NAMED_DAY.finditer(words):
            if not days:
                days.add(_weekday(today, said))
            elif {WEEKDAYS[said[2]]} != {day.weekday() for day in days if day}:
                days.add(None)
        return days, NAMED_DAY.sub(" ", words)

    def parse_numeric_date(self, today: date, said: re.Match[str]) -> date | None:
        """What "12/3" is by the custom of the place, where the numbers do not tell it."""
        first, second = int(said[1]), int(said[2])
        locale = self.locale.replace("_", "-").lower()
        if first > 12 or (second <= 12 and first != second and locale in DAY_FIRST):
            first, second = second, first
        elif second <= 12 and first != second and locale not in MONTH_FIRST:
            return None
        if said[3] is None:
            return _next(today, first, second)
        return _date(int(said[3]) % 100 + 2000, first, second)


def normalize_text(text: str) -> str:
    """Small letters without accents; digits and what stands between them are kept."""
    said = unicodedata.normalize("NFKD", text).casefold()
    said = "".join(c for c in said if not unicodedata.combining(c))
    said = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", said).replace("'", "")
    said = re.sub(r"[^\w/:.\-]+|_", " ", said)
    return re.sub(r"(?<!\d)[.:/\-]|[.:/\-](?!\d)", " ", said).strip()


def parse_hour(words: str, *, named_day: bool) -> time | None:
    """The one hour that is named."""
    said = list(HOUR.finditer(words))
    if len(said) > 1:
        return None
    afternoon, morning = bool(AFTERNOON.search(words)), bool(MORNING.search(words))
    if not said:
        if NOON.search(words):
            return time(12)
        alone = HOUR_ONLY.match(words) if named_day else None
        return _by_day(int(alone[1]), 0, morning=morning, afternoon=afternoon) if alone else None
    named = said[0]
    if named["half_day"]:
        return _by_half(int(named["hour"]), int(named["minute"] or 0), pm=named["half_day"] == "pm")
    hour = int(named["of"] or named["at"] or named["wall"] or named["clock"] or named["oclock"])
    minute = int(named["wall_minute"] or MINUTES.get(named["half"], 0) or _minute(named["spanish"]))
    if minute < 0:
        hour, minute = hour - 1, minute + 60
    if hour == 12 and (morning or NIGHT.search(words)):
        return None
    morning = morning or (named["wall"] or "").startswith("0")
    return _by_day(hour, minute, morning=morning, afternoon=afternoon)


def _minute(said: str | None) -> int:
    """The minutes of " y media" or " y 20"; less than 0 for " menos cuarto"."""
    sign, _, number = (said or "").strip().partition(" ")
    minute = MINUTES.get(number) or int(number or 0)
    return -minute if sign == "menos" else minute


def _beside_the_hour(words: str) -> str:
    """The words without those that name the hour."""
    if HOUR.search(words):
        return HOUR.sub(" ", words)
    alone = HOUR_ONLY.match(words)
    return words[: alone.start(1)] + words[alone.end(1) :] if alone else words


def _by_half(hour: int, minute: int, *, pm: bool) -> time | None:
    if not 1 <= hour <= 12 or minute > 59:
        return None
    return time(hour % 12 + (12 if pm else 0), minute)


def _by_day(hour: int, minute: int, *, morning: bool, afternoon: bool) -> time | None:
    """An hour with no am or pm: what a working day has."""
    if hour > 23 or minute > 59 or (morning and (afternoon or hour < EARLIEST_HOUR)):
        return None
    if hour > 12 or hour == 0:
        return time(hour, minute)
    pm = afternoon or (not morning and (hour < EARLIEST_MORNING_HOUR or hour == 12))
    return _by_half(hour, minute, pm=pm)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _next(today: date, month: int, day: int) -> date | None:
    """That day of this year, or of the next where it has been."""
    this_year = _date(today.year, month, day)
    if this_year is not None and this_year >= today:
        return this_year
    return _date(today.year + 1, month, day)


def _day_of_month(today: date, day: int) -> date | None:
    """The next day of that number: of this month, or of the one after."""
    this_month = _date(today.year, today.month, day)
    if this_month is not None and this_month >= today:
        return this_month
    return _date(today.year + today.month // 12, today.month % 12 + 1, day)


def _weekday(today: date, said: re.Match[str]) -> date | None:
    """The next of that name; not plain on that very day, nor "next Tuesday" just before it."""
    ahead = (WEEKDAYS[said[2]] - today.weekday()) % 7
    if ahead == 0 or (said[1] and ahead < 3):
        return None
    return today + timedelta(days=ahead)


DateReader = Callable[[AppointmentTimeParser, date, re.Match[str]], date | None]

DATE_RULES: tuple[tuple[re.Pattern[str], DateReader], ...] = (
    *(
        (rule, lambda _, today, __, ahead=ahead: today + timedelta(days=ahead))
        for rule, ahead in RELATIVE_DAYS.items()
    ),
    (ISO, lambda _, __, said: _date(int(said[1]), int(said[2]), int(said[3]))),
    (DAY_MONTH, lambda _, today, said: _next(today, MONTHS[said[2]], int(said[1]))),
    (MONTH_DAY, lambda _, today, said: _next(today, MONTHS[said[1]], int(said[2]))),
    (NUMERIC_DATE, AppointmentTimeParser.parse_numeric_date),
    (DAY_OF_MONTH, lambda _, today, said: _day_of_month(today, int(said[1] or said[2]))),
)
"""The ways to name a day, and how each is read."""
