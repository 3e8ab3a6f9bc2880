"""Phrases of many languages found in one pass over a text.

A phrase is a line of words: ``<name>`` stands for a list of words, ``a/b`` for either, ``word?``
for a word that may be missing, ``word*`` or ``a/b*`` for up to three of them, ``...`` for up to
three words of any kind, ``#`` for a number, ``#ref`` for a reference, ``^`` and ``$`` for the
beginning and the end of a sentence or of a part between commas, which no phrase crosses; ``_``
joins words to one choice. All phrases become one automaton, whose states are worked out when a text
first needs them, so that the time to read a text is its length times the longest phrase.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from portal.messaging.intents.matches import NO_CUES, Match
from portal.messaging.intents.tokens import NUMBER, Token

LIST_LENGTH = 4
"""So many choices are kept as a list."""
MAX_REPEATS = 3
"""How often ``word*`` repeats, and how many words ``...`` stands for."""
ANY_WORD = "\0any"
OTHER_WORD = "\0other"
"""Any word that no phrase names."""
MAX_STATES = 50_000
"""So many states are kept, some 50 MB; strangers' texts make no more of them."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One line of a language's file: what it means (``cue``), and the line."""

    cue: str
    line: str


class _State:
    """Where a phrase may stand after some words: the words that go on, and what is found."""

    __slots__ = ("cues", "cues_at_end", "edges", "empty")

    def __init__(self) -> None:
        self.edges: dict[str, tuple[int, ...]] = {}
        self.empty: tuple[int, ...] = ()
        self.cues = NO_CUES
        self.cues_at_end = NO_CUES


class PhraseFinder:
    """An automaton of phrases."""

    def __init__(
        self,
        phrases: Iterable[Phrase],
        words: Mapping[str, str],
        barriers: frozenset[str] = frozenset(),
    ) -> None:
        """Build the states. ``words`` are the lists, ``barriers`` words that no gap stands for.

        Raises KeyError for a list that does not exist.
        """
        self._states = [_State(), _State()]
        self._choices: dict[str, list[tuple[str, ...]]] = {}
        self._lists_of: dict[str, list[str]] = {}
        for name, content in words.items():
            self._add_list(
                f"<{name}>",
                [tuple(map(sys.intern, choice.split("_"))) for choice in content.split()],
            )
        self._barriers = barriers
        for phrase in phrases:
            self._add(phrase.cue, phrase.line.split())
        labels = {label for state in self._states for label in state.edges} | self._lists_of.keys()
        self._vocabulary = labels - self._choices.keys() - {ANY_WORD, NUMBER}
        # They are many, and needed no more.
        self._choices.clear()
        self._forget()

    def _forget(self) -> None:
        """Keep only the beginnings of what texts have led to."""
        self._sets: dict[frozenset[int], int] = {}
        self._set_states: list[frozenset[int]] = []
        self._moves: list[dict[str, int]] = []
        self._cues: list[frozenset[str]] = []
        self._cues_at_end: list[frozenset[str]] = []
        self._beginnings: dict[int, dict[str, list[int]]] = {}
        self._inner_start = self._intern(self._close([0]))
        self._first_start = self._intern(self._close([0, 1]))

    @property
    def state_count(self) -> int:
        """How many states texts have led to, and are kept."""
        return len(self._set_states)

    def find(
        self, tokens: Sequence[Token], words: Sequence[str], ignored: AbstractSet[str] = frozenset()
    ) -> list[Match]:
        """Every phrase in a text, also those that overlap.

        ``words`` are the tokens' words as the phrases have them; ``ignored`` are meanings that are
        not looked for.
        """
        if self.state_count > MAX_STATES:
            self._forget()
        return [
            match
            for place in range(len(tokens))
            for match in self._starting_at(tokens, words, place, ignored)
        ]

    def _starting_at(
        self,
        tokens: Sequence[Token],
        words: Sequence[str],
        start: int,
        ignored: AbstractSet[str],
    ) -> Iterator[Match]:
        state = self._first_start if tokens[start].is_first else self._inner_start
        for place in range(start, len(tokens)):
            if place > start and tokens[place].is_first:
                break
            state = self._move(state, words[place])
            cues = self._cues[state]
            if tokens[place].is_last:
                cues |= self._cues_at_end[state]
            if cues - ignored:
                yield Match(cues - ignored, start, place + 1)
            if not self._set_states[state]:
                break

    def _move(self, state: int, word: str) -> int:
        if word not in self._vocabulary:
            word = NUMBER if word.isdecimal() else OTHER_WORD
        known = self._moves[state].get(word)
        if known is None:
            labels = self._labels(word)
            edges = self._edges(state)
            targets = [target for label in labels for target in edges.get(label, ())]
            known = self._moves[state][word] = self._intern(self._close(targets))
        return known

    def _edges(self, state: int) -> dict[str, list[int]]:
        """The words that go on from here, with where they lead; kept for the beginnings."""
        edges = self._beginnings.get(state)
        if edges is None:
            edges = {}
            for inner in self._set_states[state]:
                for label, targets in self._states[inner].edges.items():
                    edges.setdefault(label, []).extend(targets)
            if state in (self._inner_start, self._first_start):
                self._beginnings[state] = edges
        return edges

    def _labels(self, word: str) -> list[str]:
        """What the word goes by: itself, a number, any word, and the lists that have it."""
        labels = [word]
        if word.isdecimal():
            labels.append(NUMBER)
        if word not in self._barriers:
            labels.append(ANY_WORD)
        for label in labels:
            labels += [name for name in self._lists_of.get(label, ()) if name not in labels]
        return labels

    def _close(self, states: Sequence[int]) -> frozenset[int]:
        seen, waiting = set(states), list(states)
        while waiting:
            for target in self._states[waiting.pop()].empty:
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return frozenset(seen)

    def _intern(self, states: frozenset[int]) -> int:
        known = self._sets.get(states)
        if known is None:
            known = self._sets[states] = len(self._set_states)
            self._set_states.append(states)
            self._moves.append({})
            self._cues.append(self._cues_of(states, at_end=False))
            self._cues_at_end.append(self._cues_of(states, at_end=True))
        return known

    def _cues_of(self, states: frozenset[int], *, at_end: bool) -> frozenset[str]:
        reached = (self._states[state] for state in states)
        return frozenset().union(
            *(state.cues_at_end if at_end else state.cues for state in reached)
        )

    def _add_list(self, label: str, choices: Sequence[tuple[str, ...]]) -> None:
        """A list of words: its single words share one edge by its label, which saves memory."""
        for choice in choices:
            if len(choice) == 1:
                self._lists_of.setdefault(choice[0], []).append(label)
        self._choices[label] = [(label,), *(choice for choice in choices if len(choice) > 1)]

    def _add(self, cue: str, elements: list[str]) -> None:
        here = 0
        if elements[0] == "^":
            here, elements = 1, elements[1:]
        at_end = elements[-1] == "$"
        for element in elements[:-1] if at_end else elements:
            here = self._add_element(here, element)
        state = self._states[here]
        if at_end:
            state.cues_at_end |= {cue}
        else:
            state.cues |= {cue}

    def _add_element(self, here: int, element: str) -> int:
        if element == "...":
            return self._repeat(here, [(ANY_WORD,)])
        ending = element[-1] if len(element) > 1 and element[-1] in "?*" else ""
        choices = self._read_choices(element.removesuffix(ending))
        if ending == "*":
            return self._repeat(here, choices)
        after = self._new()
        self._connect(here, choices, after)
        if ending:
            self._states[here].empty += (after,)
        return after

    def _read_choices(self, element: str) -> list[tuple[str, ...]]:
        """The choices of an element; several words are kept as a list of their own."""
        if element not in self._choices:
            choices = [
                choice
                for part in element.split("/")
                for choice in (
                    self._choices[part]
                    if part.startswith("<")
                    else [tuple(map(sys.intern, part.split("_")))]
                )
            ]
            if len(choices) < LIST_LENGTH:
                return choices
            self._add_list(element, choices)
        return self._choices[element]

    def _repeat(self, here: int, choices: list[tuple[str, ...]]) -> int:
        after = self._new()
        self._states[here].empty += (after,)
        for _ in range(MAX_REPEATS):
            there = self._new()
            self._connect(here, choices, there)
            self._states[there].empty += (after,)
            here = there
        return after

    def _connect(self, here: int, choices: list[tuple[str, ...]], after: int) -> None:
        """From one state to another by each choice; choices that begin alike share their states."""
        begun: dict[tuple[str, ...], int] = {(): here}
        for choice in choices:
            for length in range(1, len(choice)):
                if choice[:length] not in begun:
                    begun[choice[:length]] = self._new()
                    self._lead(
                        begun[choice[: length - 1]], choice[length - 1], begun[choice[:length]]
                    )
            self._lead(begun[choice[:-1]], choice[-1], after)

    def _lead(self, state: int, word: str, there: int) -> None:
        edges = self._states[state].edges
        edges[word] = (*edges.get(word, ()), there)

    def _new(self) -> int:
        self._states.append(_State())
        return len(self._states) - 1
