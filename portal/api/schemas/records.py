"""The response models of a request's events, promises, questions, contacts and dropped balls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import Field

from portal.api.schemas.base import ActorReference, PageResponse, ResponseModel, StaffReference
from portal.models import (
    ActorKind,
    Answer,
    AnswerType,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    DroppedBall,
    DroppedBallKind,
    EscalationLevel,
    Event,
    EventKind,
    FollowUp,
    FollowUpState,
    Promise,
    PromiseKind,
    PromiseState,
    StageRun,
)
from portal.queries.names import Names


class EventResponse(ResponseModel):
    """One event of a request."""

    id: int
    at: datetime
    kind: EventKind
    stage: str | None
    department: str | None
    actor: ActorReference
    visible: bool = Field(description="Whether the customer's page shows it.")
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event, names: Names) -> Self:
        """The event."""
        return cls.from_object(
            event,
            stage=event.stage_key,
            department=names.department_key(event.department_id),
            actor=ActorReference(
                kind=event.actor_kind, name=event.actor_name, key=_key_name(event)
            ),
        )


def _key_name(event: Event) -> str | None:
    is_key = event.actor_kind == ActorKind.API
    return event.actor_name if is_key else event.via_key or None


class EventList(PageResponse[EventResponse]):
    """Events, oldest first."""


class PromiseResponse(ResponseModel):
    """A commitment to a customer."""

    id: int
    kind: PromiseKind
    text: str
    owner: StaffReference | None
    department: str | None
    state: PromiseState
    made_at: datetime
    due_at: datetime
    kept_at: datetime | None
    closed_at: datetime | None
    moved_reason: str
    closed_reason: str = Field(description="Why it was withdrawn, where it was.")
    kept_late: bool = Field(description="It was kept, but after its time.")
    is_told: bool = Field(description="The customer knows of it, and so hears when it is moved.")

    @classmethod
    def of(cls, promise: Promise, names: Names, now: datetime) -> Self:
        """The promise as it is now."""
        return cls.from_object(
            promise,
            owner=StaffReference.of(names, promise.owner_id),
            department=names.department_key(promise.department_id),
            state=promise.state(now),
        )


class PromiseList(PageResponse[PromiseResponse]):
    """Promises, oldest first."""


class FollowUpResponse(ResponseModel):
    """A question to the customer, and the answer."""

    id: int
    key: str
    stage: str
    question: str
    state: FollowUpState
    planned_at: datetime
    next_at: datetime | None = Field(description="When it is asked, asked again or given up.")
    asked_at: datetime | None
    reminded_at: datetime | None
    closed_at: datetime | None
    answer: Answer | None
    answer_words: str
    expects: AnswerType = Field(description="What answers it: yes or no, or a time.")
    answer_at: datetime | None = Field(description="The time that was named, if one was asked for.")
    answered_via: Channel | None
    fields: dict[str, str] = Field(
        description="The values of its fields, such as the amount that a yes agrees to."
    )

    @classmethod
    def of(cls, question: FollowUp, run: StageRun) -> Self:
        """The question about this run of a stage."""
        return cls.from_object(
            question, stage=run.stage_key, answered_via=question.answered_via or None
        )


class FollowUpList(PageResponse[FollowUpResponse]):
    """Questions, oldest first."""


class ContactResponse(ResponseModel):
    """One contact by the customer."""

    id: int
    channel: ContactChannel
    reason: ContactReason
    note: str
    at: datetime
    logged_by: str

    @classmethod
    def of(cls, contact: Contact) -> Self:
        """The contact."""
        return cls.from_object(contact)


class DroppedBallResponse(ResponseModel):
    """A dropped ball, with its assignee."""

    columns: ClassVar[Mapping[str, str]] = {"slipped_at": "dropped_at"}

    id: int
    kind: DroppedBallKind
    subject: str = Field(description="What slipped, such as message:17.")
    reference: str | None
    owner: StaffReference | None
    slipped_at: datetime = Field(description="The moment at which it slipped.")
    raised_at: datetime
    level: EscalationLevel = Field(
        description="Who has it before them by now: owner, lead or manager."
    )
    escalated_at: datetime | None
    escalated_to: StaffReference | None
    resolved_at: datetime | None
    dismissed_by: str | None = Field(description="Who set it aside; null where the facts ended it.")
    dismissed_reason: str | None
    detail: str

    @classmethod
    def of(cls, ball: DroppedBall, reference: str | None, names: Names) -> Self:
        """The dropped ball."""
        return cls.from_object(
            ball,
            reference=reference,
            owner=StaffReference.of(names, ball.owner_id),
            escalated_to=StaffReference.of(names, ball.escalated_to_id),
            dismissed_by=ball.dismissed_by or None,
            dismissed_reason=ball.dismissed_reason or None,
        )


class DroppedBallList(PageResponse[DroppedBallResponse]):
    """Dropped balls, newest first."""
