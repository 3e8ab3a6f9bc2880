"""The move of a request from one department to the next: sent, then accepted or refused."""

from datetime import datetime

from sqlmodel import Relationship, SQLModel

from portal.business_time import Duration
from portal.models.columns import (
    foreign_key_column,
    partial_index,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.department import Department
from portal.models.requests.stage_run import StageRun


class Handoff(SQLModel, table=True):
    """The sender owns the request until the receiver accepts; the receiver's clock already runs."""

    __tablename__ = "handoff"
    __table_args__ = (
        # Serves: handoffs that wait for this department to accept (board and detection).
        partial_index(
            "ix_handoff_pending", "to_department_id", "accept_by", where="closed_at IS NULL"
        ),
    )

    id: int | None = primary_key()
    # Serves: the handoffs of one request (its page, its rules).
    request_id: int = foreign_key_column("service_request.id", index=True)
    run_id: int = foreign_key_column("stage_run.id", index=True)
    from_run_id: int | None = foreign_key_column("stage_run.id", nullable=True)
    from_department_id: int = foreign_key_column("department.id")
    to_department_id: int = foreign_key_column("department.id")
    sender_id: int = foreign_key_column("staff_member.id")
    sent_at: datetime = timestamp_column()
    accept_by: datetime | None = timestamp_column(nullable=True)
    accepted_at: datetime | None = timestamp_column(nullable=True)
    accepted_by_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    refused_at: datetime | None = timestamp_column(nullable=True)
    refused_reason: str = text_column()
    recalled_at: datetime | None = timestamp_column(nullable=True)
    # The sender's note to the department that accepts; customers never read it.
    note: str = text_column()
    # Accepted, refused, recalled, or void after a cancellation or a send-back.
    closed_at: datetime | None = timestamp_column(nullable=True)

    run: StageRun = Relationship(
        sa_relationship_kwargs={"lazy": "raise_on_sql", "foreign_keys": "Handoff.run_id"}
    )
    from_run: StageRun | None = Relationship(
        sa_relationship_kwargs={"lazy": "raise_on_sql", "foreign_keys": "Handoff.from_run_id"}
    )

    @property
    def is_pending(self) -> bool:
        """Whether the handoff is neither accepted nor refused yet."""
        return self.closed_at is None

    def is_of(self, run: StageRun) -> bool:
        """Whether it hands over this run; by the ids once they are saved, which needs no session."""
        return self.run is run if self.id is None else self.run_id == run.id

    def is_overdue(self, now: datetime) -> bool:
        """Whether the time to accept it has passed."""
        return self.accept_by is not None and now > self.accept_by

    @property
    def was_voided(self) -> bool:
        """Whether its stage was cancelled before it was accepted or refused."""
        answered = self.accepted_at or self.refused_at or self.recalled_at
        return self.closed_at is not None and answered is None

    def accept(self, now: datetime, by_id: int) -> None:
        """The receiver has accepted it."""
        self.accepted_at = self.closed_at = now
        self.accepted_by_id = by_id

    def refuse(self, now: datetime, reason: str) -> None:
        """The receiver has refused it, with a reason."""
        self.refused_at = self.closed_at = now
        self.refused_reason = reason

    def recall(self, now: datetime) -> None:
        """The sender has recalled it."""
        self.recalled_at = self.closed_at = now

    def extend_by_hold(self, since: datetime, now: datetime, department: Department) -> None:
        """Extend the time to accept by the open time on hold since ``since``."""
        if self.accept_by is None or since >= self.accept_by:
            return
        within = Duration.parse(department.accept_within or "0s")
        calendar = department.calendar.calendar_for(within)
        held_time = calendar.elapsed(since, now)
        self.accept_by = max(calendar.add_open_time(self.accept_by, held_time), now)

    def void(self, now: datetime) -> None:
        """Its stage is cancelled."""
        self.closed_at = now
