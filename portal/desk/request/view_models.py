"""View models of the page of one request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portal.desk.dropped_balls.view_models import DroppedBallLine
from portal.desk.request.conversation.view_models import (
    CannedReplyLine,
    ConversationEntry,
    DeliveryNote,
)
from portal.desk.request.delays import DelayCard
from portal.desk.widgets import Badge, Choice, Person, When
from portal.rules.stages.stage_timeline import StepState
from portal.web.templating import StatusLink


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One stage of the timeline: the customer's title, the name for staff, and the people."""

    state: StepState
    title: str
    name: str
    department: str
    at: When | None
    history: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class QuestionFieldInput:
    """The input for one field of a question: its name, its label, the question, what is known."""

    name: str
    label: str
    question: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class NeedLine:
    """An item that the customer sends, its state as a text, and what the reader may do about it."""

    id: str
    title: str
    state: str
    may_mark_sent: bool = False
    may_accept: bool = False
    may_correct: bool = False


@dataclass(frozen=True, slots=True)
class NextAction:
    """The main action of one open stage: accept or complete it.

    `mine` is false when another department has the stage.
    `customer_reads` is the customer's next headline, which the button announces.
    `receivers` names the department that it goes to, `take_back` whether the reader may recall it.
    `estimate` is by when the next stage is usually done. `question_fields` are to be filled in,
    because it puts a question to the customer.
    """

    kind: Literal["accept", "advance"]
    stage: str
    eyebrow: str
    headline: str
    sentence: str
    button: str
    customer_reads: str = ""
    mine: bool = True
    receivers: str = ""
    take_back: bool = False

    @property
    def actions(self) -> Sequence[str]:
        """The actions whose forms it has."""
        recall = ("handoff/recall",) if self.take_back else ()
        if not self.button:
            return recall
        names = ("advance",) if self.kind == "advance" else ("handoff/accept", "handoff/refuse")
        return (*names, *recall)

    estimate: str = ""
    question_fields: Sequence[QuestionFieldInput] = ()


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """A promise and its state; `outcome` says how it ended, `fulfilment_hint` what completes it.

    `is_late`: it was missed, or kept after its due time. `short_text` is for the notice of a
    promise just detected in our last message (`is_just_detected`). `may_withdraw`: it may still be
    withdrawn as no promise.
    """

    id: str
    text: str
    owner: str
    due: When
    made: str = ""
    is_due_soon: bool = False
    is_late: bool = False
    outcome: str = ""
    short_text: str = ""
    fulfilment_hint: str = ""
    is_told: bool = True
    may_withdraw: bool = False
    is_just_detected: bool = False


@dataclass(frozen=True, slots=True)
class AddressConsent:
    """The consent of the customer at one address, and since when."""

    address: str
    words: str
    since: When | None
    stopped: bool


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One line of the consent history: the decision, its time, source and evidence."""

    at: When
    address: str
    words: str
    how: str


@dataclass(frozen=True, slots=True)
class ConsentButton:
    """A consent decision or a wish that can be recorded with one click.

    Only a decision has a `channel` and says what it is `about`.
    """

    words: str
    channel: str
    decision: str
    about: Literal["request", "all", ""]


@dataclass(frozen=True, slots=True)
class ConsentView:
    """Contact preferences: consent, its history, wishes, and the buttons that change these."""

    addresses: Sequence[AddressConsent] = ()
    wishes: Sequence[str] = ()
    ledger: Sequence[ConsentLine] = ()
    buttons: Sequence[ConsentButton] = ()


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the activity log, internal ones included."""

    id: int
    at: When
    who: str
    words: str
    internal: bool = False


@dataclass(frozen=True, slots=True)
class CustomerSummary:
    """The customer and their addresses."""

    name: str
    first_name: str
    phone: str = ""
    email: str = ""
    local_time: str = ""
    link: StatusLink | None = None


@dataclass(frozen=True, slots=True)
class HandoverSummaryLine:
    """One line of the summary; without a heading it continues the one before."""

    heading: str
    words: str
    who: str = ""
    at: When | None = None


@dataclass(frozen=True, slots=True)
class HandoverSummaryView:
    """The summary; `customer_note` is pinned on top."""

    lines: Sequence[HandoverSummaryLine] = ()
    customer_note: str = ""
    is_expanded: bool = False


@dataclass(frozen=True, slots=True)
class ThirdPartyStage:
    """A stage of a third party, and its last update; `is_silent` when the next is overdue.

    `url` is their page of the tracking number, `codes` what a report may say.
    """

    stage: str
    name: str
    who: str
    number: str
    said: str
    at: When | None
    is_silent: bool
    may_record: bool
    url: str = ""
    has_problem: bool = False
    codes: Sequence[Choice] = ()


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request as the desk shows it. Forms post to `action_url` + "/" + the action.

    `seen` is the id of the newest event shown, and `zone` the one that typed times are read in;
    both travel with each form. `form_token` is empty where no sign-in is needed. `quiet_hours_note`
    is when a message written now is sent, in the customer's quiet hours. `delivery_note` is about a
    reply, `channels` those to choose from. `draft` is the text in the reply field.
    `intents` are what a message may be corrected to. `colleagues` have the request open too.
    `own_stages` are those that a form must name, where the reader may act on a part of the request
    only.
    """

    reference: str
    url: str
    action_url: str
    live_url: str
    form_token: str
    version: int
    last_event_id: int
    zone: str
    status: str
    status_label: str
    headline: str
    title: str
    workflow: str
    department: str
    department_url: str
    opened: When
    due: When | None
    owner: Person | None
    customer: CustomerSummary
    timezone_label: str
    step_groups: Sequence[Sequence[TimelineStep]]
    moves: Sequence[NextAction]
    conversation: Sequence[ConversationEntry] = ()
    unanswered_note: str = ""
    promises: Sequence[PromiseLine] = ()
    past_promises: Sequence[PromiseLine] = ()
    events: Sequence[EventLine] = ()
    actions: frozenset[str] = frozenset()
    own_stages: Sequence[Choice] = ()
    target_stages: Sequence[Choice] = ()
    needs: Sequence[NeedLine] = ()
    return_fields: Sequence[QuestionFieldInput] = ()
    people: Sequence[Choice] = ()
    badges: Sequence[Badge] = ()
    consent: ConsentView = ConsentView()
    quiet_hours_note: str = ""
    delivery_note: DeliveryNote = DeliveryNote()  # noqa: RUF009 (frozen)
    channels: Sequence[Choice] = ()
    replies: Sequence[CannedReplyLine] = ()
    draft: str = ""
    intents: Sequence[Choice] = ()
    colleagues: Sequence[str] = ()
    handover_summary: HandoverSummaryView = HandoverSummaryView()
    third_party_stages: Sequence[ThirdPartyStage] = ()
    dropped_balls: Sequence[DroppedBallLine] = ()
    delays: Sequence[DelayCard] = ()
