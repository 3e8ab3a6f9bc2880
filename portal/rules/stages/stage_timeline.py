"""The timeline of a request: the state of each stage and question of its workflow.

One computation that the customer's page, the desk and the API draw from. Pure: it reads values in
memory and needs of each only the attributes below, so that the tables' rows and the rows of the
page's compiled statement both do.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Generic, Literal

from portal.business_time import BusinessCalendar
from portal.models.requests.follow_up import Answer, FollowUp, FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.request_status import CLOSED_STATUSES, RequestStatus
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.rules.investigations import answers_of, find_sought
from portal.rules.stages.timeline_facts import HandoffT, QuestionT, RunFacts, RunT
from portal.workflows import FollowUpDefinition, LocalizedText, StageDefinition, WorkflowDefinition

StepState = Literal["current", "handed_off", "paused", "upcoming", "done", "ended", "skipped"]
"""The state of a step: ``current`` is being worked on, ``handed_off`` waits for its department to
accept it, ``paused`` waits on the customer or on a hold, ``upcoming`` has not begun, ``ended`` was
open when the request ended, ``skipped`` was not needed."""


@dataclass(frozen=True, slots=True)
class StageStep(Generic[RunT, HandoffT, QuestionT]):
    """A stage of the workflow, with the run that counts; none where it has not begun."""

    stage: StageDefinition
    state: StepState
    facts: RunFacts[RunT, HandoffT, QuestionT] | None

    @property
    def title(self) -> LocalizedText:
        """The stage's title in the tense of its state."""
        if self.state == "done":
            return self.stage.title_when_done
        return self.stage.title if self.state in ("current", "paused") else self.stage.title_to_come


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
    its key. ``is_sought`` while the thing is looked for: ``investigations.find_sought``.
    """

    definition: WorkflowDefinition
    status: str
    is_unconfirmed: bool
    runs: Sequence[RunFacts[RunT, HandoffT, QuestionT]]
    calendar_of: Callable[[str], BusinessCalendar]
    now: datetime
    is_sought: bool = False

    @cached_property
    def has_no_dates(self) -> bool:
        """True while the thing is looked for, until a person announces a new date."""
        return self.is_sought and not any(facts.run.delay_reason for facts in self.open_runs)

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

    @cached_property
    def last_completed(self) -> RunFacts[RunT, HandoffT, QuestionT] | None:
        """Of the completed runs that count, the one that was completed last."""
        completed = [
            (facts.run.completed_at, number, facts)
            for number, facts in enumerate(self.counted.values())
            if facts.run.completed_at is not None
        ]
        return max(completed)[2] if completed else None

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
            if step.facts is None:
                return starts.get(step.stage.key)
            return None if self.has_no_dates and step.facts.is_open else step.facts.run.due_at
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
        return ({}, {}) if self.is_over else self.expected_times(self._end_of)

    def expected_times(
        self, end_of: Callable[[RunFacts[RunT, HandoffT, QuestionT]], datetime | None]
    ) -> tuple[dict[str, datetime | None], dict[str, datetime | None]]:
        """When each upcoming stage should begin, and when each stage ends, None if unknown.

        ``end_of`` gives the end of an open run. A stage begins on a day on which its department is
        open. What waits for the customer takes no time: it takes as long as they like. A stage that
        ends with the report of a delivery takes none either.
        """
        starts: dict[str, datetime | None] = {}
        ends: dict[str, datetime | None] = {}
        for stage in (stage for level in self.definition.stage_levels() for stage in level):
            facts = self.counted.get(stage.key)
            if facts is None:
                starts[stage.key] = self._start_of(stage, [ends[key] for key in stage.after])
                ends[stage.key] = self._end_after(stage, starts[stage.key])
            else:
                ends[stage.key] = facts.run.completed_at or end_of(facts)
        return starts, ends

    def _end_of(self, facts: RunFacts[RunT, HandoffT, QuestionT]) -> datetime | None:
        """When an open run is due; unknown while it is paused or late, and has no date.

        Also while what the customer sent is checked.
        """
        if self.has_no_dates:
            return None
        is_theirs = self.definition.stage(facts.run.stage_key).is_customers_turn
        is_unknown = facts.run.paused_at or facts.is_late(self.now) or is_theirs
        return None if is_unknown else self.due_at(facts)

    def due_at(self, facts: RunFacts[RunT, HandoffT, QuestionT]) -> datetime:
        """When an open run is due.

        Once nobody accepts it in time, its whole time from now on, until a new date is announced.
        """
        if not facts.is_accepted_late(self.now) or facts.run.delay_reason:
            return facts.run.due_at
        stage = self.definition.stage(facts.run.stage_key)
        full = self.calendar_of(stage.department).add_to_open_day(self.now, stage.expected)
        return max(facts.run.due_at, full)

    def _start_of(self, stage: StageDefinition, ends: Sequence[datetime | None]) -> datetime | None:
        known_ends = [end for end in ends if end]
        if not known_ends or len(known_ends) != len(ends) or max(known_ends) < self.now:
            return None
        return self.calendar_of(stage.department).on_open_day(max(known_ends))

    def _end_after(self, stage: StageDefinition, start: datetime | None) -> datetime | None:
        if start is None or stage.is_customers_turn or stage.delivered == "complete":
            return start
        return self.calendar_of(stage.department).add_to_open_day(start, stage.expected)


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
    definition, status = request.definition, request.status
    replies = answers_of(request.promises)
    sought = find_sought(definition, status, request.runs, request.follow_ups, replies)
    return StageTimeline(
        definition, status, is_unconfirmed, runs, calendar_of, now, is_sought=sought is not None
    )


def _state_of_run(facts: RunFacts[RunT, HandoffT, QuestionT]) -> StepState:
    if facts.run.state == RunState.COMPLETED:
        return "done"
    if facts.run.state == RunState.CANCELLED:
        return "ended"
    if facts.handoff is not None:
        return "handed_off"
    return "paused" if facts.run.paused_at else "current"
