"""The timeline of a request as staff see it: the customer's steps with the people and the times."""

from dataclasses import dataclass, replace

from portal.business_time import BusinessCalendar
from portal.desk.labels import due, since
from portal.desk.request.view_models import TimelineStep
from portal.desk.widgets import When
from portal.messaging.wording.sent_items import title_of_sent
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Answer, FollowUp, FollowUpState, Handoff, ServiceRequest, StageRun
from portal.rules.roster import Roster
from portal.rules.stages.stage_timeline import QuestionStep, StageStep, timeline_of
from portal.rules.stages.timeline_facts import RunFacts


@dataclass(frozen=True, slots=True)
class TimelinePresenter:
    """Presents the timeline of one request that is loaded whole."""

    request: ServiceRequest
    roster: Roster
    times: TimeFormatter

    def step_groups(self) -> list[list[TimelineStep]]:
        """The steps in order, each with its history; those of a group run in parallel."""
        timeline = timeline_of(self.request, self._calendar_of, self.times.now)
        return [
            [
                self._stage_step(step) if isinstance(step, StageStep) else self._question_step(step)
                for step in group
            ]
            for group in timeline.groups()
        ]

    def _stage_step(self, step: StageStep[StageRun, Handoff, FollowUp]) -> TimelineStep:
        presented = TimelineStep(
            # The desk shows a stage that ended with the request as one that never began.
            "skipped" if step.state == "ended" else step.state,
            title=str(step.title),
            name=step.stage.name,
            department=self.roster.department(step.stage.department).name,
            at=None,
        )
        if step.facts is None or presented.state == "skipped":
            return presented
        run = step.facts.run
        passage = f"{_ordinal(run.passage)} time, " if run.passage > 1 else ""
        if run.completed_at is not None:
            duration = self.times.length(run.completed_at - run.opened_at)
            return replace(
                presented,
                at=since(self.times, run.completed_at),
                history=f"{passage}{run.completed_by}, {duration}",
            )
        if step.facts.handoff is not None:
            return self._handed_off(presented, step.facts.handoff, passage)
        return self._under_way(presented, step.facts, passage)

    def _handed_off(self, step: TimelineStep, handoff: Handoff, passage: str) -> TimelineStep:
        by = self.times.by(handoff.accept_by) if handoff.accept_by else "soon"
        return replace(
            step,
            at=since(self.times, handoff.sent_at),
            history=f"{passage}waits to be taken up by {by}",
        )

    def _under_way(
        self, step: TimelineStep, facts: RunFacts[StageRun, Handoff, FollowUp], passage: str
    ) -> TimelineStep:
        run = facts.run
        person = self.roster.person(run.assignee_id).name
        began = self.times.stamp(run.reached_at or run.opened_at)
        return replace(
            step,
            title=str(title_of_sent(self.request.needs, run.stage_key) or step.title),
            at=self._due(run),
            history=f"{passage}{person}, since {began}{self._pause(run)}",
            note=run.note,
        )

    def _due(self, run: StageRun) -> When:
        by = due(self.times, run.due_at, late=run.is_overdue(self.times.now))
        return by if by.late else replace(by, words=f"due {by.words}")

    def _pause(self, run: StageRun) -> str:
        if run.held_at:
            until = f" until {self.times.by(run.hold_until)}" if run.hold_until else ""
            return f", on hold{until}: {run.hold_reason}"
        stage = self.request.definition.stage(run.stage_key)
        party = stage.third_party_awaited if run.waits_on_third_party else None
        return f", the clock waits for {party or 'the customer'}" if run.is_paused else ""

    def _question_step(self, step: QuestionStep[FollowUp]) -> TimelineStep:
        follow_up = step.follow_up
        at = None
        if follow_up is not None:
            at = follow_up.closed_at if step.state == "done" else follow_up.asked_at
        return TimelineStep(
            step.state,
            title=str(step.question.title),
            name=str(step.question.question),
            department="The customer tells us",
            at=since(self.times, at) if at else None,
            history=_answer(follow_up),
        )

    def _calendar_of(self, department_key: str) -> BusinessCalendar:
        return self.roster.department(department_key).calendar


def _answer(follow_up: FollowUp | None) -> str:
    """What the customer answered, in a few words; empty where the question is not asked at all."""
    if follow_up is None or follow_up.state == FollowUpState.WITHDRAWN:
        return ""
    if follow_up.state == FollowUpState.ANSWERED and follow_up.answer:
        is_wrong = follow_up.answer == Answer.WRONG
        return f"answered {'yes, but something is wrong' if is_wrong else follow_up.answer.value}"
    if follow_up.state == FollowUpState.UNCONFIRMED:
        return "no answer came"
    return "asked" if follow_up.is_asked else "to be asked"


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
