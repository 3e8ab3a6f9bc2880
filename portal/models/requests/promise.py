"""A promise: "I will get right back to you", as a row with an owner and a due time."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import SQLModel

from portal.errors import Conflict
from portal.models.columns import (
    enum_column,
    foreign_key_column,
    partial_index,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.requests.request_status import RequestStatus

CUSTOMER_CHOSE_OTHER_TIME = "The customer named another time."
"""What staff and the API read of a promised call that the customer moved."""


class PromiseState(StrEnum):
    """Open until kept; late past its due time; missed when the request ended without it.

    Withdrawn: it was no promise. It was found by mistake in what staff wrote, or the customer
    never knew of it.
    """

    OPEN = "open"
    KEPT = "kept"
    LATE = "late"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


class PromiseKind(StrEnum):
    """What keeps a promise: a message to the customer, a logged call, or a confirmation."""

    ANSWER = "answer"
    CALL = "call"
    OTHER = "other"


REPLY_KINDS = (PromiseKind.ANSWER, PromiseKind.CALL)
"""Promises that a message or a call keeps: the customer waits for it."""


class PromiseWording(StrEnum):
    """Who worded a promise: a person, or Kept with one of its own sentences."""

    PERSON = "person"
    ANSWER = "answer"
    CALL = "call"
    NEW_DATE = "new_date"


class Promise(SQLModel, table=True):
    """A commitment to a customer, who sees its text, its owner and its due time."""

    __tablename__ = "promise"
    __table_args__ = (
        # Serves: a department's inbox, the oldest promise first.
        partial_index(
            "ix_promise_department", "department_id", "due_at", where="closed_at IS NULL"
        ),
        # Serves: open promises, soonest first (desk and detection).
        partial_index("ix_promise_due", "due_at", where="closed_at IS NULL"),
        # Serves: the open promises of a person who is away or leaves.
        partial_index("ix_promise_owner_id", "owner_id", where="closed_at IS NULL"),
    )

    id: int | None = primary_key()
    # Serves: the promises of one request.
    request_id: int = foreign_key_column("service_request.id", index=True)
    kind: PromiseKind = enum_column(PromiseKind, PromiseKind.OTHER)
    # Decides what the customer reads, and what keeps the promise.
    wording: PromiseWording = enum_column(PromiseWording, PromiseWording.PERSON)
    # What staff and the API read: a person's text, or Kept's own in English.
    text: str = text_column()
    owner_id: int = foreign_key_column("staff_member.id")
    department_id: int = foreign_key_column("department.id")
    made_at: datetime = timestamp_column()
    due_at: datetime = timestamp_column()
    kept_at: datetime | None = timestamp_column(nullable=True)
    closed_at: datetime | None = timestamp_column(nullable=True)
    moved_reason: str = text_column()
    # The customer named another time; else a member of staff moved it with a reason.
    moved_by_customer: bool = False
    # Why it was withdrawn; empty for a promise that was missed.
    closed_reason: str = text_column()
    # The start of the window in which the customer wants the call; ``due_at`` is its end.
    not_before_at: datetime | None = timestamp_column(nullable=True)
    # How the customer named that window, as a ``WindowKind``; empty without one.
    call_window: str = text_column(16)
    # Whether the customer knows of the promise, and is notified when it is moved.
    is_told: bool = True

    def state(self, now: datetime) -> PromiseState:
        """The state at this moment. Late follows from the time and is never stored."""
        if self.kept_at:
            return PromiseState.KEPT
        if self.closed_at:
            return PromiseState.WITHDRAWN if self.closed_reason else PromiseState.MISSED
        return PromiseState.OPEN if now <= self.due_at else PromiseState.LATE

    @property
    def is_open(self) -> bool:
        """Whether the promise is still to be kept, in time or late."""
        return self.closed_at is None

    @property
    def kept_late(self) -> bool:
        """Whether the promise was kept after its due time."""
        return self.kept_at is not None and self.kept_at > self.due_at

    def outlives(self, ending: RequestStatus) -> bool:
        """Whether the promise stays open, and detection checks it, when its request ends so.

        Each does when the request is completed; the answer or call that a customer waits for also
        when it is declined.
        """
        is_reply = self.kind in REPLY_KINDS
        return ending == RequestStatus.COMPLETED or (is_reply and ending == RequestStatus.DECLINED)

    def is_due_soon(self, now: datetime) -> bool:
        """Whether the promise is in the last quarter of its time and in its last hour."""
        time_left = self.due_at - now
        soon = min((self.due_at - self.made_at) / 4, timedelta(hours=1))
        return self.is_open and timedelta() <= time_left <= soon

    def keep(self, now: datetime) -> None:
        """Mark the promise as kept. Raises Conflict when it is closed."""
        self._check_open()
        self.kept_at = self.closed_at = now

    def move(self, due_at: datetime, reason: str) -> None:
        """Set a new due time, with a reason. Raises Conflict when the promise is closed."""
        self._check_open()
        self.due_at, self.moved_reason, self.moved_by_customer = due_at, reason, False
        self.not_before_at, self.call_window = None, ""

    def move_for_customer(self, due_at: datetime) -> None:
        """Set the time that the customer named. Raises Conflict when the promise is closed."""
        self.move(due_at, CUSTOMER_CHOSE_OTHER_TIME)
        self.moved_by_customer = True

    def agree_call(self, due_at: datetime, not_before_at: datetime | None, window: str) -> None:
        """Set the window of the call, as the customer named it; ``window`` is empty for a moment."""
        self.due_at, self.not_before_at, self.call_window = due_at, not_before_at, window

    def miss(self, now: datetime) -> None:
        """Close the promise unkept, because the request ends. Raises Conflict when it is closed."""
        self._check_open()
        self.closed_at = now

    def withdraw(self, now: datetime, reason: str) -> None:
        """Close the promise as one that was none. Raises Conflict when it is closed."""
        self._check_open()
        self.closed_at, self.closed_reason = now, reason

    def restore(self) -> None:
        """Open a withdrawn promise again, with its owner and its due time."""
        self.closed_at, self.closed_reason = None, ""

    def _check_open(self) -> None:
        if self.closed_at:
            raise Conflict("This promise is closed already.")
