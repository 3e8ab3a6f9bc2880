"""The files of an e-mail, without what is no file of the sender's: signatures and their pictures.

It runs in a child process with limits (``inbound``), so it imports little.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage, Message

FILE_TYPES = ("image", "audio", "video", "application")
NO_FILES = frozenset(
    {
        "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
        "application/pgp-keys", "application/pgp-encrypted", "application/pkcs7-mime",
        "application/x-pkcs7-mime", "application/ms-tnef", "application/vnd.ms-tnef",
        "message/rfc822", "message/delivery-status", "message/disposition-notification",
        "text/rfc822-headers", "text/plain", "text/calendar",
    }
)  # fmt: skip
"""Signatures and keys, and what is read as text or told of in words."""
IMAGE_TAG = re.compile(r"<img\b[^<>]{0,2000}>", re.IGNORECASE)
CONTENT_ID = re.compile(r"\bcid:([^\"'\s>]{1,200})", re.IGNORECASE)
HEIGHT = re.compile(r"\bheight\s*[=:]\s*[\"']?(\d{1,4})", re.IGNORECASE)
MAX_LOGO_BYTES = 20_000
MAX_LOGO_HEIGHT = 120
"""Pixels that the page gives a picture of a signature."""


@dataclass(slots=True)
class MailFiles:
    """The files by name, and how many were left out: logos, and those over the limit."""

    files: list[tuple[str, bytes]] = field(default_factory=list)
    logos: int = 0
    too_many: int = 0


def read_files(
    mail: EmailMessage, pages: Sequence[str], *, has_words: bool, limit: int
) -> MailFiles:
    """The files of this mail, ``limit`` at most.

    A small picture that a page places among its text is a logo, where the mail has words too.
    """
    placed = _placed_heights(pages) if has_words else {}
    found = MailFiles()
    for part in mail.walk():
        kind, name = part.get_content_type(), part.get_filename()
        if kind in NO_FILES or not (name or part.get_content_maintype() in FILE_TYPES):
            continue
        if part.get_content_maintype() == "multipart":
            continue
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        if _is_logo(part, data, placed):
            found.logos += 1
        elif len(found.files) >= limit:
            found.too_many += 1
        else:
            found.files.append((name or "", data))
    return found


def file_notes(found: MailFiles, limit: int) -> list[str]:
    """What staff are told about files that were left out."""
    notes = []
    if found.logos:
        notes.append(f"({found.logos} small pictures within the text were left out.)")
    if found.too_many:
        notes.append(f"({found.too_many} more files were left out: {limit} are taken.)")
    return notes


def _placed_heights(pages: Sequence[str]) -> dict[str, int]:
    """The pictures that pages place by their Content-ID, with the height given there, or 0."""
    placed: dict[str, int] = {}
    for page in pages:
        for tag in IMAGE_TAG.findall(page):
            if source := CONTENT_ID.search(tag):
                height = HEIGHT.search(tag)
                placed[source[1].lower()] = int(height[1]) if height else 0
    return placed


def _is_logo(part: Message, data: bytes, placed: dict[str, int]) -> bool:
    if part.get_content_maintype() != "image":
        return False
    content_id = str(part.get("Content-ID", "")).strip().strip("<>").lower()
    if content_id not in placed:
        return False
    return len(data) <= MAX_LOGO_BYTES or 0 < placed[content_id] <= MAX_LOGO_HEIGHT
