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
    """How a wish reached us; the evidence beside it is what stands for it.

    Given with a request: by whose hand. By text or mail: the words and their id. On the
    status page or by a mail's unsubscribe link: the request's reference. From the carrier: its
    code or its id. From staff: to whom it was said.
    """

    REQUEST = "request"
    TEXT = "text"
    MAIL = "mail"
    STATUS_PAGE = "status page"
    UNSUBSCRIBE_LINK = "unsubscribe link"
    CARRIER = "carrier"
    STAFF = "staff"


class Consent(SQLModel, table=True):
    """One line of the ledger; lines are only added and the newest for an address counts.

    A line with a ``request_id`` speaks of that request alone. ``source`` is a ConsentSource.
    """

    __tablename__ = "consent"
    __table_args__ = (
        # Serves: the newest word about an address, asked before each message and at each claim.
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
