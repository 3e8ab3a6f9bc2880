"""The words around a time that somebody names: "Friday after 3 works for me, thanks". Pure.

Whether a time is offered or excluded stands in the words beside it, so a window is read only where
each of them is known. The words are in ``languages/*.toml`` under ``[times]``, in all languages:

``beside``: polite words, fillers, and that it suits; ``call`` and ``visit``: the words of a wish
for a call, or of a change of a visit; ``wish``: words that name a vague time, ``connecting`` those of
them that say nothing alone; ``unavailable``: words with which a time is not offered.
"""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cache

from portal.messaging.intents.appointment_times import MONTHS, WEEKDAYS, normalize_text
from portal.messaging.intents.language import time_lists

CLOCK = re.compile(r"\d[\d/:.\-]*(?:am|pm|h|hrs|st|nd|rd|th)?")
"""An hour, a date or a number, as ``normalize_text`` leaves it."""

CLAUSE_ENDS = re.compile(r"[,;!?\n]+|\.(?=\s|$)")
NAMES_TIME = re.compile(
    r"\d|\b(?:today|tomorrow|tonight|morning|afternoon|evening|night|noon|lunch\w*|weekdays?|weekends?|hoy|manana"
    rf"|before|after|until|from|between|antes|despues|hasta|{'|'.join([*WEEKDAYS, *MONTHS])})\b"
)

AT_WORK = re.compile(r"\b(?:i|we|he|she) (?:also |usually |always )?works?\b")
"""Who works is not at home; "it works" and "after work" say that a time suits."""


@cache
def time_words(name: str) -> frozenset[str]:
    """The words of that list in all languages, as ``normalize_text`` gives them."""
    return frozenset(normalize_text(time_lists()[name]).split())


def are_known(words: Iterable[str], also: AbstractSet[str] = frozenset()) -> bool:
    """Whether each word is a number or may stand beside a time; ``also``: further words that may."""
    allowed = time_words("beside") | also
    return all(word in allowed or CLOCK.fullmatch(word) for word in words)


def excludes_time(text: str) -> bool:
    """Whether it says that a time does not suit, or tells what was: "I am busy", "I waited"."""
    words = normalize_text(text)
    is_unavailable = not time_words("unavailable").isdisjoint(words.split())
    return is_unavailable or AT_WORK.search(words) is not None


def clauses_of(text: str) -> list[str]:
    """The clauses of a text, as its punctuation parts them."""
    return [clause for clause in CLAUSE_ENDS.split(text) if clause.strip()]


def names_time(text: str) -> bool:
    """Whether a day, an hour or a part of the day may be named."""
    return NAMES_TIME.search(normalize_text(text)) is not None
