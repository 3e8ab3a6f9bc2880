"""Signs of life: a row says that a worker's sweep has just run."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from portal.models.columns import timestamp_column

DETECTION = "watch"
"""The row of whoever keeps watch; it stays, for a gap in it is an outage."""


class Heartbeat(SQLModel, table=True):
    """One row a worker. Redis is no witness: arq's own health key outlives a dead worker."""

    __tablename__ = "heartbeat"

    name: str = Field(primary_key=True, max_length=120)
    beat_at: datetime = timestamp_column(index=True)
    note: str = Field(default="", max_length=400)
