"""What a person types as one line: a name, a title, a note."""

from portal.messaging.sms.gsm_text import DIRECTION_MARKS, INVISIBLE, JOINERS


def one_line(text: str) -> str:
    """The text as one line of printable characters; others, such as NUL, become spaces.

    Zero-width characters and direction marks go; a joiner between letters that are written with
    it is kept, as in Persian names.
    """
    text = JOINERS.sub("", INVISIBLE.sub("", DIRECTION_MARKS.sub("", text)))
    kept = (c if c.isprintable() or c in "\u200c\u200d" else " " for c in text)
    return " ".join("".join(kept).split())
