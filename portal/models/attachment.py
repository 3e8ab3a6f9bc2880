"""A photo or paper that a customer sent with a message: fetched, checked, and kept apart."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models.columns import moment, primary_key, refers_to, word, words


class AttachmentState(StrEnum):
    """Still with the provider; kept by us; or not taken, with a reason."""

    PENDING = "pending"
    STORED = "stored"
    REFUSED = "refused"


class Attachment(SQLModel, table=True):
    """One file of one message. Its bytes are kept outside the web root, by their digest."""

    __tablename__ = "attachment"
    __table_args__ = (
        # Serves: what is still to be fetched from the provider (the sweep).
        sa.Index(
            "ix_attachment_due",
            "next_at",
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        ),
    )

    id: int | None = primary_key()
    # Serves: the files of a message.
    message_id: int = refers_to("message.id", index=True)
    state: AttachmentState = word(AttachmentState, AttachmentState.PENDING)
    source_url: str = words(1_000)
    name: str = words(200)
    media_type: str = words(100)
    # SHA-256 of what we keep, in hexadecimal; the bytes are found by it.
    digest: str = words(64)
    size: int = 0
    width: int = 0
    height: int = 0
    reason: str = words(200)
    tries: int = 0
    next_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
