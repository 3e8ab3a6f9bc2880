"""Finds the header of a quotation by what it holds, in any language: a date, our name, an address.

A mail program puts one line or several above what it quotes ("On Monday … wrote:", "From: …"). The
words differ by language; what they tell does not.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from portal.messaging.email.correspondence import Correspondence
from portal.messaging.email.own_text.sent_text import QUOTE_MARK, plain_letters

MAX_HEADER_LINES = 10
MAX_ATTRIBUTION_LINES = 4
"""Lines over which a mail program wraps one sentence."""
MAX_LINE_LENGTH = 600
"""Characters; a longer line is no header."""
LABEL = re.compile(r"\W{0,4}[^\W\d_][^:]{0,40}?\s?:(?:\s|$)")
RULE_SIGN = r"[-_=*~\u2010-\u2015\u2212]"
SEPARATOR = re.compile(rf"\s*(?:{RULE_SIGN}{{2,}}.{{0,60}}?{RULE_SIGN}{{2,}}|{RULE_SIGN}{{5,}})\s*")
YEAR = re.compile(r"(?<!\d)(?:19|20|25|1[34])\d\d(?!\d)")
NUMERIC_DATE = re.compile(r"(?<!\d)\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)")
TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d\d(?!\d)")
MIN_MARK_LENGTH = 3
MAX_NAMED_WORDS = 6
MAX_DATED_WORDS = 12
"""Words of a sentence that is surely a program's: with our name and "wrote", with that and a date."""
WROTE = re.compile(
    r"(?<!\w)(?:wrote|writes|quoting|escribió|a écrit|schrieb|ha scritto|escreveu|schreef|skrev|napsal|pisze"
    r"|napisał(?:\(a\)|a)?|пишет|писал\(а\)|написал|пише|yazdı|şunu yazdı|kirjoitti|έγραψε|írta|đã viết"  # noqa: RUF001
    r"|เขียนว่า|ने लिखा|كتبت?|تمت كتابة|כתב(?:ה)?)(?!\w)|写道|寫道|님이 작성|のメール|書きました|書いた"
)
"""What mail programs call it, in small letters; a person writes it as well."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header of a quotation begins; ``is_sure``: a program wrote it, and nobody else."""

    start: int
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What one line holds."""

    is_blank: bool
    is_separator: bool
    has_label: bool
    ends_with_colon: bool
    names_us: bool
    has_our_address: bool
    names_them: bool
    has_date: bool
    has_time: bool
    says_wrote: bool
    word_count: int
    is_sentence: bool

    @property
    def is_labelled(self) -> bool:
        told = self.names_us or self.names_them or self.has_date or self.has_time
        return self.has_label and told


class HeaderFinder:
    """Knows the header above a quotation in this correspondence."""

    def __init__(self, known: Correspondence) -> None:
        self._ours = _marks(known.our_marks)
        self._theirs = _marks(known.their_marks)

    def find(self, lines: Sequence[str], end: int, floor: int) -> Header:
        """The header that ends above line ``end``; it begins at ``end`` where there is none.

        Lines above ``floor`` belong to something else. It looks at ``MAX_HEADER_LINES`` lines.
        """
        seen: dict[int, _Evidence] = {}
        at = end - 1
        while at >= floor and len(seen) < MAX_HEADER_LINES:
            evidence = self._read(lines[at])
            if not evidence.is_blank:
                seen[at] = evidence
            elif seen and at + 1 not in seen and end - at > 2 * MAX_HEADER_LINES:
                break
            at -= 1
        below = [number for number in seen if self._is_only_separators(seen, number, end)]
        rest = {number: evidence for number, evidence in seen.items() if number not in below}
        start, is_sure = _start_of_labels(rest), True
        if start is None:
            start = _start_of_attribution(rest)
            taken = [evidence for number, evidence in rest.items() if number >= (start or 0)]
            is_sure = _is_sure(taken)
        if start is None:
            return Header(below[-1] if below else end)
        above = [number for number in rest if number < start]
        rules = list(takewhile(lambda number: seen[number].is_separator, above))
        return Header(rules[-1] if rules else start, is_sure)

    @staticmethod
    def _is_only_separators(seen: dict[int, _Evidence], number: int, end: int) -> bool:
        """Whether nothing but rules stands between this line and the quotation."""
        return all(seen[at].is_separator for at in range(number, end) if at in seen)

    def _read(self, line: str) -> _Evidence:
        said = _plain(line) if len(line) <= MAX_LINE_LENGTH else ""
        is_day = bool(NUMERIC_DATE.search(said))
        return _Evidence(
            is_blank=not line.strip("> |\t"),
            is_separator=bool(SEPARATOR.fullmatch(said)),
            has_label=bool(LABEL.match(said)),
            ends_with_colon=said.endswith(":"),
            names_us=any(mark.search(said) for mark in self._ours),
            has_our_address=any("@" in mark.pattern and mark.search(said) for mark in self._ours),
            names_them=any(mark.search(said) for mark in self._theirs),
            has_date=is_day or bool(YEAR.search(said)),
            has_time=bool(TIME.search(said)),
            says_wrote=bool(WROTE.search(said)),
            word_count=len(said.split()),
            is_sentence=said.endswith((".", "!", "?", "؟", "。")),
        )


def _plain(line: str) -> str:
    """The line without quote marks, in small letters, with digits of ASCII."""
    said = line
    while mark := QUOTE_MARK.match(said):
        said = said[mark.end() :]
    said = unicodedata.normalize("NFKC", plain_letters(said)).casefold()
    if not said.isascii():
        said = "".join(
            str(unicodedata.decimal(letter))
            if unicodedata.decimal(letter, None) is not None
            else letter
            for letter in said
        )
    return " ".join(said.split())


def _marks(marks: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Patterns for these names, as whole words."""
    plain = (_plain(mark) for mark in marks)
    return tuple(
        re.compile(rf"(?<!\w){re.escape(mark)}(?!\w)" if mark[0] != "@" else re.escape(mark))
        for mark in plain
        if len(mark) >= MIN_MARK_LENGTH
    )


