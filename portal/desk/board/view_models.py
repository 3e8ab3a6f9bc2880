"""What the desk's lists show: boards, what has slipped, messages that need a person; see ``view``."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.desk.request.conversation_view import ConversationEntry
from portal.desk.widgets import Badge, Choice, Person, When


@dataclass(frozen=True, slots=True)
class DepartmentTab:
    """One department in the desk's side list, with its kept counts."""

    key: str
    name: str
    url: str
    to_accept: int
    unanswered: int
    late: int
    in_work: int
    mine: bool = True
    current: bool = False


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One open stage of one request, as the board and the search list it.

    `accept_stage` is the stage key to take up, when the row waits to be taken up here;
    `quote` is the customer's latest words, when they wait for an answer.
    """

    reference: str
    url: str
    customer: str
    title: str
    stage: str
    version: int
    owner: Person | None
    since: When
    due: When | None
    badges: Sequence[Badge] = ()
    accept_stage: str | None = None
    sent_by: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class BoardSection:
    """A group of rows on the board, oldest due first; `older` is the next page's address."""

    key: str
    title: str
    hint: str
    due_heading: str
    rows: Sequence[BoardRow]
    older: str | None = None


@dataclass(frozen=True, slots=True)
class DroppedBallLine:
    """One ball. `url` is where it is put right; `aside` whether this reader may set it aside."""

    id: int
    label: str
    detail: str
    remedy: str
    since: When
    before: str
    escalation: str
    url: str
    customer: str = ""
    title: str = ""
    reference: str = ""
    department: str = ""
    may_dismiss: bool = False
    mine: bool = False


@dataclass(frozen=True, slots=True)
class FailedMessageLine:
    """A message that needs a person: what it was, why it is here, and what can be done.

    `retry` is the button's words, empty where it must not go again; `addresses` are those it may
    go to, the likeliest first. `ways` are the channels by which other words may go. `hints` say
    what stands in the way.
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
    retry: str = ""
    addresses: Sequence[Choice] = ()
    channels: Sequence[Choice] = ()
    may_mark_told: bool = False
    hints: Sequence[str] = ()
