"""The parts of an incoming e-mail (RFC 5322, MIME), read from its raw form whatever state it is in.

It runs in a child process with limits (``inbound``), so it imports little.
"""

import email
import re
from email.message import EmailMessage, Message
from email.policy import EmailPolicy, Policy
from itertools import islice
from typing import Any

from portal.messaging.email.correspondence import Hints
from portal.messaging.email.delivery_report import DeliveryReport, find_delivery_report
from portal.messaging.email.file_parts import file_notes, read_files
from portal.messaging.email.machines import Sign, word_signs
from portal.messaging.email.own_text.own_words import read_own_text
from portal.messaging.email.text_bounce import find_text_bounce
from portal.messaging.email.text_parts import read_text, repaired

MAX_LENGTH = 10_000
"""Characters of a mail that are stored; staff are told where there were more."""
MAX_FILES = 10
MAX_PARTS = 100
MAX_DEPTH = 20
"""Of parts within parts."""
MAX_HEADER_LENGTH = 5_000
"""Characters of a header that is read: Python's parser takes time quadratic in its length."""
MAX_OWN_IDS = 100
REPLACEMENT = "\ufffd"
CALENDAR_ANSWERS = ("REPLY", "COUNTER")
READ_HEADERS = frozenset(
    {
        "content-type", "content-disposition", "content-transfer-encoding", "message-id",
        "action", "status", "original-recipient", "final-recipient", "diagnostic-code",
    }
)  # fmt: skip
OWN_MESSAGE_ID_PATTERN = re.compile(r"<kept\.\d{1,18}\.[0-9a-f]{1,64}@[!-;=?-~]{1,150}>")
"""As workers make them when they take a mail for sending."""


class TooComplex(Exception):
    """The mail is over one of the limits above."""


def parse_content(data: bytes, *, hints_length: int = 0) -> tuple[dict[str, Any], list[bytes]]:
    """The texts, the names and the report of a mail, and the bytes of its files, as JSON and blobs.

    The first ``hints_length`` bytes are the Hints as JSON, the others the mail. Where a part cannot
    be read it is left out. Raises TooComplex.
    """
    hints = Hints.from_json(data[:hints_length]) if hints_length else Hints()
    known, raw = hints.known, data[hints_length:]
    mail = _parse(raw)
    read = read_text(mail, known.language)
    whole = read.text
    own = read_own_text(whole, known, is_html=read.is_html)
    found = read_files(mail, read.pages, has_words=bool(whole.strip()), limit=MAX_FILES)
    beside = [*read.attached, *read.notes, *file_notes(found, MAX_FILES)]
    shown = "\n\n".join(filter(None, [own.shown or whole.strip(), *beside]))
    text = f"{raw.decode('latin-1')}\n{whole}"
    own_ids = list(
        dict.fromkeys(
            found[0] for found in islice(OWN_MESSAGE_ID_PATTERN.finditer(text), MAX_OWN_IDS)
        )
    )
    report = _report(mail)
    if report is None and hints.may_be_bounce:
        report = find_text_bounce(whole, own_ids, hints.failed_recipients)
    fields = {
        # One more than is stored, so that a longer one is known to be longer.
        "words": _clean(own.words[: MAX_LENGTH + 1]),
        "shown": _clean(shown[: MAX_LENGTH + 1]),
        "says_more": own.says_more or bool(read.attached),
        "whole": _clean(whole.strip()[: MAX_LENGTH + 1]),
        "file_names": [_clean(name[:MAX_HEADER_LENGTH]) for name, _ in found.files],
        "signs": sorted(_signs(mail) | word_signs(own.words, known.earlier)),
        "report": _report_fields(report),
        "own_message_ids": own_ids,
    }
    return fields, [data for _, data in found.files]


def _signs(mail: EmailMessage) -> set[Sign]:
    """A calendar's answer (RFC 5546) is a machine's."""
    is_answer = any(
        part.get_content_type() == "text/calendar"
        and str(part.get_param("method", "")).upper() in CALENDAR_ANSWERS
        for part in mail.walk()
    )
    return {Sign.SURE} if is_answer else set()


def _parse(raw: bytes) -> EmailMessage:
    parts = 0

    def create_part(policy: Any = None) -> EmailMessage:
        nonlocal parts
        parts += 1
        if parts > MAX_PARTS:
            raise TooComplex
        return EmailMessage(policy)

    policy: Policy[Any] = _LimitedPolicy(message_factory=create_part)
    mail: EmailMessage = repaired(email.message_from_bytes(raw, policy=policy), policy)
    if _depth(mail) > MAX_DEPTH:
        raise TooComplex
    return mail


class _LimitedPolicy(EmailPolicy):
    """Python's default policy, with ``MAX_HEADER_LENGTH`` for the headers that are read."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Split a header. Raises TooComplex."""
        name = sourcelines[0].partition(":")[0].lower()
        if name in READ_HEADERS and sum(map(len, sourcelines)) > MAX_HEADER_LENGTH:
            raise TooComplex
        return super().header_source_parse(sourcelines)


def _depth(mail: Message) -> int:
    depth, level = 0, [mail]
    while level:
        depth += 1
        level = [part for parent in level for part in _parts(parent)]
    return depth


def _parts(parent: Message) -> list[Message]:
    payload: Any = parent.get_payload()
    return payload if isinstance(payload, list) else []


def _report(mail: EmailMessage) -> DeliveryReport | None:
    try:
        return find_delivery_report(mail)
    except (LookupError, ValueError, AttributeError, TypeError):
        return None  # The type says report, and the content is none.


def _report_fields(report: DeliveryReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {
        "action": _clean(report.action[:MAX_LENGTH]),
        "status": report.status,
        "recipients": [_clean(address) for address in sorted(report.recipients)],
        "message_ids": [_clean(message_id) for message_id in report.message_ids],
    }


def _clean(text: str) -> str:
    """The text as any database can store it: without NUL and lone surrogates.

    Nor with the mark of a letter that the sender's own program has lost.
    """
    sound = text.encode("utf-8", "replace").decode().replace("\x00", "")
    return sound.replace(REPLACEMENT, "?")
