"""The relay as staff see it: the customer's line, with the people and the times."""

from dataclasses import dataclass, replace

from portal.desk.labels import due, since
from portal.desk.request.view_models import StepState, TimelineStep
from portal.desk.widgets import When
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import FollowUp, FollowUpState, RunState, ServiceRequest, StageRun
from portal.rules.roster import Roster
from portal.workflows import FollowUpDefinition, StageDefinition


@dataclass(frozen=True, slots=True)
class TimelinePresenter:
    """Draws one request's way from its beginning to the customer's word."""

    request: ServiceRequest
    roster: Roster
    words: TimeFormatter

    def legs(self) -> list[list[TimelineStep]]:
        """The stages in order, side by side what runs in parallel, then the customer's own part."""
        definition = self.request.definition
        drawn = [[self._leg(stage) for stage in level] for level in definition.stage_levels()]
        return drawn + [[self._word(one)] for one in definition.follow_ups if one.title]

    def _leg(self, stage: StageDefinition) -> TimelineStep:
        passages = [run for run in self.request.runs if run.stage_key == stage.key]
        # What was made void does not count where an earlier passage stands after all.
        valid = [run for run in passages if run.state != RunState.SUPERSEDED]
        newest = valid or passages
        run = newest[-1] if newest else None
        state = self._state(run)
        department = self.roster.department(stage.department).name
        drawn = {"title": str(stage.title), "name": stage.name, "department": department}
        if run is None or state in ("to", "skipped"):
            return TimelineStep(state, at=None, **drawn)
        again = f"{_ordinal(run.passage)} time, " if run.passage > 1 else ""
        if state == "done" and run.completed_at:
            took = self.words.length(run.completed_at - run.opened_at)
            history = f"{again}{run.completed_by}, {took}"
            return TimelineStep(
                state, at=since(self.words, run.completed_at), history=history, **drawn
            )
        handoff = self.request.pending_handoff(run)
        if handoff is not None:
            by = self.words.by(handoff.accept_by) if handoff.accept_by else "soon"
            return TimelineStep(
                state,
                at=since(self.words, handoff.sent_at),
                history=f"{again}waits to be taken up by {by}",
                **drawn,
            )
        person = self.roster.person(run.assignee_id).name
        began = self.words.stamp(run.reached_at or run.opened_at)
        return TimelineStep(
            state,
            at=self._due(run),
            history=f"{again}{person}, since {began}{self._pause(run)}",
            note=run.note,
            **drawn,
        )

    def _due(self, run: StageRun) -> When:
        by = due(self.words, run.due_at, late=run.is_overdue(self.words.now))
        return by if by.late else replace(by, words=f"due {by.words}")

    def _state(self, run: StageRun | None) -> StepState:
        if run is None or run.state == RunState.SUPERSEDED:
            return "skipped" if self.request.is_closed else "to"
        if run.state == RunState.COMPLETED:
            return "done"
        if run.state == RunState.CANCELLED:
            return "skipped"
        if self.request.pending_handoff(run):
            return "passed"
        return "paused" if run.is_paused else "now"

    def _pause(self, run: StageRun) -> str:
        if run.held_at:
            until = f" until {self.words.by(run.hold_until)}" if run.hold_until else ""
            return f", on hold{until}: {run.hold_reason}"
        return ", the clock waits for the customer" if run.is_paused else ""

    def _word(self, definition: FollowUpDefinition) -> TimelineStep:
        asked = next(
            (one for one in reversed(self.request.follow_ups) if one.key == definition.key), None
        )
        state, history = self._answer(asked)
        at = asked.closed_at if asked and state == "done" else asked.asked_at if asked else None
        return TimelineStep(
            state,
            title=str(definition.title),
            name=str(definition.question),
            department="The customer tells us",
            at=since(self.words, at) if at else None,
            history=history,
        )

    def _answer(self, asked: FollowUp | None) -> tuple[StepState, str]:
        nothing: StepState = "skipped" if self.request.is_closed else "to"
        if asked is None or asked.state == FollowUpState.WITHDRAWN:
            return nothing, ""
        if asked.state == FollowUpState.ANSWERED and asked.answer:
            return "done", f"answered {asked.answer.value}"
        if asked.state == FollowUpState.UNCONFIRMED:
            return "skipped", "no answer came"
        return ("now", "asked") if asked.is_asked else ("to", "to be asked")


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
