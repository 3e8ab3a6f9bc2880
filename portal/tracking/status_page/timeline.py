"""Presents the shared timeline of a request to its customer."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from portal.business_time import BusinessCalendar, business_calendar
from portal.carriers import Carriers, shipped_carriers
from portal.i18n.languages import UntranslatedText, language_of
from portal.i18n.lazy_string import LazyString
from portal.queries.status_page.rows import (
    DepartmentRow,
    FollowUpRow,
    HandoffRow,
    RunRow,
    StatusPageRow,
)
from portal.rules.stage_timeline import (
    QuestionStep,
    RunFacts,
    StageStep,
    StageTimeline,
)
from portal.tracking.status_page.third_parties import ThirdPartyPresenter
from portal.tracking.status_page.timeline_view import (
    CurrentDepartment,
    DateEstimate,
    Delay,
    LastReport,
    NextStep,
    StepGroup,
    ThirdPartyUpdate,
    TimelineStep,
    WaitingHandoff,
)
from portal.workflows import LocalizedText, WorkflowDefinition

CUSTOMER_PART = LazyString("You tell us")
"""In place of a department, for a step that only the customer can confirm."""


@dataclass(frozen=True)
class TimelinePresenter:
    """Presents the timeline of one request at ``now`` to its customer."""

    snapshot: StatusPageRow
    definition: WorkflowDefinition
    now: datetime
    carriers: Carriers = field(default_factory=shipped_carriers)

    @cached_property
    def timeline(self) -> StageTimeline[RunRow, HandoffRow, FollowUpRow]:
        """The state of each stage and question."""
        snapshot = self.snapshot
        handoffs = {handoff.run_id: handoff for handoff in snapshot.handoffs}
        questions: defaultdict[int, list[FollowUpRow]] = defaultdict(list)
        for question in snapshot.follow_ups:
            questions[question.run_id].append(question)
        runs = [
            RunFacts(run, handoffs.get(run.id), tuple(questions[run.id])) for run in snapshot.runs
        ]
        return StageTimeline(
            self.definition,
            snapshot.status,
            self.is_unconfirmed,
            runs,
            self._calendar_of,
            self.now,
        )

    @property
    def is_unconfirmed(self) -> bool:
        """True where the request was closed because its customer never answered."""
        return bool(self.snapshot.closed_unconfirmed)

    @property
    def headline(self) -> str:
        """The customer's title of the stage that was last reached, the first where several are."""
        counted = [facts.run for facts in self.timeline.counted.values()]
        reached = [facts.run for facts in self.timeline.open_runs if facts.run.reached_at]
        reached_before = [(run.reached_at, run.id, run) for run in counted if run.reached_at]
        if not reached and not reached_before:
            return self.definition.title_in(self.snapshot.title, self.snapshot.locale)
        run = reached[0] if reached else max(reached_before)[2]
        return self.localize(self.definition.stage(run.stage_key).title)

    @property
    def current_departments(self) -> tuple[CurrentDepartment, ...]:
        """Each department that has it; the sender still does until a handoff is accepted."""
        departments: dict[int, CurrentDepartment] = {}
        for facts in self.timeline.open_runs:
            run, handoff = facts.run, facts.handoff
            department_id = handoff.from_department_id if handoff else run.department_id
            since = run.reached_at or run.opened_at
            current = CurrentDepartment(self.department(department_id).name, since)
            departments.setdefault(department_id, current)
        return tuple(departments.values())

    @property
    def handoff(self) -> WaitingHandoff | None:
        """The pending handoff, where nothing else is open."""
        runs = self.timeline.open_runs
        return self._handoff(runs[0]) if len(runs) == 1 else None

    @property
    def next_step(self) -> NextStep | None:
        """What follows the open stages, and when."""
        step = self.timeline.next_step()
        if step is None:
            return None
        return NextStep(self._title(step), self.timeline.expected_at(step))

    @property
    def delay(self) -> Delay | None:
        """The date that we gave has passed, or we have given a new one with a reason."""
        runs = self.timeline.open_runs
        late = [facts.run for facts in runs if facts.is_late(self.now)]
        if late:
            return Delay(previous_by=min(run.due_at for run in late))
        running = [facts.run for facts in runs if facts.run.paused_at is None]
        moved = [run for run in running if run.delay_reason]
        if not moved:
            return None
        last = max(moved, key=lambda run: run.due_at)
        return Delay(new_by=last.due_at, reason=last.delay_reason)

    @property
    def estimate(self) -> DateEstimate | None:
        """How long similar stages take, where one stage is open and that has been measured."""
        runs = self.timeline.open_runs
        run = runs[0].run if len(runs) == 1 else None
        if run is None or run.p50_at is None or run.paused_at or run.delay_reason:
            return None
        return DateEstimate(run.p50_at, run.due_at) if self.now < run.p50_at < run.due_at else None

    @property
    def ask_after(self) -> datetime | None:
        """The earliest of the open stages' last promised dates."""
        runs = [facts.run for facts in self.timeline.open_runs]
        running = [run.last_promised_at for run in runs if run.paused_at is None]
        return min(running, default=None)

    @property
    def last_report(self) -> LastReport | None:
        """How far the third party of the only open stage is."""
        return self._third_parties.last_report(self._reported_run) if self._reported_run else None

    @property
    def third_party_update(self) -> ThirdPartyUpdate | None:
        """The last update of the third party of the only open stage."""
        return self._third_parties.update(self._reported_run) if self._reported_run else None

    @property
    def parcel_links(self) -> dict[str, str]:
        """The carriers' pages of this request's parcels, by tracking number."""
        return self._third_parties.parcel_links()

    def step_groups(self) -> Iterator[StepGroup]:
        """The steps in order, with a step for each question that has a title of its own."""
        for group in self.timeline.groups():
            yield tuple(
                self._stage_step(step) if isinstance(step, StageStep) else self._question_step(step)
                for step in group
            )

    def localize(self, text: LocalizedText) -> str:
        """A workflow's text for the customer, marked where it is not in the page's language."""
        language, localized = text.best_match(self.snapshot.locale)
        is_translated = language.partition("-")[0] == language_of(self.snapshot.locale).code
        return localized if is_translated else UntranslatedText(localized, language)

    def question(self, follow_up: FollowUpRow) -> str:
        """The workflow's question, in the language that its customer reads now."""
        return self.definition.question(follow_up.key).question.in_language(self.snapshot.locale)

    def department(self, department_id: int) -> DepartmentRow:
        """A department of this workflow."""
        return next(row for row in self.snapshot.departments if row.id == department_id)

    def _stage_step(self, step: StageStep[RunRow, HandoffRow, FollowUpRow]) -> TimelineStep:
        department = self._departments[step.stage.department].name
        expected_at = self.timeline.expected_at(step)
        if step.facts is None:
            return TimelineStep(
                step.stage.key, self._title(step), department, step.state, expected_at=expected_at
            )
        run = step.facts.run
        return TimelineStep(
            key=step.stage.key,
            title=self._title(step),
            department=department,
            state=step.state,
            began_at=run.reached_at or run.opened_at,
            ended_at=run.completed_at,
            expected_at=expected_at,
            handoff=self._handoff(step.facts),
            note=run.hold_reason or run.note or None,
            third_party_update=self._step_update(run),
            is_repeated=run.passage > 1,
        )

    def _step_update(self, run: RunRow) -> ThirdPartyUpdate | None:
        """The update at the step itself, where the headline does not carry it."""
        return None if run is self._reported_run else self._third_parties.update(run)

    def _question_step(self, step: QuestionStep[FollowUpRow]) -> TimelineStep:
        follow_up = step.follow_up
        began_at = None
        if follow_up is not None:
            began_at = follow_up.asked_at if step.state == "current" else follow_up.closed_at
        return TimelineStep(
            f"asked-{step.question.key}", self._title(step), CUSTOMER_PART, step.state,
            began_at=began_at, expected_at=self.timeline.expected_at(step),
        )  # fmt: skip

    def _title(
        self, step: StageStep[RunRow, HandoffRow, FollowUpRow] | QuestionStep[FollowUpRow]
    ) -> str:
        title = step.stage.title if isinstance(step, StageStep) else step.question.title
        return self.localize(title or step.stage.title)

    def _handoff(self, facts: RunFacts[RunRow, HandoffRow, FollowUpRow]) -> WaitingHandoff | None:
        if facts.handoff is None:
            return None
        name = self.department(facts.run.department_id).name
        return WaitingHandoff(name, facts.handoff.sent_at, facts.handoff.accept_by)

    def _calendar_of(self, department_key: str) -> BusinessCalendar:
        department = self._departments[department_key]
        return business_calendar(
            department.hours or None, department.timezone, department.holidays or None
        )

    @cached_property
    def _departments(self) -> dict[str, DepartmentRow]:
        return {row.key: row for row in self.snapshot.departments}

    @cached_property
    def _third_parties(self) -> ThirdPartyPresenter:
        return ThirdPartyPresenter(self.snapshot, self.definition, self.carriers)

    @cached_property
    def _reported_run(self) -> RunRow | None:
        """The open stage whose reports the headline carries: the only one, while it goes on."""
        runs = [facts.run for facts in self.timeline.open_runs]
        if len(runs) != 1 or runs[0].reached_at is None or runs[0].paused_at is not None:
            return None
        return runs[0]
