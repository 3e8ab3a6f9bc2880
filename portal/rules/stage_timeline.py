"""The timeline of a request: the state of each stage and question of its workflow.

One computation that the customer's page, the desk and the API draw from. Pure: it reads values in
memory and needs of each only the attributes below, so that the tables' rows and the rows of the
page's compiled statement both do.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Generic, Literal, Protocol, TypeVar

from portal.business_time import BusinessCalendar
from portal.models.requests.follow_up import Answer, FollowUp, FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.request_status import CLOSED_STATUSES, RequestStatus
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.workflows import FollowUpDefinition, StageDefinition, WorkflowDefinition

StepState = Literal["current", "handed_off", "paused", "upcoming", "done", "ended", "skipped"]
"""The state of a step: ``current`` is being worked on, ``handed_off`` waits for its department to
accept it, ``paused`` waits on the customer or on a hold, ``upcoming`` has not begun, ``ended`` was
open when the request ended, ``skipped`` was not needed."""


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
HandoffT = TypeVar("HandoffT")
QuestionT = TypeVar("QuestionT", bound=Question)


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

    def is_late(self, now: datetime) -> bool:
        """True from its due time on, unless its clock is paused."""
        return self.run.paused_at is None and now >= self.run.due_at


@dataclass(frozen=True, slots=True)
class StageStep(Generic[RunT, HandoffT, QuestionT]):
    """A stage of the workflow, with the run that counts; none where it has not begun."""

    stage: StageDefinition
    state: StepState
    facts: RunFacts[RunT, HandoffT, QuestionT] | None


@dataclass(frozen=True, slots=True)
class QuestionStep(Generic[QuestionT]):
    """A question with a title of its own: the customer's part, after this stage."""

    stage: StageDefinition
    question: FollowUpDefinition
    state: StepState
    follow_up: QuestionT | None


