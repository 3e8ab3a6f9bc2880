"""What is answered of a request's records: its timeline, messages, promises and questions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from portal.messaging.wording.delivery_reasons import message_reason
from portal.models import (
    ActorKind,
    Answer,
    AnswerType,
    Attachment,
    AttachmentState,
    Channel,
    Contact,
    ContactChannel,
    ContactReason,
    Direction,
    DroppedBall,
    DroppedBallKind,
    EscalationLevel,
    Event,
    EventKind,
    FollowUp,
    FollowUpState,
    Message,
    MessageKind,
    MessageStatus,
    Promise,
    PromiseKind,
    PromiseState,
    SendAttempt,
    StageRun,
)
from portal.queries.names import Names

Item = TypeVar("Item")


class ResponseModel(BaseModel):
    """What an answer is made of: nothing undeclared, every field always there, JSON's own names."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, serialize_by_alias=True)
    columns: ClassVar[Mapping[str, str]] = {}
    """The noun's attribute for a field whose public name is another."""

    @classmethod
    def read(cls, noun: object, **given: Any) -> Self:
        """Copy the noun's attributes by the names of the fields; ``given`` has the other fields."""
        own = {
            name: getattr(noun, cls.columns.get(name, name))
            for name in cls.model_fields
            if name not in given
        }
        return cls(**own, **given)


class PageResponse(ResponseModel, Generic[Item]):
    """One page of a list; ``next_cursor`` is null on the last."""

    items: list[Item]
    next_cursor: str | None


class StaffReference(ResponseModel):
    """A member of staff."""

    email: str
    name: str

    @classmethod
    def of(cls, names: Names, staff_id: int | None) -> Self | None:
        """The person with this id; None where nobody is meant."""
        person = names.person(staff_id)
        return cls.read(person) if person else None


class ActorReference(ResponseModel):
    """Who did it: staff, the customer, another system, or Kept itself."""

    kind: ActorKind
    name: str


class EventResponse(ResponseModel):
    """One thing that happened to a request."""

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
        return cls.read(
            event,
            stage=event.stage_key,
            department=names.department_key(event.department_id),
            actor=ActorReference(kind=event.actor_kind, name=event.actor_name),
        )


class EventList(PageResponse[EventResponse]):
    """What happened, oldest first."""


class AttemptResponse(ResponseModel):
    """One try at sending a message."""

    number: int
    status: MessageStatus
    provider_sid: str | None
    error_code: str | None
    error: str
    claimed_at: datetime
    finished_at: datetime | None


class AttachmentResponse(ResponseModel):
    """A photo or paper that came with a message; its bytes are at `url` once it is `stored`."""

    id: int
    state: AttachmentState
    name: str | None
    media_type: str | None
    size: int | None = Field(description="In bytes.")
    width: int | None = Field(description="In pixels; 0 for what is no picture.")
    height: int | None
    reason: str = Field(description="Why it was refused, where it was.")
    url: str | None

    @classmethod
    def of(cls, attachment: Attachment) -> Self:
        """The file as it is now. What it is, is only known once it has been looked at."""
        told = ("name", "media_type", "size", "width", "height")
        stored_file = attachment.stored_file
        return cls.read(
            attachment,
            url=f"/api/v1/attachments/{attachment.id}" if stored_file else None,
            **{name: getattr(stored_file, name, None) for name in told},
        )


class MessageResponse(ResponseModel):
    """A message to or from a customer, and what became of it."""

    columns = {"settled_at": "handled_at", "settled_by": "handled_by"}

    id: int
    reference: str | None = Field(description="Of its request; null for a stranger's.")
    direction: Direction
    channel: Channel
    kind: MessageKind
    cause: str
    body: str
    to: str | None
    from_: str | None = Field(alias="from")
    author: str
    status: MessageStatus
    reason: str = Field(description="Why nothing was sent, where nothing was.")
    segments: int
    error_code: str | None
    provider_sid: str | None
    attempts: int = Field(description="How often we have tried to send it.")
    send_attempts: list[AttemptResponse]
    attachments: list[AttachmentResponse]
    possible_duplicate: bool = Field(description="The customer may have it twice.")
    settled_at: datetime | None = Field(
        description="When it was seen to: sent otherwise, told, or overtaken by newer words."
    )
    settled_by: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None

    @classmethod
    def of(
        cls,
        message: Message,
        reference: str | None,
        tries: Sequence[SendAttempt] = (),
        files: Sequence[Attachment] = (),
    ) -> Self:
        """The message with its tries and files."""
        return cls.read(
            message,
            reference=reference,
            to=message.to_address or None,
            from_=message.from_address or None,
            reason=message_reason(message),
            send_attempts=[AttemptResponse.read(one) for one in tries],
            attachments=[AttachmentResponse.of(one) for one in files],
        )


class MessageList(PageResponse[MessageResponse]):
    """A conversation, oldest first."""


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
        return cls.read(
            promise,
            owner=StaffReference.of(names, promise.owner_id),
            department=names.department_key(promise.department_id),
            state=promise.state(now),
        )


class PromiseList(PageResponse[PromiseResponse]):
    """Promises, oldest first."""


class FollowUpResponse(ResponseModel):
    """A question to the customer, and what they said."""

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

    @classmethod
    def of(cls, question: FollowUp, run: StageRun) -> Self:
        """The question about this passage of a stage."""
        return cls.read(question, stage=run.stage_key, answered_via=question.answered_via or None)


class FollowUpList(PageResponse[FollowUpResponse]):
    """Questions, oldest first."""


class ContactResponse(ResponseModel):
    """One time that the customer came to us."""

    id: int
    channel: ContactChannel
    reason: ContactReason
    note: str
    at: datetime
    logged_by: str

    @classmethod
    def of(cls, contact: Contact) -> Self:
        """The contact."""
        return cls.read(contact)


class DroppedBallResponse(ResponseModel):
    """Something that has slipped, with the person who has it."""

    columns = {"slipped_at": "dropped_at"}

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
        return cls.read(
            ball,
            reference=reference,
            owner=StaffReference.of(names, ball.owner_id),
            escalated_to=StaffReference.of(names, ball.escalated_to_id),
            dismissed_by=ball.dismissed_by or None,
            dismissed_reason=ball.dismissed_reason or None,
        )


class DroppedBallList(PageResponse[DroppedBallResponse]):
    """What has slipped, newest first."""
