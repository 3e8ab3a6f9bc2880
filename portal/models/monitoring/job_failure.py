"""A row that a round of the worker could not process, and when it is tried again."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from portal.models.columns import BigId, timestamp_column

FIRST_RETRY = timedelta(minutes=10)
MAX_RETRY = timedelta(days=1)


class JobFailure(SQLModel, table=True):
    """One row (of the table that ``job``, a round or a part of it, works on) that failed."""

    __tablename__ = "job_failure"

    job: str = Field(primary_key=True, max_length=32)
    row_id: int = Field(primary_key=True, sa_type=BigId, sa_column_kwargs={"autoincrement": False})
    failures: int = 0
    retry_at: datetime = timestamp_column()

    def postpone(self, now: datetime) -> None:
        """Try again 10 minutes after the first failure, twice as long after each, at most a day."""
        self.retry_at = now + min(FIRST_RETRY * (1 << min(self.failures, 10)), MAX_RETRY)
        self.failures += 1
