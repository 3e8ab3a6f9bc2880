"""View model of the list of failed messages."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.desk.request.conversation.view_models import ConversationEntry
from portal.desk.widgets import Choice


@dataclass(frozen=True, slots=True)
class BulkRetry:
    """A button that sends all messages again that failed for one reason."""

    reason: str
    label: str


@dataclass(frozen=True, slots=True)
class FailedMessageLine:
    """A failed message: its text, the reason, and what can be done.

    `retry_label` is the label of the button, empty where it must not be sent again; `addresses`
    are those it may go to, the likeliest first. `channels` are those for a different text. `hints`
    say what is not possible, and why.
    """

    id: int
    url: str
    entry: ConversationEntry
    customer: str
    reference: str
    request_url: str
    title: str
    department: str
    phone: str = ""
    retry_label: str = ""
    addresses: Sequence[Choice] = ()
    channels: Sequence[Choice] = ()
    may_mark_told: bool = False
    hints: Sequence[str] = ()
