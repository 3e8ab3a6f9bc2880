"""The types of the API's input fields: cursors, keys, bounded texts, and times (`web.times`)."""

import base64
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, WithJsonSchema

from portal.models import Channel
from portal.operations.transitions import MAX_REASON_LENGTH

_TWO_DIGITS = "(?:[MN][DTjz]|O[DT])[AEIMQUYcgk]"
_ONE_DIGIT = "(?:[MN][AQgw]|O[AQ])"
CURSOR_PATTERN = f"^(?:{_TWO_DIGITS}[w-z0-5]){{0,5}}(?:{_TWO_DIGITS}[w-z0-5]?|{_ONE_DIGIT})$"
"""What `encode_cursor` makes: the Base64 (RFC 4648, section 5) of 1 to 18 digits."""


def decode_cursor(value: object) -> int:
    """The id in an opaque cursor. Raises ValueError for a cursor that is not ours."""
    if not isinstance(value, str) or not re.fullmatch(CURSOR_PATTERN, value, re.ASCII):
        raise ValueError("Please send a next_cursor as it was given, or none.")
    return int(base64.urlsafe_b64decode(value.encode("ascii") + b"=="))


def encode_cursor(after: int | None) -> str | None:
    """The opaque cursor of the page after this id."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(str(after).encode()).decode().rstrip("=")


def check_printable(text: str) -> str:
    """The text. Raises ValueError with a sentence where no database stores it."""
    if "\x00" in text:
        raise ValueError("This holds a NUL, which no text can.")
    return text


def _as_integer(value: object) -> object:
    """JSON has one type of number: 3.0 is the integer 3 (JSON Schema 2020-12, 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Cursor = Annotated[
    int,
    BeforeValidator(decode_cursor),
    WithJsonSchema({"type": "string", "pattern": CURSOR_PATTERN, "maxLength": 24}),
]
Key = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(check_printable)]
Email = Annotated[
    str,
    Field(min_length=3, max_length=254, json_schema_extra={"format": "email"}),
    AfterValidator(check_printable),
]
NOT_BLANK = {"pattern": r"\S"}
"""For the description; the operation refuses blanks, with its own sentence."""
Reason = Annotated[
    str, Field(min_length=1, max_length=MAX_REASON_LENGTH, json_schema_extra=dict(NOT_BLANK))
]
Note = Annotated[str, Field(max_length=MAX_REASON_LENGTH)]
ShortText = Annotated[str, Field(max_length=254), AfterValidator(check_printable)]
Channels = Annotated[list[Literal[Channel.SMS, Channel.EMAIL]], Field(max_length=2)]
Version = Annotated[StrictInt, Field(ge=0, le=2**31 - 1), BeforeValidator(_as_integer)]
