"""A time without detection: what was overdue may have been done without a record."""

from datetime import datetime

from sqlmodel import SQLModel

from portal.models.columns import primary_key, timestamp_column


class MonitoringGap(SQLModel, table=True):
    """From the last detection before it to the first after it.

    Staff catch up until ``grace_until``. What fell due within the gap is raised only then: they
    could not record what they did.
    """

    __tablename__ = "monitoring_gap"

    id: int | None = primary_key()
    began_at: datetime = timestamp_column()
    ended_at: datetime = timestamp_column()
    # Serves: is there a gap whose grace has not ended?
    grace_until: datetime = timestamp_column(index=True)
