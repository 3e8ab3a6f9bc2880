"""The timeline on the status page: plain values in the customer's language. Times are UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from portal.rules.stage_timeline import StepState

STEP_STATES: tuple[StepState, ...] = get_args(StepState)
"""By precedence: the state of a group of parallel steps is the first that one of them has."""


@dataclass(frozen=True, slots=True)
class CurrentDepartment:
    """A department that has the request, and since when."""

    department: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NextStep:
    """The step that comes next, and when it is expected to begin."""

    title: str
    by: datetime | None


@dataclass(frozen=True, slots=True)
class Delay:
    """The promised date that has passed (`previous_by`), or the new date and why it moved."""

    previous_by: datetime | None = None
    new_by: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DateEstimate:
    """By when half of similar stages are done, and by when this one is promised."""

    usually_by: datetime
    latest_by: datetime


@dataclass(frozen=True, slots=True)
class WaitingHandoff:
    """A handoff that its department has not accepted yet."""

    department: str
    sent_at: datetime
    accept_by: datetime | None


@dataclass(frozen=True, slots=True)
class ThirdPartyUpdate:
    """The latest update of a third party that does a stage for us, and its tracking number.

    ``text`` is all of it, ``own_words`` what they wrote themselves. ``url`` is their page of the
    number, where it is known.
    """

    by: str
    text: str
    at: datetime
    number: str = ""
    url: str = ""
    own_words: str = ""


@dataclass(frozen=True, slots=True)
class LastReport:
    """How far a third party is: our words for its code, when and where it was.

    ``is_problem``: a person of ours looks into it. ``is_pickup``: the customer picks it up.
    """

    words: str
    at: datetime
    place: str = ""
    is_problem: bool = False
    is_pickup: bool = False


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """A stage or a question of the timeline.

    `expected_at` is when an upcoming step should begin, or one under way should be done.
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
    third_party_update: ThirdPartyUpdate | None = None
    is_repeated: bool = False

    @property
    def duration(self) -> timedelta | None:
        """From beginning to end, by the wall clock."""
        if self.began_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.began_at

    def is_overdue(self, now: datetime) -> bool:
        """True from the expected time on while it is under way. A paused step is never late."""
        under_way = self.state in ("current", "handed_off")
        return under_way and self.expected_at is not None and now >= self.expected_at


StepGroup = tuple[TimelineStep, ...]
"""Steps that run in parallel; mostly one."""


def state_of(group: StepGroup) -> StepState:
    """The state of a group: the first in STEP_STATES that a step has."""
    states = {step.state for step in group}
    if "upcoming" in states and "done" in states:
        return "current"
    return next(state for state in STEP_STATES if state in states)
