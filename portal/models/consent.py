"""The consent ledger: may we write to this address, since when, on what evidence."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models.columns import moment, primary_key, refers_to, word, words
from portal.models.customer import Channel


class Consent(SQLModel, table=True):
    """One line of the ledger; lines are only added and the newest for an address counts.

    A line with a ``request_id`` speaks of that request alone.
    """

    __tablename__ = "consent"
    __table_args__ = (
        # Serves: the newest word about an address, asked before each message and at each claim.
        sa.Index("ix_consent_address", "channel", "address", "id"),
    )

    id: int | None = primary_key()
    channel: Channel = word(Channel)
    address: str = words(254)
    granted: bool = True
    request_id: int | None = refers_to("service_request.id", nullable=True)
    source: str = words(64)
    evidence: str = words(400)
    at: datetime = moment()
