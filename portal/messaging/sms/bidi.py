"""Which way a text runs. A phone takes that from its first letter, and ours is often our name's.

One mark before an Arabic sentence keeps names and dates in it where they were said, and costs one
letter. Isolates around each name would cost two each and change nothing that is read: our links
stand at the end, and our names hold no sign that turns.
"""

import unicodedata

from portal.i18n.languages import language_of

RIGHT_TO_LEFT_MARK = "\u200f"
"""RIGHT-TO-LEFT MARK: begins a text that is read from the right."""
STRONG_DIRECTIONS = {"L": False, "R": True, "AL": True}
"""Letters that have a direction, and whether that is to the left."""


def with_direction_mark(text: str, locale: str) -> str:
    """The words for a phone of somebody who reads this language: marked where they need it.

    That is where there are letters read from the right and another kind comes first. Done twice
    it changes nothing more.
    """
    if language_of(locale).direction == "ltr" or text.startswith(RIGHT_TO_LEFT_MARK):
        return text
    letters = [
        STRONG_DIRECTIONS[kind]
        for one in text
        if (kind := unicodedata.bidirectional(one)) in STRONG_DIRECTIONS
    ]
    return f"{RIGHT_TO_LEFT_MARK}{text}" if any(letters) and not letters[0] else text
