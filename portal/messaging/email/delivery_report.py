"""Reads delivery reports of mail servers.

Sources: RFC 3462 (multipart/report), RFC 3464 (delivery status), RFC 6533 (the same beyond ASCII),
RFC 3463 (enhanced status codes). It runs in a child process with limits, so it imports little.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.message import EmailMessage, Message
from typing import Any

STATUS_CODE_PATTERN = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
MAX_BLOCKS = 100
"""Groups of fields that are read of one report."""
STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
RETURNED_CONTENT_TYPES = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}
)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A mail server's report of one mail of ours.

    ``action``: failed, delayed, delivered, relayed or expanded. ``status``: an enhanced status
    code such as 5.1.1. ``recipients``: their addresses in lower case. ``message_ids``: the ids of
    the mail that was returned with it.
    """

    action: str
    status: str
    recipients: frozenset[str]
    message_ids: tuple[str, ...]


def find_delivery_report(mail: EmailMessage) -> DeliveryReport | None:
    """The report that this mail is; None for any other mail, also one that carries a report."""
    if mail.get_content_type() != "multipart/report":
        return None
    told = [block for part in mail.iter_parts() for block in _blocks(part)][:MAX_BLOCKS]
    told = [block for block in told if block.get("Action") or block.get("Status")]
    if not told:
        return None
    block = next((item for item in told if _action(item) == "failed"), told[0])
    names = [block.get(name, "") for name in ("Original-Recipient", "Final-Recipient")]
    return DeliveryReport(
        action=_action(block),
        status=_status(block),
        recipients=frozenset(address for name in names if (address := _address(str(name)))),
        message_ids=tuple(_returned_ids(mail)),
    )


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a delivery status: of the mail, then of each recipient."""
    if part.get_content_type() not in STATUS_PARTS:
        return []
    payload: Any = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    return [message_from_string(block) for block in re.split(r"\r?\n\r?\n", _text(part))]


def _action(block: Message) -> str:
    said = str(block.get("Action", "")).strip().lower()
    return said or ("failed" if _status(block).startswith("5") else "")


def _status(block: Message) -> str:
    """The status code of this recipient; where it is missing or generic, the diagnostic code's."""
    said = STATUS_CODE_PATTERN.search(str(block.get("Status", "")))
    code = said[0] if said else ""
    if code.partition(".")[2] in ("", "0.0"):
        diagnosed = STATUS_CODE_PATTERN.search(str(block.get("Diagnostic-Code", "")))
        code = diagnosed[0] if diagnosed else code
    return code or "5.0.0"


def _address(field: str) -> str:
    """``rfc822; <Martin@example.com>`` as we write it."""
    return field.rpartition(";")[2].strip().strip("<>").lower()


def _returned_ids(mail: EmailMessage) -> Iterator[str]:
    """The Message-IDs in what was returned: the whole mail, or its headers."""
    for part in mail.iter_parts():
        if part.get_content_type() not in RETURNED_CONTENT_TYPES:
            continue
        payload: Any = part.get_payload()
        whole = payload[0] if isinstance(payload, list) and payload else None
        returned = whole if isinstance(whole, Message) else message_from_string(_text(part))
        if said := returned.get("Message-ID"):
            yield str(said).strip()


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
