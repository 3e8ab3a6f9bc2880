"""The top headers of an incoming e-mail: for whom it is, from whom, and whether a person wrote it.

It is read before the rest and decides whether the rest is read at all, so it takes time linear in
``MAX_HEAD_BYTES``. Source for what is automatic: RFC 3834, and what mail programs did before it and
beside it.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses

MAX_HEAD_BYTES = 200_000
"""Bytes that are looked at; Exchange and Postfix accept no longer heads either."""
MAX_VALUE_LENGTH = 2_000
"""Characters of one header's values that are read."""
MAX_RECIPIENTS_LENGTH = 20_000
"""Characters of all recipients that are read: a reply to hundreds of people has as many."""
MAX_ID_LENGTH = 200
"""Characters; a longer Message-ID is known by its hash."""
RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
AUTO_REPLY_HEADERS = ("x-auto-response-suppress", "x-autoreply", "x-autorespond", "x-vacation")
HEADER_LINE = re.compile(r"([!-9;-~]+):(.*)", re.DOTALL)
LINE_END = re.compile(rb"\r\n|\r|\n")
MESSAGE_ID_PATTERN = re.compile(r"<[!-;=?-~]+>")
AUTOMATIC_SUBJECT = re.compile(
    r"\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response)|autoreply|out of (?:the )?office"
    r"|respuesta autom[aá]tica|fuera de (?:la )?oficina)\b",
    re.IGNORECASE,
)

Headers = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the top headers say; all of it is untrusted.

    ``sender`` is a lower-case address or empty. ``is_automatic``: no person wrote it.
    ``is_returned``: it is a report of a mail server, or comes from the null sender (RFC 5321, 4.5.5).
    ``is_whole``: the headers end within ``MAX_HEAD_BYTES``.
    """

    message_id: str
    sender: str
    recipients: str
    subject: str
    is_automatic: bool
    is_returned: bool = False
    is_whole: bool = True


def read_envelope(raw: bytes) -> Envelope:
    """Read the top headers. Never raises; call it in a thread, as it may hash the whole mail."""
    headers, is_whole = _read_head(raw)
    subject = _decoded(_value(headers, "subject"))
    recipients = ", ".join(value for name in RECIPIENTS for value in headers.get(name, ()))
    return Envelope(
        message_id=_id(_value(headers, "message-id"), raw),
        sender=_address(_value(headers, "from")),
        recipients=recipients[:MAX_RECIPIENTS_LENGTH],
        subject=subject,
        is_automatic=_is_automatic(headers, subject),
        is_returned=_is_returned(headers),
        is_whole=is_whole,
    )


def _read_head(raw: bytes) -> tuple[Headers, bool]:
    """The headers by their lower-case names, unfolded, and whether their end was found."""
    head = raw[:MAX_HEAD_BYTES]
    headers: dict[str, list[str]] = defaultdict(list)
    folded: list[str] = []
    is_whole = len(raw) <= MAX_HEAD_BYTES
    lines = LINE_END.split(head)
    for line in lines if is_whole else lines[:-1]:  # The last line may be cut.
        text = line.decode("utf-8", "replace").replace("\x00", "")
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


def _address(header: str) -> str:
    try:
        found = getaddresses([header])[:1]
    except (RecursionError, ValueError, IndexError):
        return ""  # Python's own reader breaks on some headers that people send.
    return found[0][1].strip().lower() if found else ""


def _decoded(header: str) -> str:
    """The text of a header with encoded words (RFC 2047)."""
    try:
        text = str(make_header(decode_header(header)))
    except (HeaderParseError, LookupError, ValueError):
        text = header
    return " ".join(text.encode("utf-8", "replace").decode().replace("\x00", "").split())


def _is_automatic(headers: Headers, subject: str) -> bool:
    submitted = _value(headers, "auto-submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or _is_returned(headers)
        or _value(headers, "precedence").lower() in ("bulk", "junk", "auto_reply")
        or any(_value(headers, name) for name in AUTO_REPLY_HEADERS)
        or bool(AUTOMATIC_SUBJECT.match(subject))
    )


def _is_returned(headers: Headers) -> bool:
    content_type = _value(headers, "content-type").partition(";")[0].strip().lower()
    return content_type == "multipart/report" or _value(headers, "return-path") == "<>"
