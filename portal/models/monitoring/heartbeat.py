"""Heartbeats: a row says when a worker's sweep last ran."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from portal.models.columns import timestamp_column

DETECTION = "watch"
"""The name of detection's row, which is never deleted: a gap in it is an outage."""


class Heartbeat(SQLModel, table=True):
    """One row for each worker. In Redis arq's own health key outlives a dead worker."""

    __tablename__ = "heartbeat"

    name: str = Field(primary_key=True, max_length=120)
    beat_at: datetime = timestamp_column(index=True)
    note: str = Field(default="", max_length=400)
