"""What phrases were found in a text, and which of them explain most of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Match:
    """What was found in a text: its tokens are ``start`` to ``end``, without ``end``.

    ``cues`` are the meanings of all phrases of this length that begin here.
    """

    cues: frozenset[str]
    start: int
    end: int


NO_CUES: frozenset[str] = frozenset()


def choose_matches(matches: Iterable[Match], length: int) -> list[Match]:
    """The phrases that explain most of a text of so many tokens, and do not overlap.

    Of two ways the one with the longer phrases counts. Phrases of the same words count together.
    """
    spans: dict[tuple[int, int], frozenset[str]] = {}
    for match in matches:
        span = match.start, match.end
        spans[span] = spans.get(span, NO_CUES) | match.cues
    starting: dict[int, list[Match]] = {}
    for (start, end), cues in spans.items():
        starting.setdefault(start, []).append(Match(cues, start, end))
    scores = [0] * (length + 1)
    chosen: list[Match | None] = [None] * length
    for place in range(length - 1, -1, -1):
        scores[place] = scores[place + 1]
        longest_first = sorted(starting.get(place, ()), key=lambda match: -match.end)
        for match in longest_first:
            score = (match.end - place) ** 2 + scores[match.end]
            if score > scores[place] or (score == scores[place] and chosen[place] is None):
                scores[place], chosen[place] = score, match
    return list(_follow(chosen))


def _follow(chosen: Sequence[Match | None]) -> Iterator[Match]:
    place = 0
    while place < len(chosen):
        match = chosen[place]
        if match is not None:
            yield match
        place = match.end if match else place + 1
