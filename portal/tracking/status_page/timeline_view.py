"""The timeline on the status page: plain values in the customer's language. Times are UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Self, get_args

from portal.business_time import OpeningHours
from portal.i18n.lazy_string import LazyString
from portal.rules.arrival import AwaitedParty
from portal.rules.stages.stage_timeline import StepState

STEP_STATES: tuple[StepState, ...] = get_args(StepState)
"""By precedence: the state of a group of parallel steps is the first that one of them has."""


@dataclass(frozen=True, slots=True)
class CurrentDepartment:
    """A department that has the request, since when, and who has it there.

    ``person`` is their first name, ``photo`` the digest of their photo; each may be empty.
    """

    department: str
    since: datetime
    person: str = ""
    photo: str = ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The step that comes next, and when it should begin; `is_asked`: it is the customer's part."""

    title: str
    by: datetime | None
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class ArrivalLine:
    """By when the whole request should be done, with its label ("With you by").

    While it waits, there is no date, but the `duration` after `awaited`, a third party by `name`.
    """

    label: str
    by: datetime | None = None
    duration: timedelta | None = None
    awaited: AwaitedParty | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class PlaceToCome:
    """Where the customer comes: a department, its hours if it closes, a place, what to bring."""

    department: str
    hours: OpeningHours | None = None
    place: str = ""
    bring: str = ""


@dataclass(frozen=True, slots=True)
class Delay:
    """The date that was given (`previous_by`), the new one if there is one, and why it moved."""

    previous_by: datetime | None = None
    new_by: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DateEstimate:
    """By when half of similar requests are done, and by when this one is promised."""

    usually_by: datetime
    latest_by: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Why the request is on hold, and until when if that is known."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How the request ended: confirmed or closed by the customer, closed by staff, `unconfirmed`.

    `outcome` says what becomes of the thing and the money, `collect` where and when it is collected.
    """

    at: datetime
    reason: str | None = None
    confirmed: bool = False
    unconfirmed: bool = False
    by_customer: bool = False
    outcome: str = ""
    collect: str = ""


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
    `pause_label` says for whom a paused step waits. `is_asked`: it is the customer's part.
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
    pause_label: str = LazyString("paused")
    is_asked: bool = False

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


@dataclass(frozen=True, slots=True)
class FoldedSteps:
    """The timeline in three parts: what is finished and what an end made unnecessary are folded.

    A single step is not folded, and nothing of a request that was completed.
    """

    finished: tuple[StepGroup, ...]
    shown: tuple[StepGroup, ...]
    unneeded: tuple[StepGroup, ...]

    @classmethod
    def of(cls, groups: tuple[StepGroup, ...]) -> Self:
        """The timeline's groups, in their order."""
        finished = list(takewhile(lambda group: state_of(group) == "done", groups))
        unneeded = list(takewhile(lambda group: state_of(group) == "skipped", groups[::-1]))
        start = len(finished) if _count(finished) > 1 and len(finished) < len(groups) else 0
        end = len(groups) - (len(unneeded) if _count(unneeded) > 1 else 0)
        return cls(groups[:start], groups[start:end], groups[end:])

    @property
    def finished_count(self) -> int:
        """How many steps are folded as finished."""
        return _count(self.finished)

    @property
    def unneeded_count(self) -> int:
        """How many steps are folded as not needed."""
        return _count(self.unneeded)


def _count(groups: Sequence[StepGroup]) -> int:
    return sum(len(group) for group in groups)


def state_of(group: StepGroup) -> StepState:
    """The state of a group: the first in STEP_STATES that a step has."""
    states = {step.state for step in group}
    if "upcoming" in states and "done" in states:
        return "current"
    return next(state for state in STEP_STATES if state in states)
