"""Page cursors of the desk's lists, as text for a URL."""

from datetime import UTC, datetime, timedelta

from portal.errors import BadInput
from portal.queries.desk.board import PageCursor

PAGE_SIZE = 25
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_cursor(cursor: PageCursor) -> str:
    """A page cursor as text for a URL: microseconds since 1970 UTC and an id."""
    return f"{(cursor.at - EPOCH) // timedelta(microseconds=1)}.{cursor.id}"


def decode_cursor(text: str) -> PageCursor:
    """The page cursor of that text. Raises BadInput."""
    at, _, number = text.partition(".")
    if not (at.isascii() and at.isdecimal() and number.isascii() and number.isdecimal()):
        raise BadInput("This page of the board cannot be found. Please begin at its top.")
    if len(at) > 17 or len(number) > 18:
        raise BadInput("This page of the board cannot be found. Please begin at its top.")
    return PageCursor(EPOCH + timedelta(microseconds=int(at)), int(number))
