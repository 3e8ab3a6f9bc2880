# ruff: noqa: RUF001 - this file is about look-alike characters.
"""Finds our own text in a text of a customer: pasted, quoted line by line, or in quotation marks.

Texts are compared by their letters and digits alone (Unicode NFKD, case folded), so that spaces,
emoji, accents, direction marks and the kind of a quotation mark make no difference. The time grows
with the length of the text times the number of our texts.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

LINK = re.compile(r"https?://\S+")
MAX_TEXT_LENGTH = 4_000
"""Letters of a text that are compared; what follows is the customer's."""
QUOTATION_MARKS = frozenset("\"'“”„‟«»‹›‘’‚‛＂「」『』《》〝〞″")
QUOTE_SIGNS = QUOTATION_MARKS | {">", "＞"}
MAX_MARKS = 6
"""Quotation marks that are tried from each end."""
MIN_QUOTED_LETTERS = 12
"""A quotation of fewer letters is ours only where it is one of our whole texts."""
MIN_LINE_LETTERS = 6
MIN_BEGINNING_LETTERS = 24
MIN_PASTED_LETTERS = 40
"""Letters in our order, without marks: fewer may be the customer's own, such as a time offered."""
PASTED_STEP = 20


@dataclass(frozen=True, slots=True)
class FoldedText:
    """The letters and digits of a text, and the place of each in it."""

    text: str
    letters: str
    places: Sequence[int]

    @classmethod
    def of(cls, text: str) -> Self:
        """The folded form of the beginning of a text."""
        letters: list[str] = []
        places: list[int] = []
        for place, character in enumerate(text[:MAX_TEXT_LENGTH]):
            for letter in unicodedata.normalize("NFKD", character).casefold():
                if letter.isalnum():
                    letters.append(letter)
                    places.append(place)
        return cls(text, "".join(letters), places)

    def between(self, start: int, end: int) -> str:
        """The letters from one place of the text up to another."""
        return self.letters[bisect_left(self.places, start) : bisect_left(self.places, end)]


@dataclass(frozen=True, slots=True)
class Quotation:
    """A part of a text, marks included, that quotes the text of ours with this index.

    ``is_from_start``: it quotes all of our text or its beginning, as phones do.
    """

    start: int
    end: int
    letters: int
    index: int
    is_from_start: bool
    is_whole: bool


def fold_letters(text: str) -> str:
    """The letters and digits of a text, folded as ``FoldedText`` does it."""
    plain = unicodedata.normalize("NFKD", text[:MAX_TEXT_LENGTH]).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def fold_texts(texts: Sequence[str]) -> list[str]:
    """These texts folded, and then once more without their links, which a phone may leave out.

    The index of either form, modulo the number of texts, is that of the text.
    """
    return [
        *(fold_letters(text) for text in texts),
        *(fold_letters(LINK.sub(" ", text)) for text in texts),
    ]


def may_have_own_text(text: str) -> bool:
    """Whether a text can quote us at all: it has a mark, or is long enough."""
    return len(text) >= MIN_BEGINNING_LETTERS or any(sign in QUOTE_SIGNS for sign in text)


def find_quotation(text: str, sent: Sequence[str]) -> Quotation | None:
    """The longest part in quotation marks that quotes a text of ours, the newest of equal ones.

    ``sent`` are our folded texts, newest first. A phone may cut the quotation, and its last mark.
    """
    folded = FoldedText.of(text)
    marks = [place for place, sign in enumerate(text[:MAX_TEXT_LENGTH]) if sign in QUOTATION_MARKS]
    ends = sorted({*marks[-MAX_MARKS:], len(text[:MAX_TEXT_LENGTH])})
    found: Quotation | None = None
    for start in marks[:MAX_MARKS]:
        for end in ends:
            quoted = folded.between(start, end)
            if end <= start or not quoted or (found and len(quoted) <= found.letters):
                continue
            is_closed = end < len(text)
            index = _index_of(quoted, sent, is_closed=is_closed)
            if index is not None:
                is_from_start = sent[index].startswith(quoted)
                is_whole = sent[index] == quoted
                found = Quotation(
                    start, end + is_closed, len(quoted), index, is_from_start, is_whole
                )
    return found


def without_own_text(text: str, sent: Sequence[str]) -> str:
    """The text without what is ours in it; ``sent`` are our folded texts.

    Lines after ``>`` and parts in quotation marks go where they are ours. Without a mark only what
    is long, or the beginning of one of our texts, goes: the customer may say what we said.
    """
    lines = text[:MAX_TEXT_LENGTH].split("\n")
    own_lines = [line for line in lines if not _is_quoted_line(line, sent)]
    rest = "\n".join(own_lines) + text[MAX_TEXT_LENGTH:]
    quotation = find_quotation(rest, sent)
    if quotation is not None and quotation.letters >= MIN_QUOTED_LETTERS:
        rest = f"{rest[: quotation.start]} {rest[quotation.end :]}"
    folded = FoldedText.of(rest)
    pasted = max(
        (span for body in sent if (span := _pasted_span(folded.letters, body))),
        key=lambda span: span[1] - span[0],
        default=None,
    )
    if pasted is not None:
        first, last = folded.places[pasted[0]], folded.places[pasted[1] - 1]
        rest = f"{rest[:first]} {rest[last + 1 :]}"
    if rest == text:
        return text
    return re.sub(r"[ \t]{2,}", " ", rest).strip() if fold_letters(rest) else ""


def _index_of(quoted: str, sent: Sequence[str], *, is_closed: bool) -> int | None:
    """The text of ours that is quoted; a short quotation must be one of them, whole."""
    if len(quoted) < MIN_QUOTED_LETTERS:
        return next((n for n, body in enumerate(sent) if is_closed and body == quoted), None)
    beginning = next((n for n, body in enumerate(sent) if body.startswith(quoted)), None)
    if beginning is not None:
        return beginning
    return next((n for n, body in enumerate(sent) if quoted in body), None)


def _is_quoted_line(line: str, sent: Sequence[str]) -> bool:
    if not line.lstrip().startswith((">", "＞")):
        return False
    letters = fold_letters(line)
    return len(letters) >= MIN_LINE_LETTERS and any(letters in body for body in sent)


def _pasted_span(letters: str, body: str) -> tuple[int, int] | None:
    """From where to where the letters repeat our text, longer than anybody says by chance."""
    beginning = letters.find(body[:MIN_BEGINNING_LETTERS])
    if len(body) >= MIN_BEGINNING_LETTERS and beginning >= 0:
        return beginning, _end_of_run(letters, beginning, body, 0)
    for at in range(0, len(body) - PASTED_STEP + 1, PASTED_STEP):
        start = letters.find(body[at : at + PASTED_STEP])
        if start < 0:
            continue
        first, before = start, at
        while first > 0 and before > 0 and letters[first - 1] == body[before - 1]:
            first, before = first - 1, before - 1
        end = _end_of_run(letters, start, body, at)
        if end - first >= MIN_PASTED_LETTERS:
            return first, end
    return None


def _end_of_run(letters: str, start: int, body: str, at: int) -> int:
    end = start
    while end < len(letters) and at < len(body) and letters[end] == body[at]:
        end, at = end + 1, at + 1
    return end
