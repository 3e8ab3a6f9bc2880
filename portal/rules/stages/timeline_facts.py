"""What the timeline of a request reads: runs of stages, and questions about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from portal.models.requests.stage_run import RunState


class Run(Protocol):
    """What the timeline reads of a StageRun."""

    @property
    def stage_key(self) -> str:
        """The key of its stage."""

    @property
    def state(self) -> str:
        """A RunState."""

    @property
    def due_at(self) -> datetime:
        """By when the customer expects it to be done."""

    @property
    def completed_at(self) -> datetime | None:
        """When it was completed."""

    @property
    def paused_at(self) -> datetime | None:
        """Since when its clock is paused."""

    @property
    def delay_reason(self) -> str:
        """Why its date has moved; empty while it has not."""


class Question(Protocol):
    """What the timeline reads of a FollowUp."""

    @property
    def key(self) -> str:
        """The key of its definition."""

    @property
    def state(self) -> str:
        """A FollowUpState."""

    @property
    def during_stage(self) -> bool:
        """Whether it is asked while its stage is open."""

    @property
    def answer(self) -> str | None:
        """An Answer."""

    @property
    def next_at(self) -> datetime | None:
        """While it is planned, when it is asked."""


RunT = TypeVar("RunT", bound=Run)
HandoffT = TypeVar("HandoffT", bound="PendingHandoff")
QuestionT = TypeVar("QuestionT", bound=Question)


class PendingHandoff(Protocol):
    """What the timeline reads of a Handoff that is not accepted yet."""

    @property
    def accept_by(self) -> datetime | None:
        """By when its department should have accepted it."""


@dataclass(frozen=True, slots=True)
class RunFacts(Generic[RunT, HandoffT, QuestionT]):
    """A run of a stage, the handoff by which it waits to be accepted, the questions about it."""

    run: RunT
    handoff: HandoffT | None = None
    questions: tuple[QuestionT, ...] = ()

    @property
    def is_open(self) -> bool:
        """True while its work is to do."""
        return self.run.state == RunState.OPEN

    def is_accepted_late(self, now: datetime) -> bool:
        """True while its department should have accepted it and has not."""
        accept_by = self.handoff.accept_by if self.handoff is not None else None
        return accept_by is not None and accept_by <= now

    def is_late(self, now: datetime) -> bool:
        """True from its due time on, unless its clock is paused."""
        return self.run.paused_at is None and now >= self.run.due_at