def _start_of_labels(seen: dict[int, _Evidence]) -> int | None:
    """Of lines such as "From: …", "Date: …", one below the other, of which one names us."""
    labelled: list[int] = []
    gap = 0
    for number, evidence in seen.items():  # from the bottom
        if evidence.is_labelled:
            labelled.append(number)
            gap = 0
        elif labelled and not evidence.is_separator and gap < 1:
            gap += 1  # A label of its own, or the end of a long line.
        elif labelled:
            break
        elif not evidence.has_label:
            return None
    if len(labelled) < 2 or not any(seen[number].names_us for number in labelled):
        return None
    return labelled[-1]


def _start_of_attribution(seen: dict[int, _Evidence]) -> int | None:
    """Of a sentence such as "On … … wrote:", which may be wrapped: as few lines as say it."""
    taken: list[_Evidence] = []
    start = below = None
    for number, evidence in list(seen.items())[:MAX_ATTRIBUTION_LINES]:
        is_apart = below is not None and below - number > 1
        if start is not None and (is_apart or evidence.is_sentence or _is_whole(taken)):
            break
        if start is not None and not (evidence.has_date or evidence.names_us):
            break
        taken.append(evidence)
        below = number
        if _is_attribution(taken):
            start = number
    return start


def _is_whole(taken: Sequence[_Evidence]) -> bool:
    return any(line.names_us for line in taken) and any(line.has_date for line in taken)


def _is_attribution(taken: Sequence[_Evidence]) -> bool:
    """Whether these lines, the last one first, say who wrote and when."""
    ends_with_colon = taken[0].ends_with_colon
    has_date = any(line.has_date for line in taken)
    has_time = any(line.has_time for line in taken)
    names_us = any(line.names_us for line in taken)
    if any(line.has_our_address for line in taken):
        return has_date or has_time or ends_with_colon
    return ends_with_colon and (names_us or (has_date and has_time))


def _is_sure(taken: Sequence[_Evidence]) -> bool:
    """Whether a program wrote these lines: people introduce what they quote as well."""
    count = sum(line.word_count for line in taken)
    has_date = any(line.has_date for line in taken)
    says_wrote = any(line.says_wrote for line in taken)
    if any(line.has_our_address for line in taken) or (says_wrote and has_date):
        return True
    names_us = any(line.names_us for line in taken)
    most = MAX_DATED_WORDS if has_date else MAX_NAMED_WORDS if says_wrote else 0
    return names_us and count <= most
