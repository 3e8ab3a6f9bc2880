"""View models of the conversation: messages, attachments, attempts at sending."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.attachments.stored_file import StoredFile
from portal.desk.widgets import When


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One attempt at sending a message, and its result."""

    at: str
    words: str


@dataclass(frozen=True, slots=True)
class AttachmentEntry:
    """An attachment of a message.

    Neither `kept` nor `refused` (the reason): it is being downloaded. `is_hidden`: the reader may
    not see it. `read_by` says for managers who has seen it.
    """

    url: str = ""
    kept: StoredFile | None = None
    refused: str = ""
    is_hidden: bool = False
    read_by: str = ""


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """One message of the conversation. `delivery_status` is a sentence.

    `kind`, `to`, `cost` and `attempts` are its delivery details; `resolve_url` leads to where a
    failed message is fixed. `intent_label` is a sentence on the detected `intent`.
    """

    mine: bool
    who: str
    body: str
    at: When
    delivery_status: str = ""
    is_undelivered: bool = False
    kind: str = ""
    to: str = ""
    cost: str = ""
    attempts: Sequence[AttemptLine] = ()
    resolve_url: str = ""
    files: Sequence[AttachmentEntry] = ()
    id: int = 0
    intent: str = ""
    intent_label: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryNote:
    """Where a reply goes, and the signature that a text begins with; it counts as a part of it."""

    text: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class CannedReplyLine:
    """A saved reply, with its placeholders filled in."""

    id: int
    title: str
    body: str
    suggested: bool = False
