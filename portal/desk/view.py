"""What the desk's pages show, as plain values: no rows, no sessions, nothing left to look up.

Templates read these and decide nothing but the markup. Every sentence a member of staff reads
arrives whole. Times arrive as `When`: the machine's form beside the words, already in the zone of
the department whose desk it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

LegState = Literal["done", "now", "passed", "paused", "to", "skipped"]
MarkKind = Literal["late", "hold", "paused", "promise", "undelivered", "waiting"]


@dataclass(frozen=True, slots=True)
class When:
    """A moment: `iso` in UTC for machines, `words` such as "today 2:05 pm" for people."""

    iso: str
    words: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff as a row shows them."""

    name: str
    initials: str
    email: str


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
class Mark:
    """Something that sets a row apart, always in words: "on hold until Friday"."""

    kind: MarkKind
    words: str


@dataclass(frozen=True, slots=True)
class Row:
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
    marks: Sequence[Mark] = ()
    accept_stage: str | None = None
    sent_by: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A group of rows on the board, oldest due first; `older` is the next page's address."""

    key: str
    title: str
    hint: str
    due_heading: str
    rows: Sequence[Row]
    older: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One stage of the relay: the customer's title beside the staff's name and people."""

    state: LegState
    title: str
    name: str
    department: str
    at: When | None
    history: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the conversation. `fate` says in plain words what became of it."""

    mine: bool
    who: str
    body: str
    at: When
    fate: str = ""
    trouble: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """The main thing to do next with one open stage: take it up, or complete it.

    `mine` is false when the stage lies with a department the reader does not work in.
    `tells` is the customer's next headline, so that nobody wonders what the button says to them.
    """

    kind: Literal["accept", "advance"]
    stage: str
    eyebrow: str
    headline: str
    sentence: str
    button: str
    tells: str = ""
    mine: bool = True


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """A promise that is open, and how it stands."""

    id: str
    text: str
    owner: str
    due: When
    made: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select: a stage to send back to, a person to give it to."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the full timeline, internal ones included."""

    id: int
    at: When
    who: str
    words: str
    internal: bool = False


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """Who the request is for and how to reach them."""

    name: str
    first_name: str
    phone: str = ""
    email: str = ""
    writes_by: str = "by text"
    local_time: str = ""
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a form was refused: the verb it belongs to, the sentence, and what had been typed."""

    verb: str
    words: str
    typed: Mapping[str, str] = field(default_factory=dict)
    field: str = ""


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request as the desk shows it. Forms post to `act_url` + "/" + the verb.

    `seen` is the id of the newest event shown, and `zone` the one that typed times are read in;
    both travel with each form. `form_token` is empty where no sign-in is needed.
    """

    reference: str
    url: str
    act_url: str
    live_url: str
    form_token: str
    version: int
    seen: int
    zone: str
    status: str
    status_words: str
    headline: str
    title: str
    workflow: str
    department: str
    department_url: str
    opened: When
    due: When | None
    owner: Person | None
    customer: CustomerFacts
    zone_words: str
    legs: Sequence[Sequence[Leg]]
    moves: Sequence[Move]
    conversation: Sequence[Entry]
    unanswered: str = ""
    promises: Sequence[PromiseLine] = ()
    events: Sequence[EventLine] = ()
    verbs: frozenset[str] = frozenset()
    back_to: Sequence[Choice] = ()
    people: Sequence[Choice] = ()
    marks: Sequence[Mark] = ()
