"""Finds in a reply what we wrote ourselves: by its words, whatever a mail program puts around them.

A quotation may be wrapped at another width, marked or not, in parts, and with links written in any
way, so runs of words are compared and not lines. It takes time linear in the length of the reply.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape

from portal.messaging.email.correspondence import MAX_TEXT_LENGTH

RUN = 4
"""Words in a row that are compared."""
ANCHOR = 8
"""Words in a row that nobody writes by chance as we wrote them."""
URL = re.compile(r"(?:https?://|mailto:|www\.)[^\s<>\"]+", re.IGNORECASE)
WORD = re.compile(r"[⺀-鿿가-힣]|[^\W_⺀-鿿가-힣]+")
"""A word, or a single letter of a script that puts no spaces between words."""
PART_OF_LINK = re.compile(r"(?=\S*[\d/#?=&_])\S{6,500}")
"""A piece that a mail server has broken off a link; a word is none."""
SENTENCE_END = re.compile(r"[.!?;:؟。]+\s")
QUOTE_MARK = re.compile(r"\s*[>|]")
INVISIBLE_CATEGORY = "Cf"


def plain_letters(text: str) -> str:
    """The text without direction marks and other invisible characters, and with plain spaces."""
    if text.isascii():
        return text
    return "".join(
        " " if character == "\xa0" else character
        for character in text
        if unicodedata.category(character) != INVISIBLE_CATEGORY
    )


def words_of(text: str) -> list[str]:
    """The words to compare: no links, no marks, no difference of case and of compatible letters."""
    said = unescape(text) if "&" in text else text
    said = plain_letters(URL.sub(" ", said))
    if not said.isascii():
        said = unicodedata.normalize("NFKC", said)
    return WORD.findall(said.casefold())


@dataclass(slots=True)
class SentText:
    """The words of what we sent, for comparison: runs, whole lines and sentences, and links."""

    runs: set[tuple[str, ...]] = field(default_factory=set)
    pieces: set[tuple[str, ...]] = field(default_factory=set)
    labels: set[tuple[str, ...]] = field(default_factory=set)
    links: str = ""

    @classmethod
    def of(cls, texts: Sequence[str]) -> "SentText":
        """Those of these texts."""
        sent, links = cls(), set()
        for text in texts:
            kept = text[:MAX_TEXT_LENGTH]
            words = words_of(kept)
            sent.runs.update(zip(*(words[at:] for at in range(RUN)), strict=False))
            for line in kept.split("\n"):
                found = URL.findall(line)
                links.update(found)
                if found:
                    sent.labels.add(tuple(words_of(line)))
                for piece in (line, *SENTENCE_END.split(f"{line} ")):
                    if len(said := words_of(piece)) > 1:
                        sent.pieces.add(tuple(said))
        sent.links = "\n".join(links)
        return sent


@dataclass(slots=True)
class _Line:
    """A line of the reply; ``longest`` is the shortest run of ours that a word of it lies in."""

    text: str
    words: list[str]
    is_marked: bool
    runs: list[int] = field(default_factory=list)
    is_ours: bool = False

    @property
    def is_within_anchors(self) -> bool:
        return bool(self.words) and min(self.runs) >= ANCHOR


def find_sent_lines(lines: Sequence[str], sent: SentText) -> list[str | None]:
    """Each line as far as it is not ours: None where all of it is."""
    read = [_Line(line, words_of(line), bool(QUOTE_MARK.match(line))) for line in lines]
    _measure(read, sent, is_broken_at_marks=True)
    for line in read:
        line.is_ours = line.is_within_anchors or _is_our_link(line, sent)
    _keep_inserted(read, sent)
    if any(line.is_ours for line in read):
        _add_short_lines(read, sent)
        _add_rewrapped_ends(read, sent)
        _add_between(read)
    return [None if line.is_ours else _without_ours(line) for line in read]


def _is_our_link(line: _Line, sent: SentText) -> bool:
    """Whether it is a link of ours behind its label."""
    found = URL.search(line.text)
    is_label = tuple(line.words) in sent.labels
    return bool(found and is_label and found[0].rstrip(">)].,") in sent.links)


def _without_ours(line: _Line) -> str:
    """The line without words of ours in a row that stand beside others in it."""
    if sum(run >= ANCHOR for run in line.runs) < ANCHOR:
        return line.text
    chunks = line.text.split()
    counts = [len(words_of(chunk)) for chunk in chunks]
    if sum(counts) != len(line.words):
        return line.text  # What is a word depends on its neighbours.
    kept, at, was_ours = [], 0, False
    for chunk, count in zip(chunks, counts, strict=True):
        runs = line.runs[at : at + count]
        was_ours = min(runs) >= ANCHOR if runs else was_ours
        at += count
        if not was_ours:
            kept.append(chunk)
    return " ".join(kept)


def _measure(read: Sequence[_Line], sent: SentText, *, is_broken_at_marks: bool) -> None:
    """Give each word the length of the run of ours that it lies in."""
    stream: list[tuple[str, int]] = []
    was_marked = False
    for number, line in enumerate(read):
        if is_broken_at_marks and line.words and line.is_marked != was_marked:
            stream.append(("", number))
            was_marked = line.is_marked
        stream.extend((word, number) for word in line.words)
        line.runs = []
    lengths = _run_lengths([word for word, _ in stream], sent.runs)
    for (word, number), length in zip(stream, lengths, strict=True):
        if word:
            read[number].runs.append(length)


def _run_lengths(words: Sequence[str], runs: set[tuple[str, ...]]) -> list[int]:
    """For each word the length of the longest run of ours that it lies in."""
    lengths = [0] * len(words)
    start: int | None = None
    for at in range(len(words) + 1):
        if tuple(words[at : at + RUN]) in runs:
            start = at if start is None else start
        elif start is not None:
            end = at - 1 + RUN
            for number in range(start, end):
                lengths[number] = max(lengths[number], end - start)
            start = None
    return lengths


def _keep_inserted(read: Sequence[_Line], sent: SentText) -> None:
    """A short line without which the lines around it go on as we wrote them was put between them.

    "No" below "Yes: …" reads like the "No: …" that follows.
    """
    flat = [word for line in read for word in line.words]
    start = 0
    for line in read:
        end = start + len(line.words)
        around = tuple(flat[max(start - RUN // 2, 0) : start] + flat[end : end + RUN // 2])
        if len(line.words) < RUN and not URL.search(line.text) and around in sent.runs:
            line.is_ours = False
        start = end


def _add_short_lines(read: Sequence[_Line], sent: SentText) -> None:
    """Below the first line of ours a whole line or sentence of ours is ours, and so is our link."""
    first = next(number for number, line in enumerate(read) if line.is_ours)
    is_marked = read[first].is_marked
    for number, line in enumerate(read):
        link = line.text.strip().lstrip("> ").strip("<>[]()")
        is_link = bool(PART_OF_LINK.fullmatch(link)) and link in sent.links
        if line.is_ours or (line.is_marked != is_marked and not is_link):
            continue
        said = tuple(line.words)
        has_link = bool(URL.search(line.text))
        is_piece = number > first and (said in sent.pieces or (has_link and said in sent.labels))
        line.is_ours = is_link or is_piece


def _add_rewrapped_ends(read: Sequence[_Line], sent: SentText) -> None:
    """The end of a quoted line that a mail server has wrapped bears no mark."""
    loose = [
        line
        for before, line, after in zip(read, read[1:], read[2:], strict=False)
        if not (line.is_marked or line.is_ours) and line.words and before.is_marked
        and before.words and after.is_marked and len(line.words) > 1
    ]  # fmt: skip
    if loose:
        _measure(read, sent, is_broken_at_marks=False)
        for line in loose:
            line.is_ours = line.is_within_anchors


def _add_between(read: Sequence[_Line]) -> None:
    """A line of ours of which a word was changed on the way; blank lines and links between ours."""
    worded = [line for line in read if line.words]
    for before, line, after in zip(worded, worded[1:], worded[2:], strict=False):
        known = sum(run >= RUN for run in line.runs)
        is_long = line.is_marked or known >= ANCHOR
        if before.is_ours and after.is_ours and is_long and known * 5 >= len(line.runs) * 4:
            line.is_ours = True
    for block in _blocks_without_words(read):
        ours = block[0] > 0 and read[block[0] - 1].is_ours
        if ours and block[-1] + 1 < len(read) and read[block[-1] + 1].is_ours:
            for number in block:
                read[number].is_ours = True


def _blocks_without_words(read: Sequence[_Line]) -> Iterator[list[int]]:
    block: list[int] = []
    for number, line in enumerate(read):
        if line.words:
            if block:
                yield block
            block = []
        else:
            block.append(number)
    if block:
        yield block
