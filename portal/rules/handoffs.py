"""The handoff from one department to the next: accepted, refused, or recalled by its sender."""

from dataclasses import dataclass, replace
from typing import Any

from portal.errors import BadInput, Conflict
from portal.models.people.staff_member import StaffMember
from portal.models.requests.event import EventKind
from portal.models.requests.follow_up import FollowUp, FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.rules.follow_ups import FollowUpFlow
from portal.rules.needs import is_to_send, settle_needs, undo_settling
from portal.rules.stages.stage_flow import HandoffSender, StageFlow


@dataclass(frozen=True)
class HandoffFlow:
    """The rules of a pending handoff; pure, as StageFlow is."""

    stage_flow: StageFlow

    def accept(self, stage: str | None, person: StaffMember | None) -> StageRun:
        """Accept a handoff; this person, or the department's assignee, becomes the assignee.

        Raises Conflict without a pending handoff.
        """
        stage_flow, handoff = self.stage_flow, self._waiting_handoff(stage)
        run = handoff.run
        department = stage_flow.department_of(run)
        assignee_id = stage_flow.roster.assignee(department, person)
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

        Where a return is refused, the stages that it superseded run again.
        """
        stage_flow, handoff = self.stage_flow, self._waiting_handoff(stage)
        refused_run = handoff.run
        superseded = self._superseded_by(handoff)
        handoff.refuse(stage_flow.now, reason)
        stage_flow.supersede(refused_run)
        self._record(EventKind.HANDOFF_REFUSED, refused_run, reason=reason, visible=False)
        returned = [reopened for run in superseded if (reopened := self._restore_run(run))]
        if handoff.from_run is not None and not (superseded and self.request.open_runs):
            stage_flow.supersede(handoff.from_run)
            returned = [stage_flow.reopen_stage(handoff.from_run, refused_run.assignee_id)]
        for reopened in returned:
            reopened.returned_by_id = refused_run.department_id
        self.request.derive_state()
        return self.request.runs[-1]

    def recall(self, stage: str | None) -> StageRun:
        """Recall a handoff that nobody has accepted: the state is as before it was sent.

        The same run continues with its clock, and nobody is notified. Parallel handoffs are
        recalled together. Raises Conflict where one of them is accepted, or where a customer's
        answer sent it.
        """
        handoff = self._handoff_to_recall(stage)
        self._check_not_sent_by_answer(handoff)
        sender = handoff.from_run
        if sender is not None and self._was_opened_by(sender, handoff.run):
            recalled, completed, resumed = self._runs_opened_by(sender), [], [sender]
            # The sender may have been reassigned since.
            sender.assignee_id = handoff.run.assignee_id
        else:
            superseded, recalled = self._superseded_by(handoff), [handoff.run]
            completed = [run for run in superseded if run.completed_at is not None]
            resumed = [run for run in superseded if run.completed_at is None]
        if not resumed:
            raise Conflict("All that came before it was done already, so it cannot be taken back.")
        for run in recalled:
            self._recall_run(run)
        for run in completed:
            self._restore_questions(run)
            run.state, run.closed_at = RunState.COMPLETED, run.completed_at
            settle_needs(self.stage_flow.facts, run)
        for run in resumed:
            self._resume_run(run)
        self._record(EventKind.HANDOFF_RECALLED, handoff.run, visible=False)
        self.request.derive_state()
        return resumed[0]

    @property
    def request(self) -> ServiceRequest:
        """The request of the handoff."""
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

    def _handoff_to_recall(self, stage: str | None) -> Handoff:
        """The handoff to recall; of several that were sent together, any of them."""
        waiting = [handoff for handoff in self.request.handoffs if handoff.is_pending]
        senders = {id(handoff.from_run) for handoff in waiting if handoff.from_run is not None}
        if stage is None and len(waiting) > 1 and len(senders) == 1:
            return waiting[0]
        return self._waiting_handoff(stage)

    def _check_not_sent_by_answer(self, handoff: Handoff) -> None:
        for question in self.request.follow_ups:
            answered = question.state == FollowUpState.ANSWERED
            if answered and question.closed_at == handoff.sent_at:
                raise Conflict("The customer's answer has sent it there, so it stays there.")

    def _was_opened_by(self, sender: StageRun, run: StageRun) -> bool:
        """True where completing the sender's stage opened this one; not for a return."""
        waits_for = self.request.definition.stage(run.stage_key).after
        return sender.state == RunState.COMPLETED and sender.stage_key in waits_for

    def _runs_opened_by(self, sender: StageRun) -> list[StageRun]:
        """The runs that completing it opened. Raises Conflict where one of them is accepted."""
        opened = [
            run
            for run in self.request.runs
            if run.state in (RunState.OPEN, RunState.COMPLETED)
            and self._was_opened_by(sender, run)
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

    def _recall_run(self, run: StageRun) -> None:
        handoff = self.request.pending_handoff(run)
        if handoff is not None:
            handoff.recall(self.stage_flow.now)
        run.returned_by_id = None
        self.stage_flow.supersede(run)

    def _resume_run(self, run: StageRun) -> None:
        """Continue the same run as if it had not ended, without the questions planned at its end."""
        stage_flow, ended_at = self.stage_flow, run.closed_at
        for handoff in self.request.handoffs:
            if handoff.run is run and handoff.was_voided and handoff.closed_at == ended_at:
                handoff.closed_at = None
        for question in self.request.follow_ups:
            if question.run is run and not question.during_stage and question.is_pending:
                question.close(FollowUpState.WITHDRAWN, stage_flow.now)
        restored = self._restore_questions(run)
        stage = self.request.definition.stage(run.stage_key)
        if run.completed_at is not None:
            undo_settling(stage_flow.facts, run)
        is_waiting = any(question.is_asked for question in restored) or (
            stage.pauses_clock and bool(restored or stage.question is None)
        )
        is_waiting &= not stage.needs or is_to_send(self.request, run)
        run.undo_end(
            is_waiting=is_waiting and run.reached_at is not None,
            on_third_party=stage.third_party_awaited is not None,
        )
        run.assignee_id = stage_flow.available_assignee(
            run.assignee_id, stage_flow.department_of(run)
        )

    def _restore_questions(self, run: StageRun) -> list[FollowUp]:
        """Restore the questions that were withdrawn when the run ended."""
        withdrawn = [
            question
            for question in self.request.follow_ups
            if question.run is run
            and question.state == FollowUpState.WITHDRAWN
            and question.closed_at == run.closed_at
        ]
        for question in withdrawn:
            FollowUpFlow(self.stage_flow).restore(question)
        return withdrawn

    def _superseded_by(self, handoff: Handoff) -> list[StageRun]:
        """The runs that a return superseded when it sent this handoff; none for another handoff."""
        return [
            run
            for run in self.request.runs
            if run.state == RunState.SUPERSEDED and run.closed_at == handoff.sent_at
        ]

    def _restore_run(self, run: StageRun) -> StageRun | None:
        """Undo the superseding of this run: it is completed again, or its stage is opened again.

        Returns the run that is open again, if there is one.
        """
        if run.completed_at is not None:
            run.state, run.closed_at = RunState.COMPLETED, run.completed_at
            return None
        handoff = next((handoff for handoff in self.request.handoffs if handoff.run is run), None)
        if run.reached_at is None and handoff is not None:
            sender = HandoffSender(run.assignee_id, handoff.from_department_id, handoff.from_run)
            flow = replace(self.stage_flow, fields=run.fields)
            flow.open(self.request.definition.stage(run.stage_key), sender)
            return None
        return self.stage_flow.reopen_stage(run, run.assignee_id)

    def _record(self, kind: EventKind, run: StageRun, *, visible: bool = True, **data: Any) -> None:
        self.request.record(
            kind, self.stage_flow.actor, self.stage_flow.now, run=run, visible=visible, **data
        )
