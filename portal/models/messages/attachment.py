"""A photo or paper that a customer sent with a message."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import SQLModel

from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import StoredFile
from portal.models.columns import (
    enum_column,
    foreign_key_column,
    partial_index,
    primary_key,
    text_column,
    timestamp_column,
)


class AttachmentState(StrEnum):
    """Still to be fetched from the provider; stored; or refused, with a code."""

    PENDING = "pending"
    STORED = "stored"
    REFUSED = "refused"


RETRY_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (60, 120, 480, 1_800, 60))
"""How long after each attempt the next may begin; all are longer than an attempt can take."""


class Attachment(SQLModel, table=True):
    """One file of one message. Its bytes are stored outside the web root, by their digest."""

    __tablename__ = "attachment"
    __table_args__ = (
        # Serves: files still to be fetched from the provider (the sweep).
        partial_index("ix_attachment_due", "next_at", where="next_at IS NOT NULL"),
    )

    id: int | None = primary_key()
    # Serves: the files of a message.
    message_id: int = foreign_key_column("message.id", index=True)
    state: AttachmentState = enum_column(AttachmentState, AttachmentState.PENDING)
    source_url: str = text_column(1_000)
    name: str = text_column(200)
    media_type: str = text_column(100)
    # SHA-256 of the stored bytes, in hexadecimal; the bytes are found by it.
    digest: str = text_column(64)
    size: int = 0
    width: int = 0
    height: int = 0
    # Why the file was refused, and the limit in MB that it was over, if that is why.
    refusal_code: FileRefusalCode | None = enum_column(FileRefusalCode, nullable=True)
    max_megabytes: int = 0
    attempts: int = 0
    next_at: datetime | None = timestamp_column(nullable=True)
    created_at: datetime = timestamp_column()

    @property
    def stored_file(self) -> StoredFile | None:
        """The stored file; None while it is still to be fetched, and where it was refused."""
        if self.state != AttachmentState.STORED:
            return None
        return StoredFile(
            self.name, self.media_type, self.digest, self.size, self.width, self.height
        )

    def mark_stored(self, stored_file: StoredFile) -> None:
        """The file has been stored."""
        self.state, self.next_at = AttachmentState.STORED, None
        self.name, self.media_type, self.digest = (
            stored_file.name,
            stored_file.media_type,
            stored_file.digest,
        )
        self.size, self.width, self.height = stored_file.size, stored_file.width, stored_file.height

    @property
    def refusal(self) -> FileRefusal | None:
        """Why the file was refused; None where it was not."""
        if self.refusal_code is None:
            return None
        return FileRefusal(self.refusal_code, self.max_megabytes)

    @property
    def reason(self) -> str:
        """Why the file was refused, in the words that staff and the API read; empty if not."""
        return self.refusal.text if self.refusal else ""

    def mark_refused(self, refusal: FileRefusal) -> None:
        """The file is not stored, and not fetched again."""
        self.state, self.next_at = AttachmentState.REFUSED, None
        self.refusal_code, self.max_megabytes = refusal.code, refusal.max_megabytes

    def start_attempt(self, now: datetime) -> bool:
        """Count an attempt and set when the next is due, should this one fail.

        False where all attempts have been made.
        """
        if self.attempts == len(RETRY_DELAYS):
            return False
        self.next_at = now + RETRY_DELAYS[self.attempts]
        self.attempts += 1
        return True

    @property
    def is_out_of_attempts(self) -> bool:
        """Whether no further attempt is made."""
        return self.attempts == len(RETRY_DELAYS)
