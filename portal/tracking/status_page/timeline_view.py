"""The way of a request as its customer sees it: each department's leg, and where it stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

StepState = Literal["now", "passed", "paused", "to", "done", "ended", "skipped"]
STEP_STATES: tuple[StepState, ...] = get_args(StepState)


@dataclass(frozen=True, slots=True)
class WaitingHandoff:
    """Sent to a department that has not taken it up yet."""

    department: str
    sent_at: datetime
    accept_by: datetime | None


@dataclass(frozen=True, slots=True)
class ThirdPartyUpdate:
    """The latest word of a third party that does a leg for us, and its number for the customer."""

    by: str
    words: str
    at: datetime
    number: str = ""


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One department's part of the way.

    `now` is being worked on, `passed` is sent to the department and not taken up yet, `paused`
    waits on the customer or on a hold, `to` lies ahead and is expected to begin at `expected_at`,
    `ended` was under way when the request ended, `skipped` was not needed.
    """

    key: str
    title: str
    department: str
    state: StepState
    began_at: datetime | None = None
    ended_at: datetime | None = None
    expected_at: datetime | None = None
    handoff: WaitingHandoff | None = None
    note: str | None = None
    heard: ThirdPartyUpdate | None = None
    is_repeated: bool = False

    @property
    def duration(self) -> timedelta | None:
        """From beginning to end, by the wall clock."""
        if self.began_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.began_at

    def is_overdue(self, now: datetime) -> bool:
        """Under way past the time that was said. A paused leg is never late: its clock stands."""
        under_way = self.state in ("now", "passed")
        return under_way and self.expected_at is not None and now >= self.expected_at


StepGroup = tuple[TimelineStep, ...]
"""Legs that run side by side; mostly one."""


def state_of(level: StepGroup) -> StepState:
    """Of several legs that of the one that stands for all: what is at work comes first."""
    states = {leg.state for leg in level}
    if "to" in states and "done" in states:
        return "now"
    return next(state for state in STEP_STATES if state in states)
