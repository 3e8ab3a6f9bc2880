"""A mail that came in, read from its raw form (RFC 5322) whatever state it is in.

Source for what is automatic: RFC 3834, and what mail programs did before it and beside it.
"""

import email
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses

from portal.messaging.email.bounces import DeliveryReport, find_delivery_report
from portal.messaging.email.quoted_text import html_to_text, strip_quoted_text

MAX_LENGTH = 10_000
"""Characters of a mail that are stored; staff are told where there were more."""
MAX_ID_LENGTH = 200
"""Letters; a longer one is known by its hash."""
RECIPIENTS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
MESSAGE_ID_PATTERN = re.compile(r"<[!-;=?-~]+>")
OWN_MESSAGE_ID_PATTERN = re.compile(r"<kept\.\d+\.[0-9a-f]+@[!-;=?-~]{1,150}>")
"""As workers make them when they take a mail for sending."""
AUTOMATIC_SUBJECT = re.compile(
    r"\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response)|autoreply|out of (?:the )?office"
    r"|respuesta autom[aá]tica|fuera de (?:la )?oficina)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class EmailAttachment:
    """A part of a mail that is not its text; name and type are whatever the sender says."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEmail:
    """A parsed mail.

    ``words`` is the sender's own text without quotes; ``whole`` is all of it, with the subject
    where there is nothing else. ``is_automatic``: no person wrote it. ``report``: a delivery report
    about a mail of ours. ``own_message_ids``: the mails of ours that it names.
    """

    message_id: str
    sender: str
    recipients: str
    words: str
    whole: str = ""
    files: tuple[EmailAttachment, ...] = ()
    is_automatic: bool = False
    report: DeliveryReport | None = None
    own_message_ids: tuple[str, ...] = ()


def parse_inbound_email(raw: bytes) -> InboundEmail:
    """Read a mail. Never raises: what cannot be read is left out."""
    mail: EmailMessage = email.message_from_bytes(raw, policy=default)
    whole = _text(mail)
    sender = getaddresses([_header(mail, "From")])[:1]
    return InboundEmail(
        message_id=_id(_header(mail, "Message-ID"), raw),
        sender=sender[0][1].strip().lower() if sender else "",
        recipients=", ".join(filter(None, (_header(mail, name) for name in RECIPIENTS))),
        words=strip_quoted_text(whole),
        whole=whole.strip() or _header(mail, "Subject"),
        files=tuple(_files(mail)),
        is_automatic=_is_automatic(mail),
        report=_safely(mail),
        own_message_ids=tuple(
            dict.fromkeys(OWN_MESSAGE_ID_PATTERN.findall(f"{raw.decode('latin-1')}\n{whole}"))
        ),
    )


def _id(header: str, raw: bytes) -> str:
    """By what it is known when it comes again."""
    said = MESSAGE_ID_PATTERN.search(header)
    if said and len(said[0]) <= MAX_ID_LENGTH:
        return said[0]
    return f"<{hashlib.sha256(said[0].encode() if said else raw).hexdigest()}>"


def _is_automatic(mail: EmailMessage) -> bool:
    submitted = _header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or mail.get_content_type() == "multipart/report"
        or _header(mail, "Return-Path").strip() == "<>"
        or _header(mail, "Precedence").strip().lower() in ("bulk", "junk", "auto_reply")
        or any(_header(mail, name) for name in AUTO_REPLY_HEADERS)
        or bool(AUTOMATIC_SUBJECT.match(_header(mail, "Subject")))
    )


AUTO_REPLY_HEADERS = ("X-Auto-Response-Suppress", "X-Autoreply", "X-Autorespond", "X-Vacation")


def _text(mail: EmailMessage) -> str:
    """The text of the plain part, or else of the HTML part."""
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        content = _content(part) if isinstance(part, EmailMessage) else ""
        text = html_to_text(content) if kind == "html" else content
        if text.strip():
            return text.replace("\x00", "")
    return ""


def _content(part: EmailMessage) -> str:
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, ValueError):  # a charset that nobody knows
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _files(mail: EmailMessage) -> Iterator[EmailAttachment]:
    for part in mail.walk():
        name = part.get_filename()
        if name or part.get_content_maintype() in ("image", "audio", "video", "application"):
            data = part.get_payload(decode=True)
            yield EmailAttachment(name or "", data if isinstance(data, bytes) else b"")


def _safely(mail: EmailMessage) -> DeliveryReport | None:
    try:
        return find_delivery_report(mail)
    except (LookupError, ValueError, AttributeError, TypeError):
        return None  # The type says report, and the content is none.


def _header(mail: EmailMessage, name: str) -> str:
    """All headers of this name, decoded."""
    try:
        return ", ".join(" ".join(str(value).split()) for value in mail.get_all(name, []))
    except Exception:  # noqa: BLE001 (Python's own reader breaks on some headers that people send)
        return ""
