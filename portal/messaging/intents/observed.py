"""What stands in a message: the phrases that were found, where, and what they leave. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from portal.messaging.intents.language import Language, languages
from portal.messaging.intents.matches import Match, choose_matches
from portal.messaging.intents.tokens import Token, Tokens, tokenize

MAX_NAMES = 2
"""Words of a name at the end of a message."""
ASKING = ("any.ask", "any.price", "any.status", "any.call")
"""Phrases that begin a question."""


BEFORE_ANSWER = (
    "any.filler", "any.courtesy", "any.thanks", "any.fine", "any.yes", "any.no", "any.sign_no",
    "any.correction", "any.sarcasm", "any.sad",
)  # fmt: skip
"""What may stand before an answer in its part."""


@dataclass(frozen=True)
class Observed:
    """A message's tokens and the phrases found in them.

    ``language`` is the one that most of its words are of.
    """

    tokens: Sequence[Token]
    questions: frozenset[int]
    matches: Sequence[Match]
    language: Language
    is_plain: bool

    @cached_property
    def cues(self) -> frozenset[str]:
        """The meanings of all phrases found."""
        return frozenset().union(*(match.cues for match in self.matches))

    @cached_property
    def leftover(self) -> Sequence[Token]:
        """The words that no phrase explains, of two letters and more."""
        covered = {place for match in self.matches for place in range(match.start, match.end)}
        return [
            token
            for place, token in enumerate(self.tokens)
            if place not in covered and len(token.text) > 1 and token.text.isalpha()
        ]

    @cached_property
    def leaves_number(self) -> bool:
        """Whether a number stands in no phrase of more words: it may be another price."""
        told = {
            place
            for match in self.matches
            if match.end - match.start > 1
            for place in range(match.start, match.end)
        }
        return any(
            token.text.isdecimal() and place not in told for place, token in enumerate(self.tokens)
        )

    @cached_property
    def has_only_names(self) -> bool:
        """Whether the words that no phrase explains are a name at the end: "Thanks, Mike"."""
        last = self.tokens[-MAX_NAMES:]
        return all(token in last and not token.raw[0].islower() for token in self.leftover)

    def has(self, *cues: str) -> bool:
        """Whether one of these meanings was found."""
        return not self.cues.isdisjoint(cues)

    def find(self, cues: Iterable[str]) -> Iterator[Match]:
        """The phrases with one of these meanings, in their order."""
        wanted = frozenset(cues)
        return (match for match in self.matches if not match.cues.isdisjoint(wanted))

    def says(self, cues: Iterable[str]) -> Sequence[Match]:
        """The phrases with one of these meanings that are not asked."""
        return [match for match in self.find(cues) if not self.is_asked(match)]

    def affirms(self, cues: Iterable[str]) -> Sequence[Match]:
        """The phrases with one of these meanings that are neither asked nor denied."""
        return [
            match for match in self.says(cues) if self.tokens[match.start].part not in self._denied
        ]

    def leads(self, matches: Iterable[Match]) -> Sequence[Match]:
        """Those that begin or end a part of the message, as an answer does and no mere word.

        Before an answer only words may stand that say nothing.
        """
        quiet = {
            place for match in self.find(BEFORE_ANSWER) for place in range(match.start, match.end)
        }
        return [
            match
            for match in matches
            if self.tokens[match.end - 1].is_last or self._begins(match, quiet)
        ]

    def _begins(self, match: Match, quiet: AbstractSet[int]) -> bool:
        for place in range(match.start - 1, -1, -1):
            if self.tokens[place].part != self.tokens[match.start].part:
                break
            if place not in quiet:
                return False
        return True

    def is_asked(self, match: Match) -> bool:
        """Whether the phrase stands in a question, and not before the words that ask it."""
        part = self.tokens[match.start].part
        return part in self.questions and not match.start < self._asked_from.get(part, -1)

    @cached_property
    def _asked_from(self) -> Mapping[int, int]:
        """Where the last phrase that begins a question stands in each part."""
        return {self.tokens[match.start].part: match.start for match in self.find(ASKING)}

    @cached_property
    def _denied(self) -> frozenset[int]:
        """The parts that have a word of negation."""
        return frozenset(self.tokens[match.start].part for match in self.find(["any.negation"]))

    def quote(self, match: Match) -> str:
        """The words of a phrase as they were written."""
        return " ".join(token.raw for token in self.tokens[match.start : match.end])

    def word(self, match: Match) -> str:
        """The words of a phrase, small and plain."""
        return " ".join(token.text for token in self.tokens[match.start : match.end])

    def has_number(self, match: Match) -> bool:
        """Whether a number stands in the phrase."""
        return any(
            letter.isdecimal()
            for token in self.tokens[match.start : match.end]
            for letter in token.text
        )

    def consists_of(self, *cues: str) -> bool:
        """Whether it is made of phrases with these meanings and nothing else."""
        covered = sum(
            match.end - match.start for match in self.matches if not match.cues.isdisjoint(cues)
        )
        return covered == len(self.tokens) > 0


def observe(text: str, locale: str, *, is_choice: bool = False) -> Observed:
    """Find the phrases of the language it is in, and then those of the others in what is left.

    ``is_choice``: the message may answer "which?".
    """
    read: Tokens = tokenize(text)
    ranked = _rank(read.tokens, locale)
    main, main_score = ranked[0]
    matches = main.find(read.tokens, is_choice=is_choice)
    explained = {
        place
        for match in choose_matches(matches, len(read.tokens))
        for place in range(match.start, match.end)
    }
    left = {
        place
        for place, token in enumerate(read.tokens)
        if place not in explained or token.text not in main.vocabulary
    }
    own = locale.lower()[:2]
    for language, score in ranked[1:]:
        # Arabic in Latin letters is looked for in the messages of those who may write it.
        if score and language.code in (language.name, own):
            matches += language.find_beside(read.tokens, left, is_choice=is_choice)
    matches = choose_matches(matches, len(read.tokens))
    is_plain = main_score > 0 and all(
        score < main_score for language, score in ranked[1:] if language.code != main.code
    )
    return Observed(read.tokens, read.questions, matches, main, is_plain)


def _rank(tokens: Sequence[Token], locale: str) -> list[tuple[Language, int]]:
    """The languages by how many of the words they know; the customer's own where it is even.

    Arabic in Latin letters, which takes words from English, comes after English that is known whole.
    """
    own = locale.lower()[:2]
    words = [token.text for token in tokens if token.text.isalnum() and not token.text.isdecimal()]
    scored = [(language, language.score(words)) for language in languages().values()]
    is_english = bool(words) and languages()["en"].score(words) == len(words)
    return sorted(
        scored,
        key=lambda pair: (
            -pair[1],
            is_english and pair[0].name != pair[0].code,
            pair[0].code != own,
        ),
    )
