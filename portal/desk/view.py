"""What the desk's pages show, as plain values: no rows, no sessions, nothing left to look up.

Templates read these and decide nothing but the markup. Every sentence a member of staff reads
arrives whole. Times arrive as `When`: the machine's form beside the words, already in the zone of
the department whose desk it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from portal.desk.delays import DelayCard
from portal.files.kept import KeptFile

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
class Try:
    """One try at sending a message, and how it ended."""

    at: str
    words: str


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A photo or paper that came with a message.

    Neither `kept` nor `refused` (the reason): it is still being fetched.
    """

    url: str
    kept: KeptFile | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the conversation. `fate` says in plain words what became of it.

    `kind`, `to`, `cost` and `tries` are for who wants to know more; `mend_url` is where a message
    that needs a person is put right. `taken_as` says what a customer's words were taken to mean,
    and by whom; `meaning` is that label.
    """

    mine: bool
    who: str
    body: str
    at: When
    fate: str = ""
    trouble: bool = False
    kind: str = ""
    to: str = ""
    cost: str = ""
    tries: Sequence[Try] = ()
    mend_url: str = ""
    files: Sequence[FileEntry] = ()
    id: int = 0
    meaning: str = ""
    taken_as: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """The main thing to do next with one open stage: take it up, or complete it.

    `mine` is false when the stage lies with a department the reader does not work in.
    `tells` is the customer's next headline, so that nobody wonders what the button says to them.
    `hands_to` names the department that it goes to, `take_back` whether the reader may recall it.
    `likely` says by when what follows is usually done.
    """

    kind: Literal["accept", "advance"]
    stage: str
    eyebrow: str
    headline: str
    sentence: str
    button: str
    tells: str = ""
    mine: bool = True
    hands_to: str = ""
    take_back: bool = False

    @property
    def verbs(self) -> Sequence[str]:
        """The verbs whose forms stand with it."""
        recall = ("handoff/recall",) if self.take_back else ()
        if not self.button:
            return recall
        mine = ("advance",) if self.kind == "advance" else ("handoff/accept", "handoff/refuse")
        return (*mine, *recall)

    likely: str = ""


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """A promise and how it stands; `outcome` says how it ended, `keeps` what will keep it.

    `in_short` is for showing it back; `is_fresh` while our last words are what it was read from.
    `may_go`: it may still be said that it was none.
    """

    id: str
    text: str
    owner: str
    due: When
    made: str = ""
    state: str = "open"
    outcome: str = ""
    in_short: str = ""
    keeps: str = ""
    is_told: bool = True
    may_go: bool = False
    is_fresh: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select: a stage to send back to, a person to give it to."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """A reply at hand, with the request's facts in its fields."""

    id: int
    title: str
    body: str
    suggested: bool = False


@dataclass(frozen=True, slots=True)
class Welcome:
    """Whether the customer wants to hear from us at one address, and since when that stands."""

    address: str
    words: str
    since: When | None
    stopped: bool


@dataclass(frozen=True, slots=True)
class WishLine:
    """One line of the ledger: what was wished, when, how and on what evidence."""

    at: When
    address: str
    words: str
    how: str


@dataclass(frozen=True, slots=True)
class WishButton:
    """A wish that can be recorded with one click."""

    words: str
    channel: str
    wish: Literal["stop", "start"]
    about: Literal["request", "all"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the customer wants of us: how it stands, how it came to that, what may be recorded."""

    addresses: Sequence[Welcome] = ()
    ledger: Sequence[WishLine] = ()
    buttons: Sequence[WishButton] = ()


@dataclass(frozen=True, slots=True)
class BallLine:
    """One ball. `url` is where it is put right; `aside` whether this reader may set it aside."""

    id: int
    called: str
    detail: str
    remedy: str
    since: When
    before: str
    passed_on: str
    url: str
    customer: str = ""
    title: str = ""
    reference: str = ""
    department: str = ""
    aside: bool = False
    mine: bool = False


@dataclass(frozen=True, slots=True)
class LostLine:
    """A message that needs a person: what it was, why it is here, and what can be done.

    `retry` is the button's words, empty where it must not go again; `addresses` are those it may
    go to, the likeliest first. `ways` are the channels by which other words may go. `hints` say
    what stands in the way.
    """

    id: int
    url: str
    entry: Entry
    customer: str
    reference: str
    request_url: str
    title: str
    department: str
    phone: str = ""
    retry: str = ""
    addresses: Sequence[Choice] = ()
    ways: Sequence[Choice] = ()
    told: bool = False
    hints: Sequence[str] = ()


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
class StoryLine:
    """One fact of the story; without a heading it goes on with the one before."""

    heading: str
    words: str
    who: str = ""
    at: When | None = None


@dataclass(frozen=True, slots=True)
class StoryView:
    """The story so far; `minds` is what the customer minds about."""

    lines: Sequence[StoryLine] = ()
    minds: str = ""
    unfolded: bool = False


@dataclass(frozen=True, slots=True)
class Outside:
    """A stage that a third party does, and what they said last; `silent` for too long since."""

    stage: str
    name: str
    who: str
    number: str
    said: str
    at: When | None
    silent: bool


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request as the desk shows it. Forms post to `act_url` + "/" + the verb.

    `seen` is the id of the newest event shown, and `zone` the one that typed times are read in;
    both travel with each form. `form_token` is empty where no sign-in is needed. `night` says
    when words written now would go, while it is night where the customer is. `goes` says by which
    way they go, `ways` are those to choose from. `draft` already stands in the box. `meanings`
    are what a message may be corrected to. `here` says who else has the request open.
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
    conversation: Sequence[Entry] = ()
    unanswered: str = ""
    promises: Sequence[PromiseLine] = ()
    past_promises: Sequence[PromiseLine] = ()
    events: Sequence[EventLine] = ()
    verbs: frozenset[str] = frozenset()
    back_to: Sequence[Choice] = ()
    people: Sequence[Choice] = ()
    marks: Sequence[Mark] = ()
    wishes: Wishes = Wishes()
    night: str = ""
    goes: str = ""
    ways: Sequence[Choice] = ()
    replies: Sequence[ReplyLine] = ()
    draft: str = ""
    meanings: Sequence[Choice] = ()
    here: Sequence[str] = ()
    story: StoryView = StoryView()
    outside: Sequence[Outside] = ()
    slipped: Sequence[BallLine] = ()
    delays: Sequence[DelayCard] = ()
