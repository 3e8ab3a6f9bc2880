"""Presence: which staff have this request open, so that two see each other."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from portal.models.columns import BigId, timestamp_column

PRESENCE_TIMEOUT = timedelta(seconds=30)
"""So long after they were last seen a colleague is taken to be there."""


class Presence(SQLModel, table=True):
    """A colleague was seen at a request; a row counts for half a minute, and is then history."""

    __tablename__ = "presence"

    request_id: int = Field(primary_key=True, foreign_key="service_request.id", sa_type=BigId)
    staff_id: int = Field(primary_key=True, foreign_key="staff_member.id", sa_type=BigId)
    seen_at: datetime = timestamp_column()
    is_writing: bool = False

    def is_current(self, now: datetime) -> bool:
        """True while the colleague is taken to be there."""
        return now - self.seen_at <= PRESENCE_TIMEOUT
