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

from portal.messaging.intents.hours import parse_hour
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
    re.compile(r"\b(?:today|hoy)\b|\b(?=tonight\b)|\besta (?=noche\b|tarde\b)"): 0,
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
    r"|eso de|y pico|(?:mas|muy|algo|poco|lleg\w+) tarde|midnight|medianoche|madrugada|lunch\w*"
    r"|utc|gmt|bst|cest|[ecmp][sd]?t|(?:your|eastern|central|mountain|pacific|\w+ standard) time)\b"
)
"""What makes of a time a span, a choice, none, or one of another zone."""


@dataclass(frozen=True, slots=True)
class AppointmentTimeParser:
    """Whoever names the time: their zone and habits, and the moment at which they do.

    ``takes_next_week``: today's weekday is that of next week, where today is no answer.
    """

    timezone: str
    locale: str
    now: datetime
    takes_next_week: bool = False

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
                days.add(_weekday(today, said, takes_next_week=self.takes_next_week))
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


def _weekday(today: date, said: re.Match[str], *, takes_next_week: bool) -> date | None:
    """The next of that name; not plain on that very day, nor "next Tuesday" just before it."""
    ahead = (WEEKDAYS[said[2]] - today.weekday()) % 7
    if ahead == 0 and takes_next_week:
        ahead = 7
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
