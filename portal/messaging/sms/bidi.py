"""The writing direction of a text, which a phone takes from its first letter.

One mark before an Arabic sentence keeps names and dates at their places, and costs one letter.
Isolates around each name would cost two each and change nothing: our links are at the end, and
our names have no sign that changes direction.
"""

import unicodedata

from portal.i18n.languages import language_of

RIGHT_TO_LEFT_MARK = "\u200f"
"""RIGHT-TO-LEFT MARK: begins a text that is read from the right."""
STRONG_DIRECTIONS = {"L": False, "R": True, "AL": True}
"""Letters that have a direction, and whether that is to the left."""


def with_direction_mark(text: str, locale: str) -> str:
    """The text with a direction mark where this language needs one; idempotent.

    It is needed where the text has right-to-left letters and starts with another kind.
    """
    if language_of(locale).direction == "ltr" or text.startswith(RIGHT_TO_LEFT_MARK):
        return text
    letters = [
        STRONG_DIRECTIONS[kind]
        for character in text
        if (kind := unicodedata.bidirectional(character)) in STRONG_DIRECTIONS
    ]
    return f"{RIGHT_TO_LEFT_MARK}{text}" if any(letters) and not letters[0] else text
