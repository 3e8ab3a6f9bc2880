"""The languages of replies, read from their files: ``languages/*.toml``.

A file has lists of words (``[words]``), words around a time (``[times]``) and, by question and meaning (``[arrival.yes]``), phrases,
a line each, with examples: a reply that the phrase must find, or, after ``!``, must not find in
that meaning. The examples are tests.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from portal.messaging.intents.matches import NO_CUES, Match
from portal.messaging.intents.phrases import Phrase, PhraseFinder
from portal.messaging.intents.spelling import Spelling
from portal.messaging.intents.tokens import REFERENCE, Token, fold_letters

FOLDER = Path(__file__).parent / "languages"
COMMON = "common"
"""The file of keywords and signs that count in each language."""
LANGUAGES = {"en": "en", "es": "es", "ar": "ar", "ar-latn": "ar"}
"""Each file, and the language that it is of: Arabic is also written in Latin letters."""


NOT_PHRASES = ("words", "language", "times")
"""The headings of a file that have no phrases."""
CHOICE_CUES = frozenset({"which.choice"})
NOT_BESIDE = frozenset({"any.stop_word", "any.start"})
PARTS = re.compile(r"(?<![<\w])#ref|[^\W_]+(?!\w*>)|[^\w\s<>/?*^$#.!_]")
"""The words and signs of a phrase; the names of lists are left out."""
BARRIER_CUES = frozenset(
    {"any.negation", "any.condition", "any.trouble", "any.correction", "any.stop_word"}
)
"""Meanings that no gap of a phrase may hide."""
KEYWORD_CUES = frozenset({"any.stop_word", "any.stop_alone", "any.start", "any.help"})
LONG_KEYWORD = 8
"""A keyword of so many letters has no neighbour that is a word too: "unsubscribe"."""


@dataclass(frozen=True)
class Language:
    """One language's phrases. ``code`` is the language, ``name`` its file.

    ``asks_back_no_that_came``: "No, it came" may mean both in it. ``corrects_slips``: its words have
    one spelling. The phrases become an automaton when a text first needs them.
    """

    name: str
    code: str
    phrases: Sequence[Phrase]
    lists: Mapping[str, str]
    real_words: Sequence[str]
    prefixes: Sequence[str]
    asks_back_no_that_came: bool
    corrects_slips: bool

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The words that its phrases have."""
        parts = (part for phrase in self.phrases for part in PARTS.findall(phrase.line))
        listed = (word for content in self.lists.values() for word in PARTS.findall(content))
        return frozenset((*parts, *listed))

    @cached_property
    def spelling(self) -> Spelling:
        """Its words, found with a slip."""
        keywords = single_words(self.phrases, self.lists, KEYWORD_CUES)
        short = (word for word in keywords if len(word) < LONG_KEYWORD)
        return Spelling(self.vocabulary, self.real_words, short)

    @cached_property
    def finder(self) -> PhraseFinder:
        """The automaton of its phrases."""
        barriers = single_words(self.phrases, self.lists, BARRIER_CUES)
        return PhraseFinder(self.phrases, self.lists, barriers)

    def read_word(self, word: str) -> str:
        """The word as the phrases have it: without a prefix, and with its slip put right."""
        if word in self.vocabulary or word == REFERENCE:
            return word
        for prefix in self.prefixes:
            if word.startswith(prefix) and word[len(prefix) :] in self.vocabulary:
                return word[len(prefix) :]
        return self.spelling.correct(word) if self.corrects_slips else word

    def score(self, words: Sequence[str]) -> int:
        """How many of the words are of this language."""
        return sum(word in self.vocabulary for word in words)

    def find(self, tokens: Sequence[Token], *, is_choice: bool) -> list[Match]:
        """Every phrase in these tokens, also those that overlap.

        ``is_choice``: "which?" was asked; what answers it means nothing elsewhere.
        """
        words = [self.read_word(token.text) for token in tokens]
        return self.finder.find(tokens, words, NO_CUES if is_choice else CHOICE_CUES)

    def find_beside(
        self, tokens: Sequence[Token], left: AbstractSet[int], *, is_choice: bool
    ) -> list[Match]:
        """The phrases in a text that is mainly in another language, as in "Sí, it came".

        ``left`` are the places of the words that the other language does not explain: a phrase
        counts that has one of them. A keyword counts only where the whole message is in its language.
        No slip is put right.
        """
        words = [token.text for token in tokens]
        is_own = [word in self.vocabulary and place in left for place, word in enumerate(words)]
        if not any(is_own):
            return []
        ignored = NOT_BESIDE if is_choice else NOT_BESIDE | CHOICE_CUES
        return [
            match
            for match in self.finder.find(tokens, words, ignored)
            if any(is_own[match.start : match.end])
        ]


def examples(name: str) -> Iterator[tuple[str, str, str]]:
    """Each meaning, phrase and example of a file; an example to be missed begins with ``!``."""
    for cue, line, replies in _lines(_load(name)):
        for reply in replies:
            yield cue, line, reply


@cache
def time_lists() -> Mapping[str, str]:
    """The lists of words around a time (``[times]``) by name, each of all languages."""
    lists: dict[str, str] = {}
    for name in LANGUAGES:
        for key, words in _load(name).get("times", {}).items():
            lists[key] = f"{lists.get(key, '')} {words}"
    return lists


@cache
def languages() -> Mapping[str, Language]:
    """All languages by the name of their file."""
    return {name: _read_language(name) for name in LANGUAGES}


def preload(names: Iterable[str] = ()) -> None:
    """Read the files and build the automata of these languages, in one to three seconds."""
    for language in languages().values():
        _ = language.vocabulary
        if language.name in names:
            _ = language.finder
            if language.corrects_slips:
                _ = language.spelling


def _read_language(name: str) -> Language:
    own, common = _load(name), _load(COMMON)
    lists = {**common.get("words", {}), **own.get("words", {})}
    phrases = [
        Phrase(cue, fold_letters(line))
        for content in (own, common)
        for cue, line, _ in _lines(content)
    ]
    about = own.get("language", {})
    return Language(
        name,
        LANGUAGES[name],
        phrases,
        {key: fold_letters(words) for key, words in lists.items()},
        fold_letters(about.get("real_words", "")).split(),
        fold_letters(about.get("prefixes", "")).split(),
        about.get("asks_back_no_that_came", False),
        about.get("corrects_slips", True),
    )


def single_words(
    phrases: Iterable[Phrase], words: Mapping[str, str], cues: AbstractSet[str]
) -> frozenset[str]:
    """The single words that have one of these meanings by themselves."""
    lines = (phrase.line.strip("^$ ") for phrase in phrases if phrase.cue in cues)
    choices = (choice for line in lines if " " not in line for choice in line.split("/"))
    return frozenset(
        word
        for choice in choices
        for word in (words[choice.strip("<>")].split() if choice.startswith("<") else [choice])
        if "_" not in word
    )


def _load(name: str) -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _lines(content: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, list[str]]]:
    for question, meanings in content.items():
        if question in NOT_PHRASES:
            continue
        for meaning, lines in meanings.items():
            for line, replies in lines.items():
                yield f"{question}.{meaning}", line, replies
