"""Reading the hour of day that somebody names: "at 10", "2pm", "a las 3 y media". Pure."""

import re
from datetime import time

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
"""Twelve at night is midnight of one day or of the next, and two is one of the next."""
EARLIEST_HOUR_OF_EVENING = 5
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
MIDDAY = 12
EARLIEST_HOUR = 5
"""An hour of the morning before this one is a slip."""
EARLIEST_MORNING_HOUR = 7
"""An hour with no half of the day named is one by day: 7 to 11 in the morning, 12 to 6 after."""


def parse_hour(words: str, *, named_day: bool) -> time | None:
    """The one hour that is named, in small plain words; None where it is not plain.

    A number alone is an hour only where the day is named.
    """
    if MORE_OF_A_TIME.search(_beside_hour(words)):
        return None
    said = list(HOUR.finditer(words))
    if len(said) > 1:
        return None
    if not said:
        if NOON.search(words):
            return None if re.search(r"\d", words) else time(12)
        alone = HOUR_ONLY.match(words) if named_day else None
        return _by_half_of_day(int(alone[1]), 0, words) if alone else None
    named = said[0]
    if named["half_day"]:
        return _by_half(int(named["hour"]), int(named["minute"] or 0), pm=named["half_day"] == "pm")
    hour = int(named["of"] or named["at"] or named["wall"] or named["clock"] or named["oclock"])
    minute = int(named["wall_minute"] or MINUTES.get(named["half"], 0) or _minute(named["spanish"]))
    if minute < 0:
        hour, minute = hour - 1, minute + 60
    return _by_half_of_day(hour, minute, words, leading_zero=(named["wall"] or "").startswith("0"))


def _minute(said: str | None) -> int:
    """The minutes of " y media" or " y 20"; less than 0 for " menos cuarto"."""
    sign, _, number = (said or "").strip().partition(" ")
    minute = MINUTES.get(number) or int(number or 0)
    return -minute if sign == "menos" else minute


def _beside_hour(words: str) -> str:
    """The words without those that name the hour."""
    if HOUR.search(words):
        return HOUR.sub(" ", words)
    alone = HOUR_ONLY.match(words)
    return words[: alone.start(1)] + words[alone.end(1) :] if alone else words


def _by_half(hour: int, minute: int, *, pm: bool) -> time | None:
    if not 1 <= hour <= 12 or minute > 59:
        return None
    return time(hour % 12 + (12 if pm else 0), minute)


def _by_half_of_day(
    hour: int, minute: int, words: str, *, leading_zero: bool = False
) -> time | None:
    """An hour with no am or pm, by the half of the day that the words name."""
    morning = bool(MORNING.search(words))
    at_night = NIGHT.search(words) is not None and hour < EARLIEST_HOUR_OF_EVENING
    if at_night or (hour == MIDDAY and (morning or NIGHT.search(words))):
        return None
    return _by_day(
        hour, minute,
        morning=morning or leading_zero,
        afternoon=AFTERNOON.search(words) is not None,
    )  # fmt: skip


def _by_day(hour: int, minute: int, *, morning: bool, afternoon: bool) -> time | None:
    """An hour with no am or pm: what a working day has."""
    if hour > 23 or minute > 59 or (morning and (afternoon or hour < EARLIEST_HOUR)):
        return None
    if hour > 12 or hour == 0:
        return time(hour, minute)
    pm = afternoon or (not morning and (hour < EARLIEST_MORNING_HOUR or hour == MIDDAY))
    return _by_half(hour, minute, pm=pm)
