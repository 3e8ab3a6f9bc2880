"""The conversation on the status page: plain values in the customer's language. Times are UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from portal.attachments.stored_file import StoredFile

TOGETHER = timedelta(minutes=10)
"""Messages of one author within this time have one line that says who wrote them and when."""


@dataclass(frozen=True, slots=True)
class AttachmentLine:
    """A photo or document that came with a message.

    Without ``stored_file`` and ``rejected`` (the reason) it is still being fetched. ``needs_code``
    is its kind where a code must be shown first; the other fields are then empty.
    """

    key: str
    stored_file: StoredFile | None = None
    rejected: str = ""
    needs_code: Literal["", "photo", "paper"] = ""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One message of the conversation. `author` is a person or the brand; None is the customer.

    `channel` is how it came: by text, by WhatsApp, by e-mail, or written on this page. `is_receipt`: it only says
    that we have the customer's message, and who answers by when.
    """

    key: str
    body: str
    at: datetime
    author: str | None
    channel: Literal["sms", "whatsapp", "email", "web"] = "web"
    is_receipt: bool = False
    files: tuple[AttachmentLine, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document that staff gave to the customer, and when."""

    file: AttachmentLine
    at: datetime


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of the conversation.

    ``shows_way``: it says how the message came, the first of its day and after a change.
    ``shows_time``: it says who wrote it and when, the last of several at a time.
    """

    line: ConversationLine
    shows_way: bool
    shows_time: bool


def show_lines(lines: Sequence[ConversationLine], timezone: str) -> tuple[ShownLine, ...]:
    """The lines with what each says of its author, way and time; days are those of the customer."""
    zone, shown = ZoneInfo(timezone), []
    spoken_way: tuple[object, str] | None = None
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        shows_time = not line.is_receipt and (
            following is None
            or following.is_receipt
            or (line.author, line.channel) != (following.author, following.channel)
            or following.at - line.at > TOGETHER
        )
        way = (line.at.astimezone(zone).date(), line.channel)
        shown.append(ShownLine(line, shows_time and way != spoken_way, shows_time))
        spoken_way = way if shows_time else spoken_way
    return tuple(shown)
