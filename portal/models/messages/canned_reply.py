"""A reply that a department prepares, with placeholders for the request's facts."""

from datetime import datetime

from sqlmodel import SQLModel

from portal.models.columns import foreign_key_column, primary_key, text_column, timestamp_column


class CannedReply(SQLModel, table=True):
    """The text of a reply; of one department, or of all where none is named."""

    __tablename__ = "canned_reply"

    id: int | None = primary_key()
    # Serves: the replies of a department.
    department_id: int | None = foreign_key_column("department.id", index=True, nullable=True)
    title: str = text_column(80)
    body: str = text_column()
    # The reason of a Contact that it suits best, if one.
    reason: str = text_column(32)
    written_by: str = text_column(120)
    created_at: datetime = timestamp_column()
    archived_at: datetime | None = timestamp_column(nullable=True)
