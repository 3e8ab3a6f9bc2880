"""A contact: a customer came to us, and why."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)


class ContactReason(StrEnum):
    """What made the customer contact us."""

    WHERE_IS_IT = "where_is_it"
    COMPLAINT = "complaint"
    CHANGE = "change"
    QUESTION = "question"
    OTHER = "other"


class ContactChannel(StrEnum):
    """How the customer came."""

    CALL = "call"
    VISIT = "visit"
    SMS = "sms"
    EMAIL = "email"
    WEB = "web"


class Contact(SQLModel, table=True):
    """One time that the customer contacted us about a request."""

    __tablename__ = "contact"
    # Serves: the reasons for contacts in a week.
    __table_args__ = (sa.Index("ix_contact_at", "at"),)

    id: int | None = primary_key()
    request_id: int = foreign_key_column("service_request.id", index=True)
    message_id: int | None = foreign_key_column("message.id", nullable=True)
    channel: ContactChannel = enum_column(ContactChannel)
    reason: ContactReason = enum_column(ContactReason, ContactReason.OTHER)
    note: str = text_column()
    at: datetime = timestamp_column()
    logged_by: str = text_column(120)
