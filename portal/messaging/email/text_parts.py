"""The texts of an e-mail: of all its parts, in their order, in whatever form its program writes them.

Sources: RFC 2046 (multipart), RFC 1896 (text/enriched), RFC 1847 (signed and encrypted parts). It
runs in a child process with limits (``inbound``), so it imports little.
"""

import email
import re
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from typing import Any

from portal.messaging.email.charsets import declared_in_page, decode_text, decoded_header
from portal.messaging.email.own_text.sent_text import words_of
from portal.messaging.email.quoted_text import html_to_text

MAX_ATTACHED_LENGTH = 5_000
"""Characters of an attached text or e-mail that are shown."""
MAX_HEADER_LENGTH = 300
MAX_STUB_LENGTH = 600
"""Characters of a text part that only says that there is a page."""
UNREADABLE_TYPES = {
    "application/pkcs7-mime": "(A signed or encrypted e-mail, which could not be read.)",
    "application/x-pkcs7-mime": "(A signed or encrypted e-mail, which could not be read.)",
    "multipart/encrypted": "(An encrypted e-mail, which could not be read.)",
    "application/ms-tnef": "(An Outlook attachment, winmail.dat, which could not be read.)",
    "application/vnd.ms-tnef": "(An Outlook attachment, winmail.dat, which could not be read.)",
}
ENRICHED_TYPES = frozenset({"text/enriched", "text/richtext"})
READ_TYPES = ENRICHED_TYPES | {"text/plain", "text/html"}
BOUNDARY_LINE = re.compile(rb"^--([^\s\"-][^\r\n\"]{0,68}?)[ \t]*\r?\nContent-", re.MULTILINE)
MIME_LINE = re.compile(r"^(?:--\S{1,72}|Content-[\w-]+:.*)$", re.MULTILINE)
ENRICHED_PARAMETER = re.compile(r"<param>[^<]*</param>", re.IGNORECASE)
ENRICHED_COMMAND = re.compile(r"</?[a-z][\w-]{0,60}>", re.IGNORECASE)


@dataclass(slots=True)
class MailText:
    """The texts of a mail.

    ``text`` are its text parts; ``is_html``: one of them was a page. ``attached`` are e-mails and
    texts that are attached, each with a heading; ``attached_texts`` are these by name; ``notes`` say what could not be read. ``pages``
    are the pages as they came.
    """

    text: str = ""
    is_html: bool = False
    attached: list[str] = field(default_factory=list)
    attached_texts: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)


def read_text(mail: EmailMessage, language: str = "") -> MailText:
    """The texts of this mail. A text file is the text of a mail that has none."""
    found = MailText()
    found.text, found.is_html = _Reader(found, language).read(mail)
    if not found.text.strip():
        found.text = "\n\n".join(text for _, text in found.attached_texts)
    else:
        texts = [f"[{name}]\n{text}" for name, text in found.attached_texts]
        found.attached = [*texts, *found.attached]
    return found


def repaired(mail: EmailMessage, policy: Any) -> EmailMessage:
    """The mail itself; where its boundary is missing or another one, with that of its first part."""
    payload: Any = mail.get_payload()
    if mail.get_content_maintype() != "multipart" or not isinstance(payload, str):
        return mail
    body = payload.encode("ascii", "surrogateescape") if _is_raw(payload) else payload.encode()
    found = BOUNDARY_LINE.search(body)
    if not found:
        return mail
    head = f'Content-Type: {mail.get_content_type()}; boundary="'.encode()
    whole: EmailMessage = email.message_from_bytes(
        head + found[1] + b'"\r\n\r\n' + body, policy=policy
    )
    return whole


def _is_raw(payload: str) -> bool:
    return all(letter.isascii() or "\udc80" <= letter <= "\udcff" for letter in payload)


