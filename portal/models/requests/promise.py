"""A promise: "I will get right back to you", as a row with an owner and a due time."""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.errors import Conflict
from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)

CUSTOMER_CHOSE_OTHER_TIME = "The customer named another time."
"""Why a promised call was moved where it was the customer who moved it."""


class PromiseState(StrEnum):
    """Open until kept; late past its due time; missed when the request ended without it.

    Withdrawn is one that was none: read from our words by mistake, or made before anybody knew.
    """

    OPEN = "open"
    KEPT = "kept"
    LATE = "late"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


class PromiseKind(StrEnum):
    """What keeps it: an answer by writing to the customer, a call by logging it, else a person."""

    ANSWER = "answer"
    CALL = "call"
    OTHER = "other"


class Promise(SQLModel, table=True):
    """A commitment to a customer. The customer sees its words, its owner and its time."""

    __tablename__ = "promise"
    __table_args__ = (
        # Serves: a department's inbox, the oldest promise first.
        sa.Index(
            "ix_promise_department",
            "department_id",
            "due_at",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        # Serves: promises still to keep, soonest first (desk, and later the detector).
        sa.Index(
            "ix_promise_due",
            "due_at",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        # Serves: what a person who is away or leaves still has to keep.
        sa.Index(
            "ix_promise_owner_id",
            "owner_id",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
    )

    id: int | None = primary_key()
    # Serves: the promises of one request.
    request_id: int = foreign_key_column("service_request.id", index=True)
    kind: PromiseKind = enum_column(PromiseKind, PromiseKind.OTHER)
    text: str = text_column()
    owner_id: int = foreign_key_column("staff_member.id")
    department_id: int = foreign_key_column("department.id")
    made_at: datetime = timestamp_column()
    due_at: datetime = timestamp_column()
    kept_at: datetime | None = timestamp_column(nullable=True)
    closed_at: datetime | None = timestamp_column(nullable=True)
    moved_reason: str = text_column()
    # Why it was taken back; empty for one that was missed.
    closed_reason: str = text_column()
    # Whether the customer knows of it, and so hears when it is moved.
    is_told: bool = True

    def state(self, now: datetime) -> PromiseState:
        """What it is at this moment; late is a matter of time and so never stored."""
        if self.kept_at:
            return PromiseState.KEPT
        if self.closed_at:
            return PromiseState.WITHDRAWN if self.closed_reason else PromiseState.MISSED
        return PromiseState.OPEN if now <= self.due_at else PromiseState.LATE

    @property
    def is_open(self) -> bool:
        """Still to be kept, in time or late."""
        return self.closed_at is None

    @property
    def kept_late(self) -> bool:
        """Kept, but after its time."""
        return self.kept_at is not None and self.kept_at > self.due_at

    def is_due_soon(self, now: datetime) -> bool:
        """In the last quarter of its time, and in its last hour."""
        left = self.due_at - now
        short = min((self.due_at - self.made_at) / 4, timedelta(hours=1))
        return self.is_open and timedelta() <= left <= short

    def keep(self, now: datetime) -> None:
        """It is kept. Raises Conflict when it is no longer open."""
        self._must_be_open()
        self.kept_at = self.closed_at = now

    def move(self, due_at: datetime, reason: str) -> None:
        """A new time, never without a reason. Raises Conflict when it is no longer open."""
        self._must_be_open()
        self.due_at, self.moved_reason = due_at, reason

    def miss(self, now: datetime) -> None:
        """The request ends without it. Raises Conflict when it is no longer open."""
        self._must_be_open()
        self.closed_at = now

    def withdraw(self, now: datetime, reason: str) -> None:
        """It was no promise, for a reason. Raises Conflict when it is no longer open."""
        self._must_be_open()
        self.closed_at, self.closed_reason = now, reason

    def _must_be_open(self) -> None:
        if self.closed_at:
            raise Conflict("This promise is closed already.")
