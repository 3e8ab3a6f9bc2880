"""The move from one department to the next: taken up, given back, or taken back by its sender."""

from dataclasses import dataclass
from typing import Any

from portal.errors import BadInput, Conflict
from portal.models.people.staff_member import StaffMember
from portal.models.requests.event import EventKind
from portal.models.requests.follow_up import FollowUp, FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.rules.follow_ups import FollowUpFlow
from portal.rules.stage_flow import HandoffSender, StageFlow


@dataclass(frozen=True)
class HandoffFlow:
    """What becomes of a handoff that waits; pure, as StageFlow is."""

    stage_flow: StageFlow

    def accept(self, stage: str | None, taker: StaffMember | None) -> StageRun:
        """Take up a handoff; the taker, or the department's assignee, has it from now on.

        Raises Conflict where nothing waits.
        """
        stage_flow, handoff = self.stage_flow, self._waiting_handoff(stage)
        run = handoff.run
        department = stage_flow.department_of(run)
        assignee_id = stage_flow.roster.assignee(department, taker)
        handoff.accept(stage_flow.now, assignee_id)
        run.assignee_id = assignee_id
        self._record(EventKind.HANDOFF_ACCEPTED, run)
        definition = self.request.definition.stage(run.stage_key)
        if handoff.is_overdue(stage_flow.now):
            stage_duration = stage_flow.stage_durations.of(run.stage_key)
            run.accept_late(definition, department, stage_flow.now, stage_duration)
        stage_flow.reach(run, definition, assignee_id)
        self.request.derive_state()
        return run

    def refuse(self, stage: str | None, reason: str) -> StageRun:
        """Return a handoff to its sender, whose stage runs again.

        A sending back that is refused undoes nothing after all: what was open runs again.
        """
        stage_flow, handoff = self.stage_flow, self._waiting_handoff(stage)
        refused = handoff.run
        undone = self._undone_by(handoff)
        handoff.refuse(stage_flow.now, reason)
        stage_flow.supersede(refused)
        self._record(EventKind.HANDOFF_REFUSED, refused, reason=reason, visible=False)
        returned = [again for run in undone if (again := self._run_after_all(run))]
        if handoff.from_run is not None and not (undone and self.request.open_runs):
            stage_flow.supersede(handoff.from_run)
            returned = [stage_flow.reopen_stage(handoff.from_run, refused.assignee_id)]
        for again in returned:
            again.returned_by_id = refused.department_id
        self.request.derive_state()
        return self.request.runs[-1]

    def recall(self, stage: str | None) -> StageRun:
        """Take back what nobody has taken up yet: all is as if it had never been passed on.

        The same passage goes on with its old clock, and nobody is told anything. What was sent
        side by side comes back together. Raises Conflict where a part has begun already or where the
        customer's own answer has sent it.
        """
        handoff = self._sent(stage)
        self._must_be_ours_to_undo(handoff)
        sender = handoff.from_run
        if sender is not None and self._passed_on(sender, handoff.run):
            recalled, done, again = self._all_sent_by(sender), [], [sender]
            # While it waited the sender may have become somebody else by name.
            sender.assignee_id = handoff.run.assignee_id
        else:
            undone, recalled = self._undone_by(handoff), [handoff.run]
            done = [run for run in undone if run.completed_at is not None]
            again = [run for run in undone if run.completed_at is None]
        if not again:
            raise Conflict("All that came before it was done already, so it cannot be taken back.")
        for run in recalled:
            self._take_back(run)
        for run in done:
            self._put_back_questions(run)
            run.state, run.closed_at = RunState.COMPLETED, run.completed_at
        for run in again:
            self._go_on(run)
        self._record(EventKind.HANDOFF_RECALLED, handoff.run, visible=False)
        self.request.derive_state()
        return again[0]

    @property
    def request(self) -> ServiceRequest:
        """The request that is on its way."""
        return self.stage_flow.request

    def _waiting_handoff(self, stage: str | None) -> Handoff:
        if stage is not None:
            self.request.check_stage(stage)
        waiting = [
            handoff
            for handoff in self.request.handoffs
            if handoff.is_pending and stage in (None, handoff.run.stage_key)
        ]
        if not waiting:
            raise Conflict(f"Nothing of {self.request.reference} waits to be taken up.")
        if len(waiting) > 1:
            keys = ", ".join(handoff.run.stage_key for handoff in waiting)
            raise BadInput(
                f"Several stages wait to be taken up: {keys}. Say which one is meant.",
                fields={"stage": f"one of {keys}"},
            )
        return waiting[0]

    def _sent(self, stage: str | None) -> Handoff:
        """The handoff to take back; of several that were sent together, any stands for all."""
        waiting = [handoff for handoff in self.request.handoffs if handoff.is_pending]
        together = {id(handoff.from_run) for handoff in waiting if handoff.from_run is not None}
        if stage is None and len(waiting) > 1 and len(together) == 1:
            return waiting[0]
        return self._waiting_handoff(stage)

    def _must_be_ours_to_undo(self, handoff: Handoff) -> None:
        for question in self.request.follow_ups:
            answered = question.state == FollowUpState.ANSWERED
            if answered and question.closed_at == handoff.sent_at:
                raise Conflict("The customer's answer has sent it there, so it stays there.")

    def _passed_on(self, sender: StageRun, run: StageRun) -> bool:
        """True where completing the sender's stage has opened this one; not for a sending back."""
        waits_for = self.request.definition.stage(run.stage_key).after
        return sender.state == RunState.COMPLETED and sender.stage_key in waits_for

    def _all_sent_by(self, sender: StageRun) -> list[StageRun]:
        """All that completing it has opened. Raises Conflict where a part is begun."""
        opened = [
            run
            for run in self.request.runs
            if run.state in (RunState.OPEN, RunState.COMPLETED)
            and self._passed_on(sender, run)
            and run.opened_at >= (sender.completed_at or run.opened_at)
        ]
        for run in opened:
            if not self.request.pending_handoff(run):
                name = self.stage_flow.department_of(run).name
                raise Conflict(
                    f"{name} has begun its part already, so it cannot be taken back any more. "
                    "You can send it back, with a reason."
                )
        return opened

    def _take_back(self, run: StageRun) -> None:
        handoff = self.request.pending_handoff(run)
        if handoff is not None:
            handoff.recall(self.stage_flow.now)
        run.returned_by_id = None
        self.stage_flow.supersede(run)

    def _go_on(self, run: StageRun) -> None:
        """The same passage, as if it had never ended; what its end planned is not asked."""
        stage_flow, ended_at = self.stage_flow, run.closed_at
        for handoff in self.request.handoffs:
            if handoff.run is run and handoff.was_voided and handoff.closed_at == ended_at:
                handoff.closed_at = None
        for question in self.request.follow_ups:
            if question.run is run and not question.during_stage and question.is_pending:
                question.close(FollowUpState.WITHDRAWN, stage_flow.now)
        asked = self._put_back_questions(run)
        stage = self.request.definition.stage(run.stage_key)
        waits = any(one.is_asked for one in asked) or (
            stage.pauses_clock and bool(asked or stage.question is None)
        )
        run.undo_end(is_waiting=waits and run.reached_at is not None)
        run.assignee_id = stage_flow.available_assignee(
            run.assignee_id, stage_flow.department_of(run)
        )

    def _put_back_questions(self, run: StageRun) -> list[FollowUp]:
        """Those that were withdrawn when the passage ended."""
        found = [
            one
            for one in self.request.follow_ups
            if one.run is run
            and one.state == FollowUpState.WITHDRAWN
            and one.closed_at == run.closed_at
        ]
        for question in found:
            FollowUpFlow(self.stage_flow).restore(question)
        return found

    def _undone_by(self, handoff: Handoff) -> list[StageRun]:
        """What a sending back made void when it sent this; nothing, where it was passed on."""
        return [
            run
            for run in self.request.runs
            if run.state == RunState.SUPERSEDED and run.closed_at == handoff.sent_at
        ]

    def _run_after_all(self, run: StageRun) -> StageRun | None:
        """Take back that this passage was made void: done stays done, open runs again.

        Gives the passage that its department has again, where there is one.
        """
        if run.completed_at is not None:
            run.state, run.closed_at = RunState.COMPLETED, run.completed_at
            return None
        waited = next((one for one in self.request.handoffs if one.run is run), None)
        if run.reached_at is None and waited is not None:
            sender = HandoffSender(run.assignee_id, waited.from_department_id, waited.from_run)
            self.stage_flow.open(self.request.definition.stage(run.stage_key), sender)
            return None
        return self.stage_flow.reopen_stage(run, run.assignee_id)

    def _record(self, kind: EventKind, run: StageRun, *, visible: bool = True, **data: Any) -> None:
        self.request.record(
            kind, self.stage_flow.actor, self.stage_flow.now, run=run, visible=visible, **data
        )
