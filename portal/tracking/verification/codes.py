"""Codes as customers enter them: their digits, and an answer whose time reveals nothing."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from portal.errors import PortalError
from portal.i18n.lazy_string import LazyString

MIN_RESPONSE_SECONDS = 0.1
"""Seconds until a wrong code is answered, so that the time does not reveal why it is wrong."""
MAX_INPUT_LENGTH = 40
WRONG_CODE = LazyString(
    "This code does not work. Perhaps it is mistyped or too old: please look at our newest message, "
    "or let us send you another."
)


@asynccontextmanager
async def after_a_moment() -> AsyncIterator[None]:
    """A refusal within leaves after MIN_RESPONSE_SECONDS at the earliest."""
    answer_at = asyncio.get_running_loop().time() + MIN_RESPONSE_SECONDS
    try:
        yield
    except PortalError:
        await asyncio.sleep(max(0.0, answer_at - asyncio.get_running_loop().time()))
        raise


def as_digits(text: str) -> str:
    """The digits of any script as ASCII; empty for an overlong input."""
    if len(text) > MAX_INPUT_LENGTH:
        return ""
    return "".join(str(unicodedata.decimal(digit)) for digit in text if digit.isdecimal())
