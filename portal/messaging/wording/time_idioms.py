"""The phrases and names around times, by language.

The names of days and months, the digits, and whether a region writes the month first
("Thu, Nov 26"), come from the Unicode CLDR through Babel; the phrases are ours.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from babel import Locale, UnknownLocaleError

from portal.i18n.languages import DIGITS


@dataclass(frozen=True, slots=True)
class Idiom:
    """A language's patterns, which CLDR does not have.

    ``comma`` is between a day and an ``hour`` (one o'clock, and any other) in a sentence,
    ``in_list`` where there is no room for one. ``day`` is a weekday or a date in a sentence.
    ``noon`` and ``midnight`` replace "12 pm" and "12 am". "0:00" is as clear as it can be, and so
    is "12:00" in a text, which has no room for more.
    """

    relative_days: tuple[str, str, str]  # yesterday, today, tomorrow
    on: str = "{}"
    day: str = "{}"
    hour: tuple[str, str] = ("{}", "{}")
    comma: str = ","
    in_list: str = ","
    halves: bool = True
    noon: str = ""
    midnight: str = ""


IDIOMS = {
    "en": Idiom(("yesterday", "today", "tomorrow"), on="on {}", noon="noon", midnight="midnight"),
    "es": Idiom(
        ("ayer", "hoy", "mañana"),
        day="el {}",
        hour=("a la {}", "a las {}"),
        comma="",
        halves=False,
        noon="12 del mediodía",
    ),
    "ar": Idiom(
        ("أمس", "اليوم", "غدًا"), comma="،", in_list="،", noon="12 ظهرًا", midnight="منتصف الليل"
    ),
}


@dataclass(frozen=True, slots=True)
class CalendarNames:
    """A language's names, Monday and January first.

    ``month_first``: its region writes "Thu, Nov 26". A language without a region writes the day
    first, which is read everywhere.
    """

    full_weekdays: tuple[str, ...]
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    halves: tuple[str, str]
    direction: str
    digit_map: dict[int, int]
    month_first: bool


@cache
def supported_locale(locale: str) -> Locale:
    """The locale of "es-MX" or "es_MX", else of "es"; English for an invalid one.

    An unsupported language is English too, so that no sentence mixes two languages.
    """
    requested = locale.replace("-", "_")
    for name in (requested, requested.partition("_")[0]):
        with suppress(ValueError, UnknownLocaleError):
            babel_locale = Locale.parse(name)
            return babel_locale if babel_locale.language in IDIOMS else Locale("en")
    return Locale("en")


@cache
def calendar_names(locale: str) -> CalendarNames:
    """The names of that locale, or of the one that `supported_locale` takes for it."""
    babel_locale = supported_locale(locale)
    days, months = babel_locale.days["format"], babel_locale.months["format"]["abbreviated"]
    halves = babel_locale.day_periods["format"]["abbreviated"]
    pattern = babel_locale.datetime_skeletons["MMMd"].pattern
    return CalendarNames(
        full_weekdays=tuple(days["wide"][n] for n in range(7)),
        weekdays=tuple(days["abbreviated"][n] for n in range(7)),
        months=tuple(months[n] for n in range(1, 13)),
        halves=(halves["am"].lower(), halves["pm"].lower()),
        direction=babel_locale.text_direction,
        digit_map=DIGITS.get(babel_locale.default_numbering_system, {}),
        month_first=babel_locale.territory is not None and pattern.index("M") < pattern.index("d"),
    )
