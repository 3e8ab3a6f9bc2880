"""Presents the shared timeline of a request to its customer."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from portal.business_time import BusinessCalendar, business_calendar
from portal.carriers import Carriers, shipped_carriers
from portal.i18n.languages import UntranslatedText, language_of
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.renderer import product_text
from portal.models import Answer
from portal.models.people.given_name import staff_first_name
from portal.queries.status_page.rows import (
    DepartmentRow,
    FollowUpRow,
    HandoffRow,
    RunRow,
    StatusPageRow,
)
from portal.rules.investigations import asks_again, waits_for_answer
from portal.rules.stages.stage_timeline import (
    QuestionStep,
    StageStep,
    StageTimeline,
)
from portal.rules.stages.timeline_facts import RunFacts
from portal.tracking.status_page.investigation import find_sought_question
from portal.tracking.status_page.third_parties import ThirdPartyPresenter
from portal.tracking.status_page.timeline_view import (
    CurrentDepartment,
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
            is_sought=find_sought_question(snapshot, self.definition) is not None,
        )

    @property
    def is_unconfirmed(self) -> bool:
        """True where the request was closed because its customer never answered."""
        return bool(self.snapshot.closed_unconfirmed)

    @property
    def headline(self) -> str:
        """The title of the first stage that is worked on; between stages, what was completed last.

        A stage that was sent back is passed to its department, whatever was completed before it.
        """
        timeline = self.timeline
        reached = [facts.run for facts in timeline.open_runs if facts.run.reached_at]
        if reached:
            return self.localize(self.definition.stage(reached[0].stage_key).title)
        last = timeline.last_completed
        is_return = any(facts.run.passage > 1 for facts in timeline.open_runs)
        if last is not None and not is_return:
            title_done = self.definition.stage(last.run.stage_key).title_done
            if title_done is not None:
                return self.localize(title_done)
        if timeline.open_runs:
            name = self.department(timeline.open_runs[0].run.department_id).name
            return LazyString("Passed to {department}", department=name)
        if last is not None:
            return LazyString("Our part is done")
        return self.definition.title_in(self.snapshot.title, self.snapshot.locale)

    @property
    def current_departments(self) -> tuple[CurrentDepartment, ...]:
        """Each department that has it; the sender still does until a handoff is accepted."""
        departments: dict[int, CurrentDepartment] = {}
        for facts in self.timeline.open_runs:
            run, handoff = facts.run, facts.handoff
            department_id = handoff.from_department_id if handoff else run.department_id
            since = run.reached_at or run.opened_at
            name = self.department(department_id).name
            person, photo = staff_first_name(run.assignee), run.assignee_photo or ""
            departments.setdefault(department_id, CurrentDepartment(name, since, person, photo))
        return tuple(departments.values())

    @property
    def handoff(self) -> WaitingHandoff | None:
        """The pending handoff, where nothing else is open."""
        runs = self.timeline.open_runs
        return self._handoff(runs[0]) if len(runs) == 1 else None

    @cached_property
    def question_waits(self) -> bool:
        """Whether the last question waits for an answer or a call that we owe the customer."""
        is_waiting = waits_for_answer(self.snapshot.follow_ups, self.snapshot.promises)
        return is_waiting and not self.timeline.open_runs

    @property
    def next_step(self) -> NextStep | None:
        """What follows the open stages, and when."""
        step = self.timeline.next_step()
        if step is None:
            return None
        return NextStep(self._title(step), self._expected_at(step), _is_asked(step))

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
        locale = self.snapshot.locale
        if asks_again(follow_up, self.snapshot.follow_ups):
            return product_text("all_well", locale)
        return self.definition.question(follow_up.key).question.in_language(locale)

    def department(self, department_id: int) -> DepartmentRow:
        """A department of this workflow."""
        return next(row for row in self.snapshot.departments if row.id == department_id)

    def _stage_step(self, step: StageStep[RunRow, HandoffRow, FollowUpRow]) -> TimelineStep:
        department = self._departments[step.stage.department].name
        expected_at = self.timeline.expected_at(step)
        if step.facts is None:
            return TimelineStep(
                step.stage.key,
                self._title(step),
                department,
                step.state,
                expected_at=expected_at,
                is_asked=_is_asked(step),
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
            note=run.hold_reason or self._agreed(run) or run.note or None,
            third_party_update=self._step_update(run),
            is_repeated=run.passage > 1,
            pause_label=self._pause_label(run) if step.state == "paused" else "",
        )

    def _agreed(self, run: RunRow) -> str:
        """What the customer has said yes to in this stage, such as the amount of a quote."""
        for row in self.snapshot.follow_ups:
            if row.run_id == run.id and row.answer == Answer.YES:
                fields: dict[str, str] = json.loads(row.fields)
                if agreed := fields.get("amount") or ", ".join(fields.values()):
                    language = language_of(self.snapshot.locale)
                    return language.gettext("You said yes to {agreed}.", agreed=agreed)
        return ""

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
            began_at=began_at, expected_at=self._expected_at(step), is_asked=True,
        )  # fmt: skip

    def _expected_at(
        self, step: StageStep[RunRow, HandoffRow, FollowUpRow] | QuestionStep[FollowUpRow]
    ) -> datetime | None:
        """When it is expected; a question that waits for our answer has no date."""
        is_waiting = isinstance(step, QuestionStep) and self.question_waits
        return None if is_waiting else self.timeline.expected_at(step)

    def _title(
        self, step: StageStep[RunRow, HandoffRow, FollowUpRow] | QuestionStep[FollowUpRow]
    ) -> str:
        title = step.title if isinstance(step, StageStep) else step.question.title
        return self.localize(title or step.stage.title)

    def _pause_label(self, run: RunRow) -> str:
        """Why a paused stage is paused, in a list of steps."""
        stage = self.definition.stage(run.stage_key)
        if run.held_at is None and run.waits_on_third_party and stage.third_party_awaited:
            name = self.localize(stage.third_party_awaited)
            return LazyString("waiting for {name}", name=name)
        if run.held_at is None and run.waits_on_customer and stage.is_customers_turn:
            return LazyString("waiting for you")
        return LazyString("paused")

    def _handoff(self, facts: RunFacts[RunRow, HandoffRow, FollowUpRow]) -> WaitingHandoff | None:
        if facts.handoff is None:
            return None
        name = self.department(facts.run.department_id).name
        return WaitingHandoff(name, facts.handoff.sent_at, facts.handoff.accept_by)

    def calendar(self, department_id: int) -> BusinessCalendar:
        """The hours of this department."""
        return self._calendar_of(self.department(department_id).key)

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


def _is_asked(
    step: StageStep[RunRow, HandoffRow, FollowUpRow] | QuestionStep[FollowUpRow],
) -> bool:
    """Whether the step is the customer's part."""
    return isinstance(step, QuestionStep) or step.stage.is_customers_turn
