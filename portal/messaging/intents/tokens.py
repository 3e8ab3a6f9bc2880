# ruff: noqa: RUF001 - letters of several scripts stand here.
"""A message as small plain words: what the phrases of the languages are compared with. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from portal.messaging.sms.gsm_text import to_gsm7

MAX_READ_LENGTH = 2_000
"""Letters of a text that are read; an SMS has at most 1,600."""
NUMBER = "#"
"""Stands for any number in a phrase."""
REFERENCE = "#ref"
"""Stands for a request's reference in a phrase."""

LETTER_FORMS = str.maketrans(
    {"'": None, "\u0640": None, "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي", "ٱ": "ا"}
)
"""What writers put in or leave out: an apostrophe, Arabic's tatweel, the dots of a final letter."""
VARIATIONS = re.compile("[\ufe0e\ufe0f\u20e3\u200d\u200e\u200f\u2640\u2642\U0001f3fb-\U0001f3ff]")
"""Signs within an emoji: its colour, its sex, its joiner; and marks of direction."""
REFERENCES = re.compile(
    r"(?<!\w)[A-Za-z]{2,12}-(?:[0-9A-Za-z]{4}-[0-9A-Za-z]{3}|(?=[A-Za-z]{0,3}\d)[0-9A-Za-z]{4})(?!\w)"
)
TOKEN = re.compile(
    r"(?P<clock>(?<!\d)\d{1,2}[:.]\d{2}(?!\d))"
    r"|(?P<word>[^\W_]+)"
    r"|(?P<question>[?？؟])"
    r"|(?P<soft>[,،、…])"
    r"|(?P<hard>[.!;:\n()¡¿\"*|/]+|\s[-–—]+\s)"
    r"|(?P<sign>@|[^\w\s\x00-\x7f\-–—‐-⁯])"
)
"""A time of day counts as its hour: 10:30."""
INNER_APOSTROPHE = re.compile(r"(?<=\w)['’‘`´ʼ](?=\w)")
SIGNATURE = re.compile(r"\s*(?:-{2,}|_{2,}|—{1,})\s*")
SMILEYS = re.compile(r"(?<!\w)(?:[:;=]'?-?[()DPp3/|]|<3|[xX]D)(?!\w)")


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign. ``raw`` is how it was written, ``sentence`` its sentence's number.

    ``part`` grows with each comma as well. ``is_first`` and ``is_last``: at an edge of its part.
    """

    text: str
    raw: str
    sentence: int
    part: int
    is_first: bool = False
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text in tokens; ``questions`` are the parts that end with a question mark."""

    tokens: Sequence[Token]
    questions: frozenset[int]


def fold_letters(text: str) -> str:
    """Small letters without accents, apostrophes and vowel signs."""
    plain = unicodedata.normalize("NFKD", to_gsm7(text)).casefold().translate(LETTER_FORMS)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def normalize_words(text: str) -> str:
    """Small plain letters and digits, accents and apostrophes gone, one space between words."""
    return " ".join(re.findall(r"[^\W_]+", fold_letters(text)))


def split_signature(text: str) -> tuple[str, str]:
    """The lines above a signature, and those below; all of it is above where none would be.

    A signature begins at a line of dashes (RFC 3676, section 4.3) or underscores.
    """
    lines = text.splitlines()
    end = next((place for place, line in enumerate(lines) if SIGNATURE.fullmatch(line)), len(lines))
    above, below = "\n".join(lines[:end]), "\n".join(lines[end + 1 :])
    return (above, below) if above.strip() else (text, "")


def tokenize(text: str) -> Tokens:
    """The words and signs of a text, in its sentences. The time is linear in its length."""
    text = INNER_APOSTROPHE.sub("", _without_marks(text))
    text = SMILEYS.sub(lambda smiley: f" {SMILEY_SIGNS.get(smiley[0][-1], '🙂')} ", text)
    text = REFERENCES.sub(" \ue000 ", VARIATIONS.sub("", to_gsm7(text)))
    found: list[tuple[str, str, int, int]] = []
    questions: set[int] = set()
    sentence = part = 0
    opened = NEVER
    for match in TOKEN.finditer(text):
        raw, kind = match[0], match.lastgroup
        if kind == "soft":
            part += 1
        elif kind in ("hard", "question"):
            if kind == "question" and found:
                questions.update(range(min(opened, found[-1][3]), found[-1][3] + 1))
                opened = NEVER
            if found and found[-1][2] == sentence:
                sentence, part = sentence + 1, part + 1
            if "¿" in raw:
                opened = part
        else:
            word = raw.partition(":")[0].partition(".")[0] if kind == "clock" else raw
            found += [(read, raw, sentence, part) for read in _read_token(word)]
    tokens = [
        Token(
            word, raw, number, piece,
            is_first=place == 0 or found[place - 1][3] != piece,
            is_last=place + 1 == len(found) or found[place + 1][3] != piece,
        )
        for place, (word, raw, number, piece) in enumerate(found)
    ]  # fmt: skip
    return Tokens(tokens, frozenset(questions))


def _without_marks(text: str) -> str:
    """The text without accents and vowel signs, which no word contains."""
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if not unicodedata.combining(letter)
    )


SMILEY_SIGNS = {"(": "🙁", "/": "🙁", "|": "🙁"}


def _read_token(raw: str) -> list[str]:
    if raw == "\ue000":
        return [REFERENCE]
    word = fold_letters(raw).strip()
    if word.isdecimal():
        return [str(int(word)) if len(word) < MAX_NUMBER_LENGTH else NUMBER]
    return re.findall(r"[^\W_]+|[^\w\s]", word)


MAX_NUMBER_LENGTH = 6
NEVER = 1_000_000
"""No text has so many parts."""
