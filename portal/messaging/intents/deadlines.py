"""Reading by when staff say that a thing will be done: "by Friday", "in 2 hours", "tomorrow morning".

A customer's time must be one moment. A promise may name a part of a day: it is then for the end of
that part, and one for a day is for the end of the department's day.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from portal.business_time import BusinessCalendar, Duration
from portal.messaging.intents.appointment_times import (
    MONTHS,
    WEEKDAYS,
    AppointmentTimeParser,
    normalize_text,
)
from portal.messaging.intents.hours import parse_hour
from portal.messaging.intents.tokens import MAX_READ_LENGTH

APOSTROPHES = "\u2019\u2018`\u00b4"
"""As they are typed on phones and pasted from elsewhere."""
DEFAULT_END_OF_DAY = time(17)
"""The end of the day where the department has none: it never closes, or is closed on that day."""
END_OF_EVENING = time(20)
FRIDAY = 4

_DAYS, _MONTHS = "|".join(WEEKDAYS), "|".join(MONTHS)
_NUMBER = (
    r"\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|a couple of|half an?|the"
    r"|una?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|media"
)
_UNIT = (
    r"(?:business|working) (?:days?|hours?)|minutes?|mins?|hours?|hrs?|h|days?|weeks?"
    r"|minutos?|horas?|dias? (?:habil(?:es)?|laborables?)|dias?|semanas?"
)
NUMBER_WORDS = {
    word: number
    for number, words in enumerate(
        (
            "a an one the un una", "two a_couple_of dos", "three tres", "four cuatro",
            "five cinco", "six seis", "seven siete", "eight ocho", "nine nueve", "ten diez",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
UNITS = {
    "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1),
    "w": timedelta(weeks=1), "s": timedelta(weeks=1),
}  # fmt: skip
"""By the first letter, in either language."""

SPAN = re.compile(
    rf"\b(?:within|in(?: less than| about)?|en(?: menos de)?|dentro de)(?: the next)?"
    rf" (?P<n>{_NUMBER}) ?(?P<unit>{_UNIT})\b|\b(?P<n2>{_NUMBER}) (?P<unit2>{_UNIT}) from now\b"
)
WEEK = re.compile(
    r"\b(?:(?:the )?end of (?P<which>this|the|next) week|this week|eow|esta semana"
    r"|(?P<next>next week|la proxima semana|la semana que viene))\b"
)
END_OF_DAY = re.compile(
    r"\b(?:(?:the )?end of (?:the |our )?(?:business |working )?day|end of today|eod|cob"
    r"|close of business|(?:al )?final del dia)\b"
)
EVENING = re.compile(r"\b(?:this evening|evening|tonight|(?:por|en|de) la noche|esta noche)\b")
AFTERNOON = re.compile(r"\b(?:afternoon|(?:por|en|de) la tarde|esta tarde)\b")
MORNING = re.compile(r"\b(?:morning|first thing|(?:por|en|de) la manana|a primera hora)\b")
TODAY = re.compile(r"\b(?:this (?:morning|afternoon|evening)|esta (?:tarde|noche|manana))\b")

_THEN = rf"(?= {{0,3}}(?:$|[,.;!?)]|(?:and|to|on|about|this|in the|tomorrow|today|y|{_DAYS})\b))"
"""What may follow a bare number for it to be an hour: not "about 5 forms"."""
_HOUR = (
    r"(?:half past|quarter past|quarter to) \d{1,2}\b"
    r"|\d{1,2}(?:[:.]\d{2})? ?(?:[ap]m\b|[ap]\. ?m\b\.?)|\d{1,2}:\d{2}\b|\d{1,2} ?(?:h|hrs|horas)\b"
    r"|\d{1,2} ?o ?'?clock|(?:at|a las?|las) \d{1,2}\b(?! ?%)(?: y media| y cuarto| menos cuarto)?"
    rf"|(?:by|before|around|about|until|till|latest) \d{{1,2}}\b{_THEN}"
    r"|between \d{1,2}(?::\d{2})? ?(?:[ap]m )?and \d{1,2}(?::\d{2})?\b(?: ?[ap]m\b)?"
    r"|noon\b|midday\b|mediodia\b|medio dia\b"
)
_DAY = (
    r"(?:the )?day after tomorrow|pasado manana|tomorrow|tomorow|tmrw|tmrow|tmr|2mrw|2moro|today"
    rf"|tonight|hoy|(?:(?:this|next|proximo|siguiente) )?(?:{_DAYS})"
    rf"|(?:{_MONTHS})\.? (?:the )?\d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}}(?:st|nd|rd|th)? (?:of |de )?(?:{_MONTHS})"
    r"|the \d{1,2}(?:st|nd|rd|th)|el (?:dia )?\d{1,2}|\d{4}-\d{1,2}-\d{1,2}"
    r"|\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?(?! ?[ap]\.?m)"
)
_PART = (
    r"(?:(?:in the|this|early|late|later) ){0,3}(?:morning|afternoon|evening)|first thing|a primera hora"
    r"|(?:por|en|de) la (?:manana|tarde|noche)|esta (?:tarde|noche)|manana"
)
_ATOM = (
    rf"(?:{SPAN.pattern}|{WEEK.pattern}|{END_OF_DAY.pattern}|(?:{_DAY})\b(?:[ ,]{{1,3}}\d{{1,2}}\b(?![:/.]\d){_THEN})?"
    rf"|{_HOUR}|(?:{_PART})\b)"
)
_LEADS = (
    r"(?:(?:no later than|not later than|at the latest|latest|by|before|on|until|till|for|at|around"
    r"|about|el|la|para|antes del?|a mas tardar|hacia|de|in)[ ,]{1,3}){0,4}"
)
_UNNAMED = re.sub(r"\?P<\w+>", "?:", _ATOM)
PHRASE = re.compile(
    r"(?<!\bfrom )(?<!\bsince )(?<!\bof )(?<!\blast )(?<!\bevery )(?<!\bthe )(?<!\bdesde )\b"
    rf"{_LEADS}{_UNNAMED}(?:[ ,]{{1,3}}{_LEADS}{_UNNAMED}){{0,5}}(?:,? (?:at the latest|latest|sharp|a mas tardar))?(?!'s)"
)
"""Each repeat has a limit: a longer row is two phrases, and then none is plain."""
DEADLINE_PREPOSITION = re.compile(
    r"\b(?:by|before|around|about|until|till|no later than|not later than|latest)(?= \d)"
    r"|\bbetween \d{1,2}(?::\d{2})? ?(?:[ap]m )?and\b"
)
"""What makes of an hour the one to be kept; between two it is the later."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time that was named, perhaps one that has been, and where its words stand in the text."""

    at: datetime
    start: int
    end: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class DeadlineParser:
    """Whoever names the time: their department's hours and zone, and the moment at which they do."""

    calendar: BusinessCalendar
    now: datetime

    def read(self, text: str) -> Deadline | None:
        """The one time that is named; None where there is none, or it may be one or another.

        A time of day outweighs a day beside it: "call at 3 today about Friday's visit".
        """
        found = self.find(text)
        exact = [deadline for deadline in found if deadline.is_exact]
        if len(exact) == 1:
            return exact[0]
        is_only = len(found) == 1 == len(PHRASE.findall(fold_letters(text[:MAX_READ_LENGTH])))
        return found[0] if is_only else None

    def find(self, text: str) -> list[Deadline]:
        """Every time that is named and plain, in the first ``MAX_READ_LENGTH`` letters."""
        return [
            Deadline(at, said.start(), said.end(), is_exact)
            for said in PHRASE.finditer(fold_letters(text[:MAX_READ_LENGTH]))
            for at, is_exact in self._moments(said[0])
        ]

    def _moments(self, phrase: str) -> list[tuple[datetime, bool]]:
        spans = list(SPAN.finditer(phrase))
        if spans:
            return [(self._after(spans[0]), True)] if len(spans) == 1 else []
        words = normalize_text(DEADLINE_PREPOSITION.sub("at", phrase))
        days, rest = self._reader.parse_days(WEEK.sub(" ", words))
        if None in days or len(days) > 1:
            return []
        day = next(iter(days), None) or self._end_of_week(words)
        hour = parse_hour(END_OF_DAY.sub(" ", rest), named_day=day is not None)
        if hour is not None:
            return [(self._at(day, hour), True)]
        # An hour that is none ("25:99") makes the day beside it none.
        at = None if re.search(r"\d", rest) else self._end_of_part(day, words)
        return [(at, False)] if at else []

    @property
    def _reader(self) -> AppointmentTimeParser:
        return AppointmentTimeParser(self.calendar.zone.key, "en", self.now)

    @property
    def _today(self) -> date:
        return self.now.astimezone(self.calendar.zone).date()

    def _after(self, said: re.Match[str]) -> datetime:
        number, unit = said["n"] or said["n2"], said["unit"] or said["unit2"]
        half = number.startswith(("half", "media"))
        many = int(number) if number.isdigit() else NUMBER_WORDS.get(number.replace(" ", "_"), 1)
        if re.match("business|working", unit) or re.search("habil|laborable", unit):
            length = Duration.parse(f"{many}{'bh' if 'hour' in unit else 'bd'}")
            return self.calendar.add(self.now, length)
        return self.now + UNITS[unit[0]] * many / (2 if half else 1)

    def _end_of_week(self, words: str) -> date | None:
        said = WEEK.search(words)
        if said is None:
            return None
        today = self._today
        weeks = 1 if said["next"] or said["which"] == "next" else 0
        return today + timedelta(days=FRIDAY - today.weekday(), weeks=weeks)

    def _at(self, day: date | None, wall: time) -> datetime:
        """That time of that day; without one, when the clock next shows it."""
        at = datetime.combine(day or self._today, wall, self.calendar.zone)
        if day is None and at <= self.now:
            at += timedelta(days=1)
        return at.astimezone(UTC)

    def _end_of_part(self, day: date | None, words: str) -> datetime | None:
        if day is None and not (TODAY.search(words) or END_OF_DAY.search(words)):
            return None
        day = day or self._today
        if MORNING.search(words):
            return self._at(day, time(12))
        if EVENING.search(words):
            return self._at(day, END_OF_EVENING)
        return self.end_of_day(day)

    def end_of_day(self, day: date) -> datetime:
        """When the department closes on that day."""
        hours = self.calendar.hours
        spans = () if hours.is_always_open else hours.week[day.weekday()]
        if spans:
            midnight = datetime.combine(day, time.min, self.calendar.zone)
            return (midnight + timedelta(minutes=spans[-1][1])).astimezone(UTC)
        ends = self._at(day, DEFAULT_END_OF_DAY)
        return ends if ends > self.now or day != self._today else self._at(day, time(23, 59))


def fold_letters(text: str) -> str:
    """Small letters without accents, each in its place, so that places in it are the text's."""
    return "".join(_flat(letter) for letter in text)


def _flat(letter: str) -> str:
    if letter in APOSTROPHES:
        return "'"
    if letter.isspace():
        return " "
    base = unicodedata.normalize("NFKD", letter)[:1].casefold()
    return base if len(base) == 1 else letter
