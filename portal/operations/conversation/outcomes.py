"""What an inbound message may lead to: one of nine outcomes. Pure values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
class SendStatus:
    """The reply says where the request stands."""


@dataclass(frozen=True, slots=True)
class OweReply:
    """A person answers or calls, by a time that the reply names.

    ``at`` is the time that the customer named for a call. ``is_silent``: no automatic reply.
    ``template`` is the reply where another than the usual one fits.
    """

    kind: PromiseKind = PromiseKind.ANSWER
    at: datetime | None = None
    is_silent: bool = False
    template: str = ""


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
    or with ``is_of_request`` no more about this request.
    """

    template: str
    source: ConsentSource
    evidence: str
    quiet_hours: str | None = None
    takes_questions: bool | None = None
    stopped: Sequence[tuple[Channel, str]] = ()
    is_of_request: bool = False


@dataclass(frozen=True, slots=True)
class AskWhich:
    """The customer is asked which of several requests is meant."""

    is_again: bool


@dataclass(frozen=True, slots=True)
class NotifyFrontDesk:
    """A dropped ball for whoever oversees, and one text where ``reply`` names a template."""

    kind: DroppedBallKind
    reply: str = ""


Outcome = (
    Record
    | AnswerQuestion
    | SendStatus
    | OweReply
    | Reopen
    | ChangeConsent
    | KeepWish
    | AskWhich
    | NotifyFrontDesk
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one message leads to.

    ``rule`` is a key of ``decision.RULES``. ``is_silent``: no automatic reply. ``owed`` is what a
    person owes beside a change of consent.
    """

    rule: str
    outcome: Outcome
    is_silent: bool = False
    owed: OweReply | None = None
