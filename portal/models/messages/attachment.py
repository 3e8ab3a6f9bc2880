"""A photo or paper that a customer sent with a message: fetched, checked, and kept apart."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.attachments.stored_file import StoredFile
from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)


class AttachmentState(StrEnum):
    """Still with the provider; kept by us; or not taken, with a reason."""

    PENDING = "pending"
    STORED = "stored"
    REFUSED = "refused"


RETRY_DELAYS = tuple(timedelta(seconds=one) for one in (60, 120, 480, 1_800, 60))
"""How long after each try the next may begin; all are longer than a try can take."""


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
    message_id: int = foreign_key_column("message.id", index=True)
    state: AttachmentState = enum_column(AttachmentState, AttachmentState.PENDING)
    source_url: str = text_column(1_000)
    name: str = text_column(200)
    media_type: str = text_column(100)
    # SHA-256 of what we keep, in hexadecimal; the bytes are found by it.
    digest: str = text_column(64)
    size: int = 0
    width: int = 0
    height: int = 0
    reason: str = text_column(200)
    attempts: int = 0
    next_at: datetime | None = timestamp_column(nullable=True)
    created_at: datetime = timestamp_column()

    @property
    def stored_file(self) -> StoredFile | None:
        """The file on the shelf; None while it is fetched, and where it was not taken."""
        if self.state != AttachmentState.STORED:
            return None
        return StoredFile(
            self.name, self.media_type, self.digest, self.size, self.width, self.height
        )

    def mark_stored(self, stored_file: StoredFile) -> None:
        """It is on the shelf."""
        self.state, self.next_at = AttachmentState.STORED, None
        self.name, self.media_type, self.digest = (
            stored_file.name,
            stored_file.media_type,
            stored_file.digest,
        )
        self.size, self.width, self.height = stored_file.size, stored_file.width, stored_file.height

    def mark_refused(self, reason: str) -> None:
        """It is not taken; ``reason`` goes on after "it could not be taken:"."""
        self.state, self.next_at, self.reason = AttachmentState.REFUSED, None, reason

    def start_attempt(self, now: datetime) -> bool:
        """Count a try, and say when the next is due should this one end in nothing.

        False where there were enough.
        """
        if self.attempts == len(RETRY_DELAYS):
            return False
        self.next_at = now + RETRY_DELAYS[self.attempts]
        self.attempts += 1
        return True

    @property
    def is_out_of_attempts(self) -> bool:
        """Whether another failure is the end of it."""
        return self.attempts == len(RETRY_DELAYS)
