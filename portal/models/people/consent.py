"""The consent ledger: may we write to this address, since when, on what evidence."""

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
from portal.models.people.customer import Channel


class ConsentSource(StrEnum):
    """How a consent was given or withdrawn, which decides what is stored as evidence.

    Given with a request: who entered it. By text or mail: the message and its id. On the
    status page or by a mail's unsubscribe link: the request's reference. From the carrier: its
    error code or message id. From staff: the person who recorded it.
    """

    REQUEST = "request"
    TEXT = "text"
    MAIL = "mail"
    STATUS_PAGE = "status page"
    UNSUBSCRIBE_LINK = "unsubscribe link"
    CARRIER = "carrier"
    STAFF = "staff"


LINK_SOURCES = (ConsentSource.STATUS_PAGE, ConsentSource.UNSUBSCRIBE_LINK)
"""What a link alone can stop: who has it need not be the customer."""


class Consent(SQLModel, table=True):
    """One line of the ledger. Lines are only added, and the newest for an address counts.

    A line with a ``request_id`` is about that request alone. ``source`` is a ConsentSource.
    """

    __tablename__ = "consent"
    __table_args__ = (
        # Serves: the newest line for an address, read before each message and at each claim.
        sa.Index("ix_consent_address", "channel", "address", "id"),
    )

    id: int | None = primary_key()
    channel: Channel = enum_column(Channel)
    address: str = text_column(254)
    granted: bool = True
    request_id: int | None = foreign_key_column("service_request.id", nullable=True)
    source: str = text_column(64)
    evidence: str = text_column(400)
    at: datetime = timestamp_column()