class _Reader:
    """Reads parts, and notes beside what is not text."""

    def __init__(self, found: MailText, language: str) -> None:
        self._found, self._language = found, language

    def read(self, part: Message) -> tuple[str, bool]:
        """The text of this part and of its parts, and whether it was a page."""
        kind = part.get_content_type()
        text = ("", False)
        if kind in UNREADABLE_TYPES:
            self._note(UNREADABLE_TYPES[kind])
        elif kind == "message/rfc822":
            self._read_attached_mail(part)
        elif part.get_content_maintype() == "multipart":
            text = self._read_parts(part, kind)
        elif kind in READ_TYPES:
            text = self._read_text_part(part, kind)
        return text

    def _read_parts(self, part: Message, kind: str) -> tuple[str, bool]:
        payload: Any = part.get_payload()
        if not isinstance(payload, list):  # Its boundary is missing.
            return MIME_LINE.sub("", self._decoded(part)).strip(), False
        texts = [self.read(child) for child in payload]
        if kind == "multipart/alternative":
            return _best(texts)
        worded = [(text.strip("\r\n"), is_html) for text, is_html in texts if text.strip()]
        return "\n\n".join(text for text, _ in worded), any(is_html for _, is_html in worded)

    def _read_text_part(self, part: Message, kind: str) -> tuple[str, bool]:
        is_attached = part.get_content_disposition() == "attachment"
        if is_attached and kind != "text/plain":
            return "", False
        text = self._decoded(part)
        if is_attached:
            name = part.get_filename() or "text"
            self._found.attached_texts.append((name, text.strip()[:MAX_ATTACHED_LENGTH]))
            return "", False
        if kind == "text/html":
            self._found.pages.append(text)
            return html_to_text(text), True
        return (enriched_to_text(text) if kind in ENRICHED_TYPES else text), False

    def _decoded(self, part: Message) -> str:
        """The text of a part, by the charset that it is in."""
        payload: Any = part.get_payload(decode=True)
        if payload is None:
            said = part.get_payload()
            payload = said.encode("utf-8", "surrogateescape") if isinstance(said, str) else b""
        try:
            label = part.get_content_charset() or ""
        except (LookupError, ValueError, TypeError):
            label = ""
        if not label and part.get_content_type() == "text/html":
            label = declared_in_page(payload)
        return decode_text(payload, label, self._language)

    def _read_attached_mail(self, part: Message) -> None:
        payload: Any = part.get_payload()
        inner = payload[0] if isinstance(payload, list) and payload else None
        if not isinstance(inner, Message):
            self._note("(An attached e-mail, which could not be read.)")
            return
        told = MailText()
        text, _ = _Reader(told, self._language).read(inner)
        headers = {name.lower(): _header(str(value)) for name, value in inner.raw_items()}
        named = [
            f"{label}: {headers[name]}"
            for label, name in (("From", "from"), ("Subject", "subject"))
            if name in headers
        ]
        shown = (text.strip() or "\n\n".join(text for _, text in told.attached_texts))[
            :MAX_ATTACHED_LENGTH
        ]
        self._found.attached.append("\n".join(["[Attached e-mail]", *named, "", shown]).strip())
        self._found.attached += told.attached
        self._found.notes += told.notes

    def _note(self, note: str) -> None:
        if note not in self._found.notes:
            self._found.notes.append(note)


def _header(value: str) -> str:
    raw = value[:MAX_HEADER_LENGTH].encode("utf-8", "surrogateescape")
    return decoded_header(decode_text(raw))


def _best(texts: list[tuple[str, bool]]) -> tuple[str, bool]:
    """Of the same content in several forms the text; the page where that only points to it."""
    worded = [found for found in texts if found[0].strip()]
    plain = next((found for found in worded if not found[1]), None)
    page = next((found for found in reversed(worded) if found[1]), None)
    if plain and page and _is_stub(plain[0], page[0]):
        return page
    return plain or page or ("", False)


def _is_stub(plain: str, page: str) -> bool:
    """Whether the text only says that a reader of HTML is needed."""
    if len(plain) > MAX_STUB_LENGTH or "html" not in plain.lower():
        return False
    said = set(words_of(plain))
    return len(said - set(words_of(page))) * 2 > len(said)


def enriched_to_text(text: str) -> str:
    """The text of text/enriched: without commands; a single line break is a space (RFC 1896)."""
    plain = ENRICHED_COMMAND.sub("", ENRICHED_PARAMETER.sub("", text.replace("<<", "\0")))
    lines = plain.replace("\r\n", "\n").replace("\0", "<")
    return re.sub(r"\n+", lambda found: found[0][1:] or " ", lines)