@dataclass(frozen=True)
class StageTimeline(Generic[RunT, HandoffT, QuestionT]):
    """The timeline of a request at one time.

    Of each stage the newest run counts that was not superseded. While the request is open, a
    cancelled run does not count either: its stage is still to come. An upcoming step is expected
    when those before it are due; after a late or paused one it is unknown.

    ``runs`` are in the order of their opening; ``calendar_of`` gives a department's calendar by
    its key.
    """

    definition: WorkflowDefinition
    status: str
    is_unconfirmed: bool
    runs: Sequence[RunFacts[RunT, HandoffT, QuestionT]]
    calendar_of: Callable[[str], BusinessCalendar]
    now: datetime

    @cached_property
    def is_over(self) -> bool:
        """True once the request is completed, declined or cancelled."""
        return self.status in CLOSED_STATUSES

    @cached_property
    def open_runs(self) -> list[RunFacts[RunT, HandoffT, QuestionT]]:
        """The runs that are open, in the order of their opening."""
        return [facts for facts in self.runs if facts.is_open]

    @cached_property
    def counted(self) -> dict[str, RunFacts[RunT, HandoffT, QuestionT]]:
        """By the key of its stage, the run that counts."""
        states = {RunState.OPEN, RunState.COMPLETED} | (
            {RunState.CANCELLED} if self.is_over else set()
        )
        return {facts.run.stage_key: facts for facts in self.runs if facts.run.state in states}

    def groups(
        self,
    ) -> Iterator[tuple[StageStep[RunT, HandoffT, QuestionT] | QuestionStep[QuestionT], ...]]:
        """The steps in order; those of a group run in parallel."""
        for stages in self.definition.stage_levels():
            yield tuple(self.stage_step(stage) for stage in stages)
            for question in self.question_steps(stages):
                yield (question,)

    def stage_step(self, stage: StageDefinition) -> StageStep[RunT, HandoffT, QuestionT]:
        """The step of this stage."""
        facts = self.counted.get(stage.key)
        return StageStep(stage, _state_of_run(facts) if facts else self._not_begun, facts)

    def question_steps(
        self, stages: Sequence[StageDefinition]
    ) -> Iterator[QuestionStep[QuestionT]]:
        """The customer's own steps after these stages."""
        for stage in stages:
            for question in self.definition.follow_ups_after(stage.key):
                if question.title is not None:
                    yield self._question_step(question, stage)

    def next_step(self) -> StageStep[RunT, HandoffT, QuestionT] | QuestionStep[QuestionT] | None:
        """What follows the open stages; None where nothing does, or the request is over."""
        if self.is_over:
            return None
        open_keys = {facts.run.stage_key for facts in self.open_runs}
        for stage in self.definition.stages:
            if stage.key not in self.counted and open_keys.intersection(stage.after):
                return self.stage_step(stage)
        questions = self.question_steps(self.definition.stages)
        return next((step for step in questions if step.state == "upcoming"), None)

    def expected_at(
        self, step: StageStep[RunT, HandoffT, QuestionT] | QuestionStep[QuestionT]
    ) -> datetime | None:
        """When an upcoming step should begin, or a stage that has begun be done; None if unknown."""
        starts, ends = self._expected
        if isinstance(step, StageStep):
            return step.facts.run.due_at if step.facts else starts.get(step.stage.key)
        if step.follow_up is not None:
            is_planned = step.follow_up.state == FollowUpState.PLANNED
            return step.follow_up.next_at if is_planned else None
        end = ends.get(step.stage.key)
        calendar = self.calendar_of(step.stage.department)
        return calendar.add(end, step.question.wait) if end else None

    def _question_step(
        self, question: FollowUpDefinition, stage: StageDefinition
    ) -> QuestionStep[QuestionT]:
        facts = self.counted.get(stage.key)
        follow_ups = (
            [follow_up for follow_up in facts.questions if follow_up.key == question.key]
            if facts
            else []
        )
        follow_up = follow_ups[-1] if follow_ups else None
        return QuestionStep(stage, question, self._state_of_question(follow_up), follow_up)

    def _state_of_question(self, follow_up: QuestionT | None) -> StepState:
        """Done is what the customer confirmed, or what staff completed for them with a note."""
        if follow_up is None or follow_up.state == FollowUpState.PLANNED:
            return self._not_begun
        if follow_up.state == FollowUpState.ASKED:
            return "current"
        confirmed = self.status == RequestStatus.COMPLETED and not self.is_unconfirmed
        if confirmed or (follow_up.answer == Answer.YES and not follow_up.during_stage):
            return "done"
        return "skipped" if self.is_over else "current"

    @property
    def _not_begun(self) -> StepState:
        return "skipped" if self.is_over else "upcoming"

    @cached_property
    def _expected(self) -> tuple[dict[str, datetime | None], dict[str, datetime | None]]:
        """When each upcoming stage should begin, and when each stage should end or has ended."""
        starts: dict[str, datetime | None] = {}
        ends: dict[str, datetime | None] = {}
        if self.is_over:
            return starts, ends
        for stage in (stage for level in self.definition.stage_levels() for stage in level):
            facts = self.counted.get(stage.key)
            if facts is None:
                previous_ends = [ends[key] for key in stage.after]
                known_ends = [end for end in previous_ends if end]
                start = (
                    max(known_ends)
                    if known_ends and len(known_ends) == len(previous_ends)
                    else None
                )
                starts[stage.key] = start if start and start > self.now else None
                calendar = self.calendar_of(stage.department)
                ends[stage.key] = calendar.add(start, stage.expected) if start else None
            elif facts.run.completed_at:
                ends[stage.key] = facts.run.completed_at
            else:
                is_unknown = facts.run.paused_at or facts.is_late(self.now)
                ends[stage.key] = None if is_unknown else facts.run.due_at
        return starts, ends


def timeline_of(
    request: ServiceRequest, calendar_of: Callable[[str], BusinessCalendar], now: datetime
) -> StageTimeline[StageRun, Handoff, FollowUp]:
    """The timeline of a request that is loaded whole."""
    runs = [
        RunFacts(
            run,
            request.pending_handoff(run),
            tuple(question for question in request.follow_ups if question.run is run),
        )
        for run in request.runs
    ]
    is_unconfirmed = bool(request.closed_unconfirmed)
    return StageTimeline(request.definition, request.status, is_unconfirmed, runs, calendar_of, now)


def _state_of_run(facts: RunFacts[RunT, HandoffT, QuestionT]) -> StepState:
    if facts.run.state == RunState.COMPLETED:
        return "done"
    if facts.run.state == RunState.CANCELLED:
        return "ended"
    if facts.handoff is not None:
        return "handed_off"
    return "paused" if facts.run.paused_at else "current"
