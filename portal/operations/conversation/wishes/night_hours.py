# ruff: noqa: RUF001 - Arabic letters.
"""The quiet hours that a customer asks for in words: "not after 9", "entre las 22 y las 7". Pure."""

import re
from datetime import time

from portal.settings import QuietHours

NIGHT = QuietHours(time(21), time(8))
"""What "at night" means where no time is named."""
NOON = 12
NAMED_TIME = re.compile(
    r"\b(?P<word>after|past|from|between|before|until|till|despues de|a partir de|desde|entre"
    r"|antes de|hasta|بعد|من|بين|قبل|حتي|الي)?\s*(?:las?\s+|la\s+|الساعه\s+)?"
    r"(?P<hour>\d{1,2})(?:[:.h ](?P<minute>[0-5]\d))?\s*"
    r"(?P<half>a\s?m|p\s?m|صباحا|ص|مساء|م)?(?![\w:])"
)
END_WORDS = frozenset({"before", "until", "till", "antes de", "hasta", "قبل", "حتي", "الي"})
MORNING, EVENING = frozenset({"am", "صباحا", "ص"}), frozenset({"pm", "مساء", "م"})


def read_quiet_hours(about: str) -> QuietHours:
    """The quiet hours that these words name, the rest as in ``NIGHT``; ``about`` is in small letters.

    "After 9" is 9 pm, "before 9" is 9 am. What makes no sense is ``NIGHT``.
    """
    start, end = NIGHT.start, NIGHT.end
    has_start = False
    for found in NAMED_TIME.finditer(about.lower().translate(ARABIC_LETTERS)):
        is_end = found["word"] in END_WORDS or (has_start and found["word"] is None)
        named = _time_of(found, is_end=is_end)
        if named is not None and is_end:
            end = named
        elif named is not None:
            start, has_start = named, True
    return NIGHT if start == end else QuietHours(start, end)


ARABIC_LETTERS = str.maketrans({"ى": "ي", "ة": "ه", "أ": "ا", "إ": "ا"})


def _time_of(found: re.Match[str], *, is_end: bool) -> time | None:
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    half = (found["half"] or "").replace(" ", "")
    if (half in EVENING and hour < NOON) or (not half and not is_end and 5 <= hour < NOON):
        hour += NOON
    elif half in MORNING and hour == NOON:
        hour = 0
    return time(hour, minute) if hour < 2 * NOON else None
