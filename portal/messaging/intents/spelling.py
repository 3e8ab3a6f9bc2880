"""Words written with a slip of the thumb, read as the word that was meant. Pure."""

from collections.abc import Iterable, Mapping
from itertools import groupby

MIN_LENGTH = 5
"""Letters of a word that may have a slip; shorter words have too many neighbours."""
LONG_RUN = 3
"""A letter so often in a row is drawn out: "yesss"."""


class Spelling:
    """The words of a language, found with one letter wrong, missing, added or swapped.

    A word is compared by what is left of it with one letter taken out, which finds all four.
    """

    def __init__(self, words: Iterable[str], real_words: Iterable[str] = ()) -> None:
        """``real_words`` are words of their own, and never a slip of another."""
        self._words = frozenset(words)
        self._real_words = frozenset(real_words)
        self._shortened: Mapping[str, str] = {
            short: word
            for word in sorted(self._words, reverse=True)
            if len(word) >= MIN_LENGTH and _is_word(word)
            for short in (word, *shorten(word))
        }

        self._sorted: Mapping[tuple[str, str], str] = {
            _letters(word): word
            for word in sorted(self._words, reverse=True)
            if len(word) >= MIN_SWAPPED and _is_word(word)
        }

    def correct(self, word: str) -> str:
        """The word itself where it is known or nothing is near, else the word that was meant."""
        if word in self._words or word in self._real_words:
            return word
        for plain in shrink(word):
            if plain != word and plain in self._words:
                return plain
        swapped = self._sorted.get(_letters(word)) if len(word) >= MIN_SWAPPED else None
        if swapped:
            return swapped
        if not MIN_LENGTH <= len(word) <= MAX_LENGTH or not _is_word(word):
            return word
        near = (self._shortened.get(short) for short in (word, *shorten(word)))
        return next((meant for meant in near if meant and meant[0] == word[0]), word)


MAX_LENGTH = 24
MIN_SWAPPED = 4
"""Letters of a word that may have its letters in another order: "olny"."""


def _letters(word: str) -> tuple[str, str]:
    return word[0], "".join(sorted(word))


def shorten(word: str) -> list[str]:
    """The word with each letter taken out once."""
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def shrink(word: str) -> tuple[str, ...]:
    """The word with its drawn-out letters written twice, once, and every letter once."""
    runs = [(letter, len(list(run))) for letter, run in groupby(word)]
    if all(length < LONG_RUN for _, length in runs):
        return ()
    return tuple(
        "".join(
            letter * (most if length >= LONG_RUN else min(length, others))
            for letter, length in runs
        )
        for most, others in ((2, 2), (1, 2), (1, 1))
    )


def _is_word(word: str) -> bool:
    """Letters, or letters and digits as in "tb3ato"; no number."""
    return word.isalnum() and not word.isdecimal()
