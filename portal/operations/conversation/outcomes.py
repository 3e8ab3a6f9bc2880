"""What an inbound message may lead to: one of these outcomes. Pure values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.messaging.intents.named_times import NamedTime
from portal.models import (
    Answer,
    Channel,
    ConsentSource,
    DroppedBallKind,
    FollowUp,
    PromiseKind,
    ServiceRequest,
)


@dataclass(frozen=True, slots=True)
class Record:
    """It stands in the conversation; nothing is owed."""


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """It answers the open question, ``at`` the time that it names."""

    question: FollowUp
    answer: Answer
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BookVisit:
    """It names a time for the visit of this question: booked or moved there, where that is free.

    ``wish`` is None where it names none that is plain: free windows are offered. ``is_refusal``: it
    wants none of those offered last.
    """

    question: FollowUp
    wish: NamedTime | None = None
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class CancelVisit:
    """The booked visit is cancelled, and the customer is asked for another time."""


@dataclass(frozen=True, slots=True)
class AskBack:
    """The reply asks the open question again in one line: the message could mean two things."""

    question: FollowUp


@dataclass(frozen=True, slots=True)
class SendStatus:
    """The reply says where the request stands."""


@dataclass(frozen=True, slots=True)
class SendLink:
    """The reply is the link to the request."""


@dataclass(frozen=True, slots=True)
class OweReply:
    """A person answers or calls, by a time that the reply names.

    ``at`` is the time that the customer named for a call, ``named`` how they did; ``wish`` is what
    they wrote where it is no plain time. ``is_silent``: no automatic reply.
    ``template`` is the reply where another than the usual one fits. ``is_told`` false: the customer
    reads of no time yet, because they are asked which request is meant.
    """

    kind: PromiseKind = PromiseKind.ANSWER
    at: datetime | None = None
    is_silent: bool = False
    template: str = ""
    is_told: bool = True
    named: NamedTime | None = None
    wish: str = ""


@dataclass(frozen=True, slots=True)
class TakeFiles:
    """Its files are an item that is needed; a person checks it, by a time that the reply names."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The reply reads a yes back: the customer still waits for an answer of ours."""

    question: FollowUp


@dataclass(frozen=True, slots=True)
class Reopen:
    """The closed request is opened again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeConsent:
    """A line in the consent ledger for each address, and its confirmation.

    ``granted`` None writes no line (HELP). ``request_id``: for this request alone. ``confirm``
    names the template; empty, nothing is confirmed. ``about`` is the request that it names.
    """

    granted: bool | None
    channel: Channel
    addresses: Sequence[str]
    source: ConsentSource
    evidence: str
    request_id: int | None = None
    confirm: str = ""
    about: ServiceRequest | None = None


@dataclass(frozen=True, slots=True)
class KeepWish:
    """A wish for fewer messages is kept, and confirmed by ``template``.

    ``quiet_hours`` are as the setting is written. ``stopped`` are the addresses that get no more,
    or with ``is_of_request`` no more about this request. ``is_silent``: nothing confirms it.
    """

    template: str
    source: ConsentSource
    evidence: str
    quiet_hours: str | None = None
    takes_questions: bool | None = None
    stopped: Sequence[tuple[Channel, str]] = ()
    is_of_request: bool = False
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class AskWhich:
    """The customer is asked which of several requests is meant; what they wrote has an owner."""

    is_again: bool
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class NotifyFrontDesk:
    """A dropped ball for whoever oversees, and one text where ``reply`` names a template."""

    kind: DroppedBallKind
    reply: str = ""


RequestOutcome = (
    Record
    | AnswerQuestion
    | BookVisit
    | CancelVisit
    | AskBack
    | SendStatus
    | SendLink
    | OweReply
    | Reopen
    | AskWhich
    | KeepWish
    | TakeFiles
    | ReadBack
)
"""What is done to a request."""
Outcome = RequestOutcome | ChangeConsent | NotifyFrontDesk


@dataclass(frozen=True, slots=True)
class Decision:
    """What one message leads to.

    ``rule`` is a key of ``decision.RULES``. ``owed`` is what a person owes beside the outcome.
    ``is_urgent``: it is raised at once as a dropped ball.
    """

    rule: str
    outcome: Outcome
    owed: OweReply | None = None
    is_urgent: bool = False
