"""What the sender of a reply wrote: without what we wrote, what it quotes, and its signature.

It runs in a child process with limits (``inbound``) and reads each line a bounded number of times.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.messaging.email.correspondence import Correspondence
from portal.messaging.email.own_text.quote_headers import HeaderFinder
from portal.messaging.email.own_text.sent_text import (
    QUOTE_MARK,
    SentText,
    find_sent_lines,
    words_of,
)
from portal.messaging.email.own_text.signatures import (
    last_lines,
    split_signature,
    without_device_lines,
)
from portal.messaging.email.quoted_text import split_lines, without_quotations

BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnText:
    """The sender's own text.

    ``words`` is what counts as said; ``shown`` is that, the signature, and a line that may be the
    header of a quotation. ``says_more``: what does not count may say something, so a person reads it.
    """

    words: str
    shown: str
    says_more: bool = False


@dataclass(frozen=True, slots=True)
class _Segment:
    """Lines of theirs between what is ours; ``is_header``: they may be a header of a quotation."""

    lines: list[str]
    is_header: bool = False


def read_own_text(text: str, known: Correspondence, *, is_html: bool = False) -> OwnText:
    """The sender's own text in a mail; it may be empty. ``is_html``: the text was a page."""
    lines = split_lines(text)
    words: list[str] = []
    shown: list[str] = []
    says_more = False
    earlier = [last_lines(text) for text in known.earlier]
    for segment in _remove_ours(lines, known, is_html=is_html):
        if segment.is_header:
            shown += ["", *segment.lines]
            says_more = True
            continue
        own = without_device_lines(without_quotations(segment.lines))
        signed = split_signature(own, known.their_marks, earlier, has_words=bool(words))
        says_more |= not signed.is_sure
        words += ["", *signed.above] if words else signed.above
        shown += ["", *own] if shown else own
    return OwnText(words=_joined(words), shown=_joined(shown), says_more=says_more)


def _joined(lines: Sequence[str]) -> str:
    return BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _remove_ours(lines: Sequence[str], known: Correspondence, *, is_html: bool) -> list[_Segment]:
    """The lines that are not ours, in segments between what is."""
    rest = find_sent_lines(lines, SentText.of(known.sent)) if known.sent else list(lines)
    ours = [line is None for line in rest]
    kept = [line or "" for line in rest]
    if kept == list(lines):
        return [_Segment(kept)]
    said = {tuple(words_of(line)) for text in known.earlier for line in text.split("\n")} - {()}
    theirs = [tuple(words_of(line)) in said for line in lines] if said else []
    taken, headers = _with_headers(lines, ours, theirs, known)
    if is_html:
        for number in _find_answers(lines, ours, taken):
            kept[number] = kept[number].strip().lstrip("> ")
    segments: list[_Segment] = [_Segment([])]
    for number, line in enumerate(kept):
        is_header = number in headers
        is_left_out = taken[number] and not is_header
        if is_left_out or segments[-1].is_header != is_header:
            segments.append(_Segment([], is_header))
        if not is_left_out:
            segments[-1].lines.append(lines[number] if is_header else line)
    return [segment for segment in segments if any(map(str.strip, segment.lines))]


def _with_headers(
    lines: Sequence[str], ours: Sequence[bool], theirs: Sequence[bool], known: Correspondence
) -> tuple[list[bool], set[int]]:
    """The lines that are ours, with the headers above; an earlier mail of theirs below a header.

    And of these the ones of which it is not sure that they are a header.
    """
    finder = HeaderFinder(known)
    taken = list(ours)
    doubtful: set[int] = set()
    floor = 0
    at = 0
    while at < len(lines):
        is_earlier = bool(theirs) and theirs[at] and not ours[at]
        if not (ours[at] or is_earlier):
            at += 1
            continue
        header = finder.find(lines, at, floor)
        start = header.start
        end = at
        source = theirs if is_earlier else ours
        while end < len(lines) and (source[end] or not lines[end].strip("> |")):
            end += 1
        if start < at or not is_earlier:
            taken[start:end] = [True] * (end - start)
            doubtful.update(range(start, at) if not header.is_sure else ())
        at = floor = end
    return taken, doubtful


def _find_answers(
    lines: Sequence[str], ours: Sequence[bool], taken: Sequence[bool]
) -> Iterator[int]:
    """The lines that were typed into the quotation of a page: they stand inside its mark."""
    worded = [number for number, line in enumerate(lines) if words_of(line)]
    for index, number in enumerate(worded[1:-1], start=1):
        if taken[number] or not QUOTE_MARK.match(lines[number]):
            continue
        before = next((n for n in reversed(worded[max(index - 8, 0) : index]) if taken[n]), None)
        after = next((n for n in worded[index + 1 : index + 9] if taken[n]), None)
        if before is not None and after is not None and ours[before] and ours[after]:
            yield number
