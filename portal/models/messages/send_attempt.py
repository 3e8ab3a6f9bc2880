"""One attempt to send a message."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.messages.delivery_reason import DeliveryReason
from portal.models.messages.message_status import MessageStatus


class SendAttempt(SQLModel, table=True):
    """One attempt to send a Message: its claim, the provider's id, its outcome."""

    __tablename__ = "send_attempt"

    id: int | None = primary_key()
    message_id: int = foreign_key_column("message.id", index=True)
    number: int = 1
    # Serves: recording the outcome of a claim.
    claim_token: str = Field(max_length=32, index=True)
    claimed_at: datetime = timestamp_column()
    finished_at: datetime | None = timestamp_column(nullable=True)
    provider_sid: str | None = Field(default=None, max_length=200, unique=True)
    status: MessageStatus = enum_column(MessageStatus, MessageStatus.SENDING)
    error_code: str | None = text_column(16, default=None, nullable=True)
    # Why the provider refused it; ``error`` adds the provider's own text, for diagnosis.
    reason: DeliveryReason | None = enum_column(DeliveryReason, nullable=True)
    error: str = text_column(400)
