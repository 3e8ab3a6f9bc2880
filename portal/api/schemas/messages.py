"""The response models of messages, their send attempts and their attachments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Self

from pydantic import Field

from portal.api.schemas.base import PageResponse, ResponseModel
from portal.messaging.wording.delivery_reasons import message_reason
from portal.models import (
    Attachment,
    AttachmentState,
    Channel,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    Transport,
)


class AttemptResponse(ResponseModel):
    """One attempt to send a message."""

    number: int
    status: MessageStatus
    provider_sid: str | None
    error_code: str | None
    error: str
    claimed_at: datetime
    finished_at: datetime | None


class AttachmentResponse(ResponseModel):
    """A photo or document that came with a message; its bytes are at `url` once it is `stored`."""

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
        """The attachment; its type and size are unknown until it is stored."""
        names = ("name", "media_type", "size", "width", "height")
        stored_file = attachment.stored_file
        return cls.from_object(
            attachment,
            url=f"/api/v1/attachments/{attachment.id}" if stored_file else None,
            **{name: getattr(stored_file, name, None) for name in names},
        )


class MessageResponse(ResponseModel):
    """A message to or from a customer, and its delivery."""

    columns: ClassVar[Mapping[str, str]] = {"settled_at": "handled_at", "settled_by": "handled_by"}

    id: int
    reference: str | None = Field(description="Of its request; null for a stranger's.")
    direction: Direction
    channel: Channel
    transport: Transport | None = Field(
        description="What carried a text, once that is known: SMS, WhatsApp or RCS."
    )
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
    read_at: datetime | None = Field(
        description="When the customer read it, where WhatsApp or RCS reports that."
    )

    @classmethod
    def of(
        cls,
        message: Message,
        reference: str | None,
        attempts: Sequence[SendAttempt] = (),
        attachments: Sequence[Attachment] = (),
    ) -> Self:
        """The message with its send attempts and attachments."""
        return cls.from_object(
            message,
            reference=reference,
            to=message.to_address or None,
            from_=message.from_address or None,
            reason=message_reason(message),
            send_attempts=[AttemptResponse.from_object(attempt) for attempt in attempts],
            attachments=[AttachmentResponse.of(attachment) for attachment in attachments],
        )


class MessageList(PageResponse[MessageResponse]):
    """A conversation, oldest first."""
