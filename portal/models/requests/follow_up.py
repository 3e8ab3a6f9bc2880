"""A question to the customer and its answer."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, Relationship, SQLModel

from portal.business_time import BusinessCalendar, Duration, TimeWindow
from portal.models.columns import (
    enum_column,
    foreign_key_column,
    json_column,
    partial_index,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.requests.stage_run import StageRun

READ_BACK_CAUSE = "read_back:"
"""The beginning of the cause of the one message that reads a yes back."""


class FollowUpState(StrEnum):
    """Planned, then asked; closed by an answer, unconfirmed without one, or withdrawn."""

    PLANNED = "planned"
    ASKED = "asked"
    ANSWERED = "answered"
    UNCONFIRMED = "unconfirmed"
    WITHDRAWN = "withdrawn"


class Answer(StrEnum):
    """The answers that a workflow's rules refer to; ``wrong``: yes, but something is wrong."""

    YES = "yes"
    NO = "no"
    WRONG = "wrong"


class AnswerType(StrEnum):
    """What answers a question: yes or no, or a time (an appointment)."""

    YES_NO = "yes_no"
    TIME = "time"


class FollowUp(SQLModel, table=True):
    """A question asked after a stage, or with ``during_stage`` while it is open (a quote)."""

    __tablename__ = "follow_up"
    __table_args__ = (
        # Serves: questions that are to be asked, reminded or closed now (the sweep).
        partial_index("ix_follow_up_due", "next_at", where="next_at IS NOT NULL"),
        # Serves: the visits that fill a department's windows.
        partial_index("ix_follow_up_visit", "answer_until", where="answer_until IS NOT NULL"),
    )

    id: int | None = primary_key()
    # Serves: the questions of one request.
    request_id: int = foreign_key_column("service_request.id", index=True)
    run_id: int = foreign_key_column("stage_run.id")
    key: str = Field(max_length=96)
    during_stage: bool = False
    state: FollowUpState = enum_column(FollowUpState, FollowUpState.PLANNED)
    # With the values of its fields, in the language that the customer read when it was planned.
    question: str = text_column()
    # The values of its fields, by name: {"amount": "$89"}.
    fields: dict[str, str] = json_column()
    # When a yes was read back, because the customer still waited for an answer of ours.
    read_back_at: datetime | None = timestamp_column(nullable=True)
    planned_at: datetime = timestamp_column()
    # When the next step is due: asking, reminding or closing. None when none is.
    next_at: datetime | None = timestamp_column(nullable=True)
    asked_at: datetime | None = timestamp_column(nullable=True)
    reminded_at: datetime | None = timestamp_column(nullable=True)
    # When a person called about it, because no answer came.
    called_at: datetime | None = timestamp_column(nullable=True)
    closed_at: datetime | None = timestamp_column(nullable=True)
    answer: Answer | None = enum_column(Answer, nullable=True)
    expects: AnswerType = enum_column(AnswerType, AnswerType.YES_NO)
    answer_words: str = text_column()
    # The time that the customer named, where one was asked for.
    answer_at: datetime | None = timestamp_column(nullable=True)
    answered_via: str = text_column(16)
    # The end of the visit's window, which begins at answer_at; None where no visit is booked.
    answer_until: datetime | None = timestamp_column(nullable=True)
    # The starts of the windows offered last, in their order; None where any time answers.
    offered: list[str] | None = Field(
        default=None, nullable=True, sa_type=sa.JSON(none_as_null=True)
    )
    # The starts of the windows that the customer has refused: none of them is offered again.
    refused: list[str] | None = Field(
        default=None, nullable=True, sa_type=sa.JSON(none_as_null=True)
    )
    # When staff said that they are on the way.
    on_the_way_at: datetime | None = timestamp_column(nullable=True)

    run: StageRun = Relationship(
        sa_relationship_kwargs={"lazy": "raise_on_sql", "foreign_keys": "FollowUp.run_id"}
    )

    @property
    def agreed(self) -> str:
        """What a yes agrees to: the amount, else the values of all its fields; empty without any."""
        return self.fields.get("amount") or ", ".join(self.fields.values())

    @property
    def is_pending(self) -> bool:
        """Whether the question is planned or asked, and neither answered nor closed."""
        return self.state in (FollowUpState.PLANNED, FollowUpState.ASKED)

    @property
    def is_asked(self) -> bool:
        """Whether the customer has been asked and has not answered."""
        return self.state == FollowUpState.ASKED

    @property
    def is_visit(self) -> bool:
        """Whether a visit answers it, or has answered it: windows were offered, or one is booked."""
        return self.offered is not None

    @property
    def visit_window(self) -> TimeWindow | None:
        """When the booked visit is; None where none is booked."""
        if self.answer_at is None or self.answer_until is None:
            return None
        return TimeWindow(self.answer_at, self.answer_until)

    @property
    def offered_starts(self) -> list[datetime]:
        """When the windows begin that the customer was offered last, in their order."""
        return [datetime.fromisoformat(start) for start in self.offered or ()]

    def offer(self, windows: Sequence[TimeWindow]) -> None:
        """Keep which windows are offered, so that "2" is understood."""
        self.offered = [window.start.isoformat() for window in windows]

    def refuse_offer(self) -> None:
        """Keep that the customer wants none of the windows offered last."""
        self.refused = sorted({*(self.refused or ()), *(self.offered or ())})
        self.offered = []

    def without_refused(self, windows: Sequence[TimeWindow]) -> list[TimeWindow]:
        """Those of these windows that the customer has not refused."""
        refused = set(self.refused or ())
        return [window for window in windows if window.start.isoformat() not in refused]

    def book(self, window: TimeWindow, remind_at: datetime | None) -> None:
        """Book the visit, or move it, and remind of it at that time."""
        self.answer_at, self.answer_until = window.start, window.end
        self.on_the_way_at, self.next_at = None, remind_at
        self.offered = []

    def release(self) -> None:
        """Cancel the visit: its window is free again."""
        self.answer_at = self.answer_until = self.on_the_way_at = self.next_at = None

    def call_due_at(self, wait: Duration, calendar: BusinessCalendar) -> datetime | None:
        """When a person is to call, because the reminder too had no answer for ``wait``.

        ``wait`` is the question's ``remind_after``, ``calendar`` its department's. None where no
        call is due: not reminded yet, answered, called already, or a zero wait.
        """
        if not (self.is_asked and wait and self.reminded_at and self.called_at is None):
            return None
        return calendar.add(self.reminded_at, wait)

    def record_call(self, now: datetime) -> None:
        """A person has called the customer, or tried to; it counts once the reminder was sent."""
        if self.is_asked and self.reminded_at is not None:
            self.called_at = now

    def close(self, state: FollowUpState, now: datetime) -> None:
        """Close the question without a next step."""
        self.state, self.closed_at, self.next_at = state, now, None
