"""Reads of customers' files by staff: who has seen which file, on which day."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import BigId, timestamp_column


class AttachmentRead(SQLModel, table=True):
    """A member of staff has read a file; one row for each person, file and day (UTC)."""

    __tablename__ = "attachment_read"

    # Serves: who has read the files of a conversation.
    attachment_id: int = Field(primary_key=True, foreign_key="attachment.id", sa_type=BigId)
    staff_id: int = Field(primary_key=True, foreign_key="staff_member.id", sa_type=BigId)
    day: date = Field(primary_key=True, sa_type=sa.Date)
    read_at: datetime = timestamp_column()
