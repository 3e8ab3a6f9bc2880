"""A photo or paper that a customer sent with a message: fetched, checked, and kept apart."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.attachments.stored_file import KeptFile
from portal.models.columns import moment, primary_key, refers_to, word, words


class AttachmentState(StrEnum):
    """Still with the provider; kept by us; or not taken, with a reason."""

    PENDING = "pending"
    STORED = "stored"
    REFUSED = "refused"


LATER = tuple(timedelta(seconds=one) for one in (60, 120, 480, 1_800, 60))
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

    @property
    def kept(self) -> KeptFile | None:
        """The file on the shelf; None while it is fetched, and where it was not taken."""
        if self.state != AttachmentState.STORED:
            return None
        return KeptFile(self.name, self.media_type, self.digest, self.size, self.width, self.height)

    def keep(self, kept: KeptFile) -> None:
        """It is on the shelf."""
        self.state, self.next_at = AttachmentState.STORED, None
        self.name, self.media_type, self.digest = kept.name, kept.media_type, kept.digest
        self.size, self.width, self.height = kept.size, kept.width, kept.height

    def refuse(self, reason: str) -> None:
        """It is not taken; ``reason`` goes on after "it could not be taken:"."""
        self.state, self.next_at, self.reason = AttachmentState.REFUSED, None, reason

    def begin_try(self, now: datetime) -> bool:
        """Count a try, and say when the next is due should this one end in nothing.

        False where there were enough.
        """
        if self.tries == len(LATER):
            return False
        self.next_at = now + LATER[self.tries]
        self.tries += 1
        return True

    @property
    def was_last_try(self) -> bool:
        """Whether another failure is the end of it."""
        return self.tries == len(LATER)
