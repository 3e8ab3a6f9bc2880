"""The top headers of an incoming e-mail: for whom it is, from whom, and whether a person wrote it.

It is read before the rest and decides whether the rest is read at all, so it takes time linear in
``MAX_HEAD_BYTES``.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import getaddresses

from portal.messaging.email.charsets import decode_text, decoded_header
from portal.messaging.email.machines import (
    DAEMON_SENDER,
    POSTMASTER,
    Sign,
    header_signs,
    is_automatic,
)

MAX_HEAD_BYTES = 200_000
"""Bytes that are looked at; Exchange and Postfix accept no longer heads either."""
MAX_VALUE_LENGTH = 2_000
"""Characters of one header's values that are read."""
MAX_RECIPIENTS_LENGTH = 20_000
"""Characters of all recipients that are read: a reply to hundreds of people has as many."""
MAX_ID_LENGTH = 200
"""Characters; a longer Message-ID is known by its hash."""
RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
HEADER_LINE = re.compile(r"([!-9;-~]+):(.*)", re.DOTALL)
LINE_END = re.compile(rb"\r\n|\r|\n")
HEAD_END = re.compile(rb"\r\n\r\n|\n\n")
MESSAGE_ID_PATTERN = re.compile(r"<[!-;=?-~]+>")
MAX_NAMED_IDS = 50
"""Message-IDs that are read of In-Reply-To and References."""

Headers = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the top headers say; all of it is untrusted.

    ``sender`` is a lower-case address or empty, ``sender_name`` the name beside it. ``signs`` speak
    for a machine. ``is_returned``: it is a report of a mail server, or comes from the null sender
    (RFC 5321, 4.5.5); ``may_be_bounce``: that, or a mail server sends it. ``failed_recipients`` are
    those that a mail server names there. ``answered_ids`` are the mails that it answers, the nearest
    first. ``digest`` is of what follows the headers. ``is_whole``: the headers end within ``MAX_HEAD_BYTES``.
    """

    message_id: str
    sender: str
    recipients: str
    subject: str
    signs: frozenset[Sign] = frozenset()
    sender_name: str = ""
    answered_ids: tuple[str, ...] = ()
    failed_recipients: str = ""
    digest: str = ""
    is_returned: bool = False
    may_be_bounce: bool = False
    is_whole: bool = True

    @property
    def is_automatic(self) -> bool:
        """Whether the headers alone show that a machine wrote it."""
        return is_automatic(self.signs)


def read_envelope(raw: bytes) -> Envelope:
    """Read the top headers. Never raises; call it in a thread, as it may hash the whole mail."""
    headers, is_whole = _read_head(raw)
    subject = decoded_header(_value(headers, "subject"))
    recipients = ", ".join(value for name in RECIPIENTS for value in headers.get(name, ()))
    name, sender = _address(_value(headers, "from"))
    is_returned = _is_returned(headers)
    failed_recipients = _value(headers, "x-failed-recipients")
    is_of_server = bool(DAEMON_SENDER.match(sender) or POSTMASTER.match(sender))
    return Envelope(
        message_id=_id(_value(headers, "message-id"), raw),
        sender=sender,
        sender_name=decoded_header(name),
        recipients=recipients[:MAX_RECIPIENTS_LENGTH],
        subject=subject,
        signs=frozenset(header_signs(headers, sender, subject)),
        answered_ids=_answered_ids(headers),
        failed_recipients=failed_recipients,
        digest=hashlib.sha256(_below_head(raw)).hexdigest(),
        is_returned=is_returned,
        may_be_bounce=is_returned or bool(failed_recipients) or is_of_server,
        is_whole=is_whole,
    )


def _answered_ids(headers: Headers) -> tuple[str, ...]:
    """The Message-IDs of In-Reply-To, then of References from the last to the first."""
    nearest = MESSAGE_ID_PATTERN.findall(_value(headers, "in-reply-to"))
    thread = MESSAGE_ID_PATTERN.findall(
        ", ".join(headers.get("references", ()))[-MAX_RECIPIENTS_LENGTH:]
    )
    return tuple(dict.fromkeys([*nearest, *reversed(thread)]))[:MAX_NAMED_IDS]


def _read_head(raw: bytes) -> tuple[Headers, bool]:
    """The headers by their lower-case names, unfolded, and whether their end was found."""
    head = raw[:MAX_HEAD_BYTES]
    headers: dict[str, list[str]] = defaultdict(list)
    folded: list[str] = []
    is_whole = len(raw) <= MAX_HEAD_BYTES
    lines = LINE_END.split(head)
    for line in lines if is_whole else lines[:-1]:  # The last line may be cut.
        text = decode_text(line).replace("\x00", "")
        if text[:1] in (" ", "\t"):
            folded.append(text)
            continue
        _add(headers, folded)
        folded = [text]
        # The body begins at an empty line, and at one that is no header, as Python's parser has it.
        if not text.startswith("From ") and not HEADER_LINE.match(text):
            return headers, True
    _add(headers, folded)
    return headers, is_whole


def _below_head(raw: bytes) -> bytes:
    """What follows the first empty line; all of it where there is none."""
    end = HEAD_END.search(raw, 0, MAX_HEAD_BYTES)
    return raw[end.end() :] if end else raw


def _add(headers: dict[str, list[str]], folded: Sequence[str]) -> None:
    if found := HEADER_LINE.match("".join(folded)):
        headers[found[1].lower()].append(" ".join(found[2].split()))


def _value(headers: Headers, name: str) -> str:
    return ", ".join(headers.get(name, ()))[:MAX_VALUE_LENGTH]


def _id(header: str, raw: bytes) -> str:
    """What it is known by when it comes again."""
    said = MESSAGE_ID_PATTERN.search(header)
    if said and len(said[0]) <= MAX_ID_LENGTH:
        return said[0]
    return f"<{hashlib.sha256(said[0].encode() if said else raw).hexdigest()}>"


def _address(header: str) -> tuple[str, str]:
    """The name and the address of the first sender."""
    try:
        found = getaddresses([header])[:1]
    except (RecursionError, ValueError, IndexError):
        return "", ""  # Python's own reader breaks on some headers that people send.
    return (found[0][0].strip(), found[0][1].strip().lower()) if found else ("", "")


def _is_returned(headers: Headers) -> bool:
    content_type = _value(headers, "content-type").partition(";")[0].strip().lower()
    return content_type == "multipart/report" or _value(headers, "return-path") == "<>"
