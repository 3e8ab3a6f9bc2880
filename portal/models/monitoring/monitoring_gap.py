"""That nobody kept watch for a while: what slipped meanwhile may have been put right unseen."""

from datetime import datetime

from sqlmodel import SQLModel

from portal.models.columns import primary_key, timestamp_column


class MonitoringGap(SQLModel, table=True):
    """From the last look before it to the first after it; until ``grace_until`` staff catch up.

    What fell due between is raised only then: they could not have written down what they did.
    """

    __tablename__ = "monitoring_gap"

    id: int | None = primary_key()
    began_at: datetime = timestamp_column()
    ended_at: datetime = timestamp_column()
    # Serves: is there one whose patience lasts still?
    grace_until: datetime = timestamp_column(index=True)
