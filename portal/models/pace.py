"""How long things have taken: what the dates that we believe in are measured from."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from portal.models.columns import moment

WHOLE = ""
"""In place of a stage: the request from its opening to its end."""


class Pace(SQLModel, table=True):
    """How long one stage of a kind of request takes, from those that were done lately.

    In seconds of the time that counts there: the department's hours, or all hours. Half are done
    within ``half_seconds``, four in five within ``most_seconds``.
    """

    __tablename__ = "pace"

    workflow_key: str = Field(primary_key=True, max_length=64)
    stage_key: str = Field(primary_key=True, max_length=64)
    half_seconds: int
    most_seconds: int
    measured: int
    measured_at: datetime = moment()
