"""The customer came to us, and why: the thing to make unnecessary."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models.columns import moment, primary_key, refers_to, word, words


class ContactReason(StrEnum):
    """What made the customer ask."""

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
    """One time that the customer came to us about a request."""

    __tablename__ = "contact"
    # Serves: why customers came to us in a week.
    __table_args__ = (sa.Index("ix_contact_at", "at"),)

    id: int | None = primary_key()
    request_id: int = refers_to("service_request.id", index=True)
    message_id: int | None = refers_to("message.id", nullable=True)
    channel: ContactChannel = word(ContactChannel)
    reason: ContactReason = word(ContactReason, ContactReason.OTHER)
    note: str = words()
    at: datetime = moment()
    logged_by: str = words(120)
