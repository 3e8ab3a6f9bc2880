"""A request's way through its stages: what opens when, who must take it up, what is asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.errors import BadInput, Conflict
from portal.models.columns import saved_id
from portal.models.monitoring.stage_duration import NO_STAGE_DURATIONS, StageDurations
from portal.models.people.actor import Actor, ActorKind
from portal.models.people.department import Department
from portal.models.requests.event import EventKind
from portal.models.requests.follow_up import AnswerType, FollowUp, FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.service_request import RequestStatus, ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.rules.roster import Roster
from portal.workflows import FollowUpDefinition, StageDefinition


@dataclass(frozen=True)
class HandoffSender:
    """Who passes a stage on: the person, their department, and the run that they finished.

    ``note`` is what they say to whoever takes it up.
    """

    staff_id: int
    department_id: int
    run: StageRun | None = None
    note: str = ""


@dataclass
class StageFlow:
    """The rules of the relay for one request, at one moment and by one hand.

    Pure: it reads and changes nouns that are in memory; no query, no clock, no message. What
    happened stands in the request's events afterwards. ``stage_ids`` are the database's ids of
    the definition's stages, by key; ``paces`` what has been measured of its like.
    """

    request: ServiceRequest
    roster: Roster
    stage_ids: dict[str, int]
    actor: Actor
    now: datetime
    stage_durations: StageDurations = NO_STAGE_DURATIONS

    def begin(self) -> None:
        """Open the stages that wait for nothing. Raises Conflict where nobody could own them."""
        roots = self.request.definition.roots()
        first = self.roster.department(roots[0].department)
        self.request.owner_id = self.roster.assignee(first)
        self.request.department_id = saved_id(first)
        self.request.opened_at = self.now
        self._set_age()
        self.request.record(EventKind.OPENED, self.actor, self.now)
        for stage in roots:
            self.open(stage, sender=None)
        self.request.derive_state()

    def advance(
        self, stage: str | None, note: str, expected_by: datetime | None, handover: str = ""
    ) -> None:
        """Complete the named open stage and open what waited for it.

        ``note`` is shown to the customer with what comes next; ``expected_by`` sets its due time;
        ``handover`` is for whoever takes it up, and never for the customer.
        Raises Conflict while the stage waits to be taken up.
        """
        request = self.request
        request.require_open()
        if request.status == RequestStatus.AWAITING_CONFIRMATION and stage is None:
            self._confirm_for_customer(note)
            return
        run = request.get_open_run(stage)
        if request.pending_handoff(run):
            name = self.department_of(run).name
            raise Conflict(f"{name} has not taken it up yet. It must be accepted first.")
        if expected_by is not None and expected_by <= self.now:
            raise BadInput(
                "The new date has passed already.", fields={"expected_by": "a time to come"}
            )
        for opened in self.complete(run, note, handover):
            if expected_by is not None:
                grace = request.definition.stage(opened.stage_key).grace
                opened.set_due_at(expected_by, grace, self.department_of(opened), self.now)

    def send_back(self, stage: str, reason: str) -> StageRun:
        """Run a completed stage again, and after it all that came of it; other branches stay."""
        self.request.require_open()
        target = self.request.check_stage(stage)
        if not self.current(stage, RunState.COMPLETED):
            raise Conflict(f"{target.name} is not completed, so nothing can go back to it.")
        sender = self._sender_of_return(stage)
        self.request.record(
            EventKind.SENT_BACK, self.actor, self.now,
            run=self.current(stage, RunState.COMPLETED), reason=reason,
        )  # fmt: skip
        self._undo_from(stage)
        run = self.open(target, sender)
        run.note = reason
        if sender.department_id != run.department_id and self.actor.kind != ActorKind.CUSTOMER:
            run.returned_by_id = sender.department_id
        self.request.derive_state()
        return run

    def reopen(self, stage: str | None, reason: str) -> None:
        """Open a closed request again: at the named stage, else where it stopped."""
        request = self.request
        if not request.is_closed:
            raise Conflict(f"{request.reference} is not closed: it is {request.status_text}.")
        stages = self._where_it_stopped()
        if stage is not None:
            here, definition = request.check_stage(stage), request.definition
            in_line = {stage} | definition.descendants(stage) | definition.ancestors(stage)
            # Branches beside it that were cut off go on too: a join would wait for them forever.
            stages = [here] + [
                one
                for one in stages
                if one.key not in in_line and not self.current(one.key, RunState.COMPLETED)
            ]
        request.closed_at, request.close_reason = None, ""
        request.status = RequestStatus.OPEN
        # Whoever had it may have left since it ended.
        department = self.roster.department_by_id(request.department_id)
        request.owner_id = self.holder(request.owner_id, department)
        request.record(EventKind.REOPENED, self.actor, self.now, reason=reason)
        self._set_age()
        for one in stages:
            self._undo_from(one.key)
            self.open(one, sender=None)
        request.derive_state()

    def _set_age(self) -> None:
        """Count from now how long it may be open before it is far past its like."""
        request, departments = self.request, self.roster.departments
        request.overdue_age_at = self.stage_durations.overdue_age_at(
            request.definition, departments, self.now
        )

    def complete(self, run: StageRun, note: str, handover: str = "") -> list[StageRun]:
        """End the run, open what waited for it, plan what is to be asked."""
        request, department = self.request, self.department_of(run)
        self._withdraw_questions(run)
        run.complete(self.now, self.actor.name, department)
        said: dict[str, Any] = {"handover": handover} if handover else {}
        request.record(EventKind.STAGE_COMPLETED, self.actor, self.now, run=run, note=note, **said)
        done = {one.stage_key for one in request.runs if one.state == RunState.COMPLETED}
        sender = HandoffSender(run.assignee_id, run.department_id, run, handover)
        opened = [
            self.open(stage, sender)
            for stage in request.definition.opened_by(run.stage_key, done)
            if not self.current(stage.key, RunState.OPEN, RunState.COMPLETED)
        ]
        for told in opened or [run]:
            told.note = note
        for definition in request.definition.follow_ups_after(run.stage_key):
            self._plan(definition, run, during_stage=False)
        if request.open_runs:
            request.derive_state()
        else:
            request.owner_id, request.department_id = run.assignee_id, run.department_id
            request.coordinator_id = None
            self.close_if_done("")
        return opened

    def close_if_done(self, reason: str) -> None:
        """With no stage open: wait for the customer's word where one is still to come."""
        request = self.request
        if any(question.is_pending for question in request.follow_ups):
            if request.status != RequestStatus.AWAITING_CONFIRMATION:
                request.status = RequestStatus.AWAITING_CONFIRMATION
                request.record(EventKind.AWAITING_CONFIRMATION, self.actor, self.now)
        else:
            self.end(RequestStatus.COMPLETED, reason)

    def end(self, status: RequestStatus, reason: str) -> None:
        """Close the request by this hand."""
        self.request.end(status, self.actor, self.now, reason, self.roster.department_by_id)

    def _confirm_for_customer(self, note: str) -> None:
        if not note:
            raise Conflict(
                "Only the customer can say that it arrived. If they have told you, write how "
                "and when in the note, and it is completed."
            )
        self.end(RequestStatus.COMPLETED, note)

    def open(
        self,
        stage: StageDefinition,
        sender: HandoffSender | None,
        *,
        owner_id: int | None = None,
        told: bool = True,
    ) -> StageRun:
        """Open a stage; hand it off where another department must first take it up."""
        department = self.roster.department(stage.department)
        earlier = [run for run in self.request.runs if run.stage_key == stage.key]
        run = StageRun(
            stage_id=self.stage_ids[stage.key],
            stage_key=stage.key,
            department_id=saved_id(department),
            passage=len(earlier) + 1,
        )
        run.start(stage, department, self.now, self.stage_durations.of(stage.key))
        moves = sender is not None and sender.department_id != department.id
        accept_by = department.accept_by(self.now) if moves else None
        if sender is not None and accept_by is not None:
            senders = self.roster.department_by_id(sender.department_id)
            run.assignee_id = self.holder(sender.staff_id, senders)
            self.request.runs.append(run)
            self._send_handoff(run, sender, department, accept_by)
        else:
            run.assignee_id = owner_id or self._assignee(department, None if moves else sender)
            self.request.runs.append(run)
            self.reach(run, stage, run.assignee_id, told=told)
        return run

    def reopen_stage(self, run: StageRun, staff_id: int) -> StageRun:
        """Open its stage once more, quietly: the customer was never told that it had moved on."""
        definition = self.request.definition.stage(run.stage_key)
        holder = self.holder(staff_id, self.department_of(run))
        return self.open(definition, sender=None, owner_id=holder, told=False)

    def holder(self, staff_id: int, department: Department) -> int:
        """The same person; where they have left or are away, whoever has their work there."""
        return self.roster.assignee(department, self.roster.staff.get(staff_id))

    def _assignee(self, department: Department, colleague: HandoffSender | None) -> int:
        """Within a department the work stays with whoever has it."""
        person = self.roster.staff.get(colleague.staff_id) if colleague else None
        if person and self.roster.works_in(person, department):
            return self.roster.assignee(department, person)
        return self.roster.assignee(department)

    def _send_handoff(
        self, run: StageRun, sender: HandoffSender, department: Department, accept_by: datetime
    ) -> None:
        self.request.handoffs.append(
            Handoff(
                run=run,
                from_run=sender.run,
                from_department_id=sender.department_id,
                to_department_id=saved_id(department),
                sender_id=sender.staff_id,
                sent_at=self.now,
                accept_by=accept_by,
                note=sender.note,
            )
        )
        self.request.record(
            EventKind.HANDOFF_SENT, self.actor, self.now, run=run,
            to=department.name, accept_by=accept_by.isoformat(),
        )  # fmt: skip

    def reach(
        self, run: StageRun, stage: StageDefinition, assignee_id: int, *, told: bool = True
    ) -> None:
        """The department has it: its milestone is told, unless it runs again quietly."""
        run.reach(stage, self.department_of(run), self.now, assignee_id)
        self.request.record(
            EventKind.STAGE_REACHED, self.actor, self.now, run=run,
            told=told and stage.milestone, again=self._was_reached_before(run),
        )  # fmt: skip
        if stage.question is not None:
            self._plan(stage.question, run, during_stage=True)

    def _was_reached_before(self, run: StageRun) -> bool:
        """True for a stage truly run again: one whose handoff was refused has never been told."""
        return any(
            earlier.stage_key == run.stage_key and earlier.reached_at and earlier is not run
            for earlier in self.request.runs
        )

    def _plan(self, definition: FollowUpDefinition, run: StageRun, *, during_stage: bool) -> None:
        calendar = self.department_of(run).calendar
        self.request.follow_ups.append(
            FollowUp(
                run=run,
                key=definition.key,
                during_stage=during_stage,
                question=definition.question.in_language(self.request.customer.locale),
                expects=AnswerType(definition.expects),
                planned_at=self.now,
                next_at=self.now if during_stage else calendar.add(self.now, definition.wait),
            )
        )

    def _undo_from(self, stage: str) -> None:
        """Make void the stage's passage and all that came of it."""
        for key in {stage} | self.request.definition.descendants(stage):
            for run in self.request.runs:
                if run.stage_key == key and run.state in (RunState.OPEN, RunState.COMPLETED):
                    self.supersede(run)

    def supersede(self, run: StageRun) -> None:
        """Make a passage void, with the handoff and the questions that hang on it."""
        handoff = self.request.pending_handoff(run)
        if handoff:
            handoff.void(self.now)
        self._withdraw_questions(run)
        run.supersede(self.now, self.department_of(run))

    def _withdraw_questions(self, run: StageRun) -> None:
        for question in self.request.follow_ups:
            if question.run is run and question.is_pending:
                question.close(FollowUpState.WITHDRAWN, self.now)

    def _sender_of_return(self, stage: str) -> HandoffSender:
        """Whoever has the work that is sent back; after the last stage, whoever had it last."""
        below = self.request.definition.descendants(stage)
        for run in self.request.open_runs:
            if run.stage_key in below:
                handoff = self.request.pending_handoff(run)
                department_id = handoff.from_department_id if handoff else run.department_id
                return HandoffSender(run.assignee_id, department_id, run)
        return self.last_sender()

    def last_sender(self) -> HandoffSender:
        """Whoever has it while no stage is open."""
        return HandoffSender(
            self.request.owner_id, self.request.department_id, self._last_completed()
        )

    def _last_completed(self) -> StageRun | None:
        done = [run for run in reversed(self.request.runs) if run.state == RunState.COMPLETED]
        return max(done, key=lambda run: run.completed_at or run.opened_at, default=None)

    def _where_it_stopped(self) -> list[StageDefinition]:
        """The stages that the end cut off; where it cut off none, the last to be completed."""
        request, last = self.request, self._last_completed()
        cut_off = [
            run
            for run in request.runs
            if run.state == RunState.CANCELLED and run.closed_at == request.closed_at
        ]
        runs = cut_off or ([last] if last else [])
        return [request.definition.stage(run.stage_key) for run in runs]

    def current(self, stage: str, *states: RunState) -> StageRun | None:
        """The stage's newest passage in one of these states, if there is one."""
        runs = [r for r in self.request.runs if r.stage_key == stage and r.state in states]
        return runs[-1] if runs else None

    def department_of(self, run: StageRun) -> Department:
        """The department that does this passage."""
        return self.roster.department_by_id(run.department_id)
