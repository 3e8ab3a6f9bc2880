"""What the conversation shows at the desk: words, files, tries at sending; see ``view``."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.attachments.stored_file import StoredFile
from portal.desk.widgets import When


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One try at sending a message, and how it ended."""

    at: str
    words: str


@dataclass(frozen=True, slots=True)
class AttachmentEntry:
    """A photo or paper that came with a message.

    Neither `kept` nor `refused` (the reason): it is still being fetched.
    """

    url: str
    kept: StoredFile | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """One message of the conversation. `delivery_status` says in plain words what became of it.

    `kind`, `to`, `cost` and `tries` are for who wants to know more; `resolve_url` is where a message
    that needs a person is put right. `intent_label` says what a customer's words were taken to mean,
    and by whom; `meaning` is that label.
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
    tries: Sequence[AttemptLine] = ()
    resolve_url: str = ""
    files: Sequence[AttachmentEntry] = ()
    id: int = 0
    intent: str = ""
    intent_label: str = ""


@dataclass(frozen=True, slots=True)
class CannedReplyLine:
    """A reply at hand, with the request's facts in its fields."""

    id: int
    title: str
    body: str
    suggested: bool = False
