"""Words written with a slip of the thumb, read as the word that was meant. Pure."""

from collections.abc import Iterable, Mapping
from itertools import groupby

MIN_LENGTH = 5
"""Letters of a word that may have a slip; shorter words have too many neighbours."""
MIN_SWAPPED = 4
"""Letters of a word that may have two neighbouring letters swapped: "olny"."""
MAX_LENGTH = 24
"""Letters of the longest word that is looked at."""
LONG_RUN = 3
"""A letter so often in a row is drawn out: "yesss"."""


class Spelling:
    """The words of a language, found with one letter wrong, missing, added or swapped.

    A word is compared by what is left of it with one letter taken out, which finds all four; two
    words that are further apart than that and meet there are not taken for each other.
    """

    def __init__(
        self,
        words: Iterable[str],
        real_words: Iterable[str] = (),
        keywords: Iterable[str] = (),
    ) -> None:
        """``real_words`` are words of their own, and never a slip of another.

        Of ``keywords`` only two swapped letters are a slip: "spot" and "star" are words too.
        """
        self._words = frozenset(words)
        self._real_words = frozenset(real_words)
        keyed = frozenset(keywords)
        near = sorted((word for word in self._words if _is_word(word)), reverse=True)
        self._shortened: Mapping[str, str] = {
            short: word
            for word in near
            if len(word) >= MIN_LENGTH and word not in keyed
            for short in (word, *shorten(word))
        }
        self._swapped: Mapping[str, str] = {
            swapped: word for word in near if len(word) >= MIN_SWAPPED for swapped in _swap(word)
        }

    def correct(self, word: str) -> str:
        """The word itself where it is known or nothing is near, else the word that was meant."""
        if word in self._words or word in self._real_words:
            return word
        for plain in shrink(word):
            if plain != word and plain in self._words:
                return plain
        if swapped := self._swapped.get(word):
            return swapped
        if not MIN_LENGTH <= len(word) <= MAX_LENGTH or not _is_word(word):
            return word
        near = (self._shortened.get(short) for short in (word, *shorten(word)))
        return next((meant for meant in near if meant and _is_slip(word, meant)), word)


def _is_slip(word: str, meant: str) -> bool:
    """Whether one letter is wrong, missing or added, and the first one is right."""
    if word[0] != meant[0] or abs(len(word) - len(meant)) > 1:
        return False
    start = next(
        (place for place, pair in enumerate(zip(word, meant, strict=False)) if pair[0] != pair[1]),
        min(len(word), len(meant)),
    )
    rest, meant_rest = word[start:], meant[start:]
    return rest[1:] in (meant_rest[1:], meant_rest) or rest == meant_rest[1:]


def _swap(word: str) -> list[str]:
    """The word with each two neighbouring letters after the first swapped once."""
    return [
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(1, len(word) - 1)
        if word[place] != word[place + 1]
    ]


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
