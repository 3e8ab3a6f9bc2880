"""A request's way through its workflow, as its customer reads it at one moment."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from portal.business_time import Duration, business_calendar
from portal.i18n.languages import UntranslatedText, language_of
from portal.i18n.lazy_string import LazyString
from portal.models import CLOSED_STATUSES, Answer, FollowUpState, RequestStatus, RunState
from portal.queries.status_page.rows import (
    DepartmentRow,
    FollowUpRow,
    HandoffRow,
    RunRow,
    StatusPageRow,
)
from portal.tracking.status_page.timeline_view import (
    StepState,
    ThirdPartyUpdate,
    TimelineStep,
    WaitingHandoff,
)
from portal.tracking.status_page.view_models import CurrentDepartment, DateEstimate, Delay, NextStep
from portal.workflows import FollowUpDefinition, LocalizedText, StageDefinition, WorkflowDefinition

CUSTOMER_PART = LazyString("You tell us")
"""Whose part the last leg is, which only the customer can say is done."""


@dataclass(frozen=True)
class StageTimeline:
    """A request's way through its workflow, read at one moment.

    What counts of a stage is its newest passage that was not undone. A leg ahead is expected when
    those before it are due; after one that is late or paused nobody can say, so nothing is said.
    """

    snapshot: StatusPageRow
    definition: WorkflowDefinition
    now: datetime

    @property
    def headline(self) -> str:
        """The customer's title of the stage that was last reached, the first where several are."""
        reached = [run for run in self._open_runs if run.reached_at]
        before = [run for run in self._passages.values() if run.reached_at]
        if not reached and not before:
            return self.definition.title_in(self.snapshot.title, self.snapshot.locale)
        run = reached[0] if reached else max(before, key=lambda run: (run.reached_at, run.id))
        return self.localize(self.definition.stage(run.stage_key).title)

    @property
    def current_departments(self) -> tuple[CurrentDepartment, ...]:
        """Each department that has it; the sender still does until a handoff is taken up."""
        found: dict[int, CurrentDepartment] = {}
        for run in self._open_runs:
            handoff = self._handoffs.get(run.id)
            department_id = handoff.from_department_id if handoff else run.department_id
            since = run.reached_at or run.opened_at
            holder = CurrentDepartment(self.department(department_id).name, since)
            found.setdefault(department_id, holder)
        return tuple(found.values())

    @property
    def handoff(self) -> WaitingHandoff | None:
        """The handoff under way, where it is all that is under way."""
        runs = self._open_runs
        return self._waiting(runs[0]) if len(runs) == 1 else None

    @property
    def next_step(self) -> NextStep | None:
        """What follows what is open now, and when."""
        if self._is_over:
            return None
        here = {run.stage_key for run in self._open_runs}
        for stage in self.definition.stages:
            if stage.key not in self._passages and here.intersection(stage.after):
                return NextStep(self.localize(stage.title), self._begins.get(stage.key))
        for leg in self._question_legs(self.definition.stages):
            if leg.state == "to":
                return NextStep(leg.title, leg.expected_at)
        return None

    @property
    def delay(self) -> Delay | None:
        """The time that we gave has passed, or we have given a new one and said why."""
        late = [run for run in self._open_runs if self._is_late(run)]
        if late:
            return Delay(previous_by=min(run.due_at for run in late))
        told = [run for run in self._open_runs if run.delay_reason and run.paused_at is None]
        if not told:
            return None
        last = max(told, key=lambda run: run.due_at)
        return Delay(now_by=last.due_at, reason=last.delay_reason)

    @property
    def estimate(self) -> DateEstimate | None:
        """How long its like take, where one stage is under way and that has been measured."""
        (run,) = self._open_runs if len(self._open_runs) == 1 else (None,)
        if run is None or run.p50_at is None or run.paused_at or run.delay_reason:
            return None
        return DateEstimate(run.p50_at, run.due_at) if self.now < run.p50_at < run.due_at else None

    @property
    def ask_after(self) -> datetime | None:
        """The last date that we believed in, of what is under way."""
        running = [run.last_promised_at for run in self._open_runs if run.paused_at is None]
        return min(running, default=None)

    def step_groups(self) -> Iterator[tuple[TimelineStep, ...]]:
        """The way in order, with a leg for each question that has a name of its own."""
        for stages in self.definition.stage_levels():
            yield tuple(self._leg(stage) for stage in stages)
            for leg in self._question_legs(stages):
                yield (leg,)

    def localize(self, words: LocalizedText) -> str:
        """A workflow's words for the customer, marked where they are not in the page's language."""
        language, text = words.spoken(self.snapshot.locale)
        is_pages_own = language.partition("-")[0] == language_of(self.snapshot.locale).code
        return text if is_pages_own else UntranslatedText(text, language)

    def question(self, asked: FollowUpRow) -> str:
        """The workflow's question, in the language that its customer reads now."""
        return self.definition.question(asked.key).question.in_language(self.snapshot.locale)

    def department(self, department_id: int) -> DepartmentRow:
        """A department of this workflow."""
        return next(one for one in self.snapshot.departments if one.id == department_id)

    def _leg(self, stage: StageDefinition) -> TimelineStep:
        run = self._passages.get(stage.key)
        department = self._departments[stage.department]
        if run is None:
            return TimelineStep(
                stage.key, self.localize(stage.title), department.name,
                "skipped" if self._is_over else "to",
                expected_at=self._begins.get(stage.key),
            )  # fmt: skip
        return TimelineStep(
            key=stage.key,
            title=self.localize(stage.title),
            department=department.name,
            state=self._state(run),
            began_at=run.reached_at or run.opened_at,
            ended_at=run.completed_at,
            expected_at=run.due_at,
            handoff=self._waiting(run),
            note=run.hold_reason or run.note or None,
            heard=None if run.completed_at else self._heard.get(run.id),
            is_repeated=run.passage > 1,
        )

    def _state(self, run: RunRow) -> StepState:
        if run.state == RunState.COMPLETED:
            return "done"
        if run.state == RunState.CANCELLED:
            return "ended"
        if run.id in self._handoffs:
            return "passed"
        return "paused" if run.paused_at else "now"

    def _question_legs(self, stages: tuple[StageDefinition, ...]) -> Iterator[TimelineStep]:
        for stage in stages:
            for question in self.definition.follow_ups_after(stage.key):
                if question.title is not None:
                    key, title = f"asked-{question.key}", self.localize(question.title)
                    yield self._question_leg(question, stage, key, title)

    def _question_leg(
        self, question: FollowUpDefinition, stage: StageDefinition, key: str, title: str
    ) -> TimelineStep:
        """The customer's own part of the way."""
        run = self._passages.get(stage.key)
        put = [f for f in self.snapshot.follow_ups if f.key == question.key]
        asked = next((f for f in reversed(put) if run and f.run_id == run.id), None)
        if asked is None or asked.state == FollowUpState.PLANNED:
            ends = self._ends.get(stage.key)
            due = self._add(stage, ends, question.wait) if ends else None
            expected = asked.next_at if asked else due
            return TimelineStep(
                key,
                title,
                CUSTOMER_PART,
                "skipped" if self._is_over else "to",
                expected_at=expected,
            )
        if asked.state == FollowUpState.ASKED:
            return TimelineStep(key, title, CUSTOMER_PART, "now", began_at=asked.asked_at)
        confirmed = self.snapshot.status == RequestStatus.COMPLETED and (
            not self.snapshot.closed_unconfirmed
        )
        if confirmed or self._said_yes(asked):
            return TimelineStep(key, title, CUSTOMER_PART, "done", began_at=asked.closed_at)
        return TimelineStep(key, title, CUSTOMER_PART, "skipped" if self._is_over else "now")

    def _waiting(self, run: RunRow) -> WaitingHandoff | None:
        handoff = self._handoffs.get(run.id)
        if handoff is None:
            return None
        name = self.department(run.department_id).name
        return WaitingHandoff(name, handoff.sent_at, handoff.accept_by)

    def _is_late(self, run: RunRow) -> bool:
        return run.paused_at is None and self.now >= run.due_at

    def _said_yes(self, question: FollowUpRow) -> bool:
        return question.answer == Answer.YES and not question.during_stage

    def _add(self, stage: StageDefinition, start: datetime, wait: Duration) -> datetime:
        department = self._departments[stage.department]
        calendar = business_calendar(
            department.hours or None, department.timezone, department.holidays or None
        )
        return calendar.add(start, wait)

    @cached_property
    def _is_over(self) -> bool:
        return self.snapshot.status in CLOSED_STATUSES

    @cached_property
    def _departments(self) -> dict[str, DepartmentRow]:
        return {one.key: one for one in self.snapshot.departments}

    @cached_property
    def _handoffs(self) -> dict[int, HandoffRow]:
        return {one.run_id: one for one in self.snapshot.handoffs}

    @cached_property
    def _heard(self) -> dict[int, ThirdPartyUpdate]:
        """What each third party said last; words that came late do not take that place."""
        told = ((one.run_id, json.loads(one.data)) for one in self.snapshot.heard)
        said = [
            (run_id, ThirdPartyUpdate(one["from"], one["words"], datetime.fromisoformat(one["at"]),
                           one["tracking_number"]))
            for run_id, one in told
        ]  # fmt: skip
        return dict(sorted(said, key=lambda one: one[1].at))

    @cached_property
    def _open_runs(self) -> list[RunRow]:
        return [run for run in self.snapshot.runs if run.state == RunState.OPEN]

    @cached_property
    def _passages(self) -> dict[str, RunRow]:
        """What counts of each stage that was begun."""
        counted = {RunState.OPEN, RunState.COMPLETED} | (
            {RunState.CANCELLED} if self._is_over else set()
        )
        return {run.stage_key: run for run in self.snapshot.runs if run.state in counted}

    @cached_property
    def _begins(self) -> dict[str, datetime | None]:
        """When each stage that lies ahead should begin, where that can be said."""
        return self._plan[0]

    @cached_property
    def _ends(self) -> dict[str, datetime | None]:
        return self._plan[1]

    @cached_property
    def _plan(self) -> tuple[dict[str, datetime | None], dict[str, datetime | None]]:
        begins: dict[str, datetime | None] = {}
        ends: dict[str, datetime | None] = {}
        if self._is_over:
            return begins, ends
        for stage in (stage for level in self.definition.stage_levels() for stage in level):
            run = self._passages.get(stage.key)
            if run is None:
                before = [ends[key] for key in stage.after]
                known = [end for end in before if end]
                start = max(known) if known and len(known) == len(before) else None
                begins[stage.key] = start if start and start > self.now else None
                ends[stage.key] = self._add(stage, start, stage.expected) if start else None
            elif run.completed_at:
                ends[stage.key] = run.completed_at
            else:
                ends[stage.key] = None if run.paused_at or self._is_late(run) else run.due_at
        return begins, ends
