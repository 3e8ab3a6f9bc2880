"""The stages of a request: which open when, who must accept them, what is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from portal.errors import BadInput, Conflict
from portal.models.columns import saved_id
from portal.models.monitoring.stage_duration import StageDurations
from portal.models.people.actor import Actor
from portal.models.people.department import Department
from portal.models.requests.event import EventKind
from portal.models.requests.follow_up import FollowUpState
from portal.models.requests.handoff import Handoff
from portal.models.requests.request_status import RequestStatus
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.rules import question_planning
from portal.rules.facts import Facts
from portal.rules.needs import open_needs, settle_needs
from portal.rules.roster import Roster
from portal.workflows import StageDefinition


@dataclass(frozen=True)
class HandoffSender:
    """Who hands a stage off: the person, their department, and the run that they completed.

    ``note`` is for whoever accepts the handoff.
    """

    staff_id: int
    department_id: int
    run: StageRun | None = None
    note: str = ""


@dataclass(frozen=True)
class StageFlow:
    """The rules by which one request moves through its stages, for one actor at one moment.

    Pure: it reads and changes rows in memory; it makes no query, reads no clock and sends no
    message. It records what happened in the request's events.
    """

    facts: Facts
    # The values of the fields of the questions that this move puts, by name.
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def request(self) -> ServiceRequest:
        """The request that moves."""
        return self.facts.request

    @property
    def roster(self) -> Roster:
        """Who can be given what in its workflow."""
        return self.facts.roster

    @property
    def stage_durations(self) -> StageDurations:
        """How long requests of the same workflow have taken."""
        return self.facts.workflow.stage_durations

    @property
    def actor(self) -> Actor:
        """Who moves it."""
        return self.facts.actor

    @property
    def now(self) -> datetime:
        """The time at which it moves."""
        return self.facts.now

    def begin(self) -> None:
        """Open the stages without dependencies. Raises Conflict where nobody could own them."""
        roots = self.request.definition.roots()
        department = self.roster.department(roots[0].department)
        self.request.owner_id = self.roster.assignee(department)
        self.request.department_id = saved_id(department)
        self.request.opened_at = self.now
        self.set_overdue_age()
        self.request.record(EventKind.OPENED, self.actor, self.now)
        for stage in roots:
            self.open(stage, sender=None)
        self.request.derive_state()

    def advance(
        self, stage: str | None, note: str, expected_by: datetime | None, handover: str = ""
    ) -> None:
        """Complete the named open stage and open what waited for it.

        ``note`` is shown to the customer with what comes next; ``expected_by`` sets its due time;
        ``handover`` is for whoever accepts the next stage, and never for the customer.
        Raises Conflict while the stage waits to be accepted, BadInput for a date in the past, and
        where a question that this puts would miss the value of a field.
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
        if self.fields:
            question_planning.check_field_names(request, run, self.fields)
        for run_opened in self.complete(run, note, handover):
            if expected_by is not None:
                grace = request.definition.stage(run_opened.stage_key).grace
                run_opened.set_due_at(expected_by, grace, self.department_of(run_opened), self.now)

    def set_overdue_age(self) -> None:
        """Set when the request will have been open far longer than others, counted from now."""
        request, departments = self.request, self.roster.departments
        request.overdue_age_at = self.stage_durations.overdue_age_at(
            request.definition, departments, self.now
        )

    def complete(self, run: StageRun, note: str, handover: str = "") -> list[StageRun]:
        """Complete the run, open what waited for it, plan the questions after it."""
        request, department = self.request, self.department_of(run)
        self._withdraw_questions(run)
        if request.needs:
            settle_needs(self.facts, run)
        run.complete(self.now, self.actor.name, department)
        extra: dict[str, Any] = {"handover": handover} if handover else {}
        request.record(EventKind.STAGE_COMPLETED, self.actor, self.now, run=run, note=note, **extra)
        completed_keys = {
            earlier.stage_key for earlier in request.runs if earlier.state == RunState.COMPLETED
        }
        sender = HandoffSender(run.assignee_id, run.department_id, run, handover)
        opened = [
            self.open(stage, sender)
            for stage in request.definition.opened_by(run.stage_key, completed_keys)
            if not self.current(stage.key, RunState.OPEN, RunState.COMPLETED)
        ]
        for next_run in opened or [run]:
            next_run.note = note
        for definition in request.definition.follow_ups_after(run.stage_key):
            values = question_planning.field_values(self.facts, definition, self.fields)
            question_planning.plan_question(self.facts, definition, run, values)
        if request.open_runs:
            request.derive_state()
        else:
            request.owner_id, request.department_id = run.assignee_id, run.department_id
            request.coordinator_id = None
            self.close_if_done()
        return opened

    def close_if_done(self, *, unconfirmed: bool = False) -> None:
        """Complete the request, or wait while a question to the customer is still to be answered.

        ``unconfirmed``: the customer did not answer the last question.
        """
        request = self.request
        if any(question.is_pending for question in request.follow_ups):
            if request.status != RequestStatus.AWAITING_CONFIRMATION:
                request.status = RequestStatus.AWAITING_CONFIRMATION
                request.record(EventKind.AWAITING_CONFIRMATION, self.actor, self.now)
        else:
            self.end(RequestStatus.COMPLETED, "", unconfirmed=unconfirmed)

    def end(self, status: RequestStatus, reason: str, *, unconfirmed: bool = False) -> None:
        """Close the request, done by this actor."""
        self.request.end(
            status, self.actor, self.now, reason, self.roster.department_by_id,
            unconfirmed=unconfirmed,
        )  # fmt: skip

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
        notify: bool = True,
    ) -> StageRun:
        """Open a stage; where another department must accept it first, send a handoff.

        ``notify`` is false where the customer is not notified of it.
        """
        department = self.roster.department(stage.department)
        earlier = [run for run in self.request.runs if run.stage_key == stage.key]
        run = StageRun(
            stage_id=self.facts.workflow.stage_ids[stage.key],
            stage_key=stage.key,
            department_id=saved_id(department),
            passage=len(earlier) + 1,
        )
        run.start(stage, department, self.now, self.stage_durations.of(stage.key))
        if stage.question is not None:
            run.fields = question_planning.field_values(self.facts, stage.question, self.fields)
        changes_department = sender is not None and sender.department_id != department.id
        accept_by = department.accept_by(self.now) if changes_department else None
        if sender is not None and accept_by is not None:
            from_department = self.roster.department_by_id(sender.department_id)
            run.assignee_id = self.available_assignee(sender.staff_id, from_department)
            self.request.runs.append(run)
            self._send_handoff(run, sender, department, accept_by)
        else:
            run.assignee_id = owner_id or self._assignee(
                department, None if changes_department else sender
            )
            self.request.runs.append(run)
            self.reach(run, stage, run.assignee_id, notify=notify)
        return run

    def reopen_stage(self, run: StageRun, staff_id: int) -> StageRun:
        """Open the run's stage again without notifying the customer, who knows its earlier date."""
        stage, flow = self.request.definition.stage(run.stage_key), replace(self, fields=run.fields)
        assignee_id = self.available_assignee(staff_id, self.department_of(run))
        reopened = flow.open(stage, sender=None, owner_id=assignee_id, notify=False)
        reopened.keep_known_date(run.due_at, self.now)
        return reopened

    def available_assignee(self, staff_id: int, department: Department) -> int:
        """The same person; where they have left or are absent, the department's assignee."""
        return self.roster.assignee(department, self.roster.staff.get(staff_id))

    def _assignee(self, department: Department, colleague: HandoffSender | None) -> int:
        """Within a department the work stays with the sender."""
        person = self.roster.staff.get(colleague.staff_id) if colleague else None
        if person and self.roster.works_in(person, department):
            return self.roster.assignee(department, person)
        return self.roster.assignee(department)

    def _send_handoff(
        self, run: StageRun, sender: HandoffSender, department: Department, accept_by: datetime
    ) -> None:
        handoff = Handoff(
            run=run,
            from_run=sender.run,
            from_department_id=sender.department_id,
            to_department_id=saved_id(department),
            sender_id=sender.staff_id,
            sent_at=self.now,
            accept_by=accept_by,
            note=sender.note,
        )
        self.request.handoffs.append(handoff)
        self.request.record(
            EventKind.HANDOFF_SENT, self.actor, self.now, run=run,
            to=department.name, accept_by=accept_by.isoformat(),
        )  # fmt: skip

    def reach(
        self, run: StageRun, stage: StageDefinition, assignee_id: int, *, notify: bool = True
    ) -> None:
        """The department has the stage: its milestone is announced, if ``notify``."""
        run.reach(stage, self.department_of(run), self.now, assignee_id)
        self.request.record(
            EventKind.STAGE_REACHED, self.actor, self.now, run=run,
            told=notify and stage.milestone, again=self._was_reached_before(run),
        )  # fmt: skip
        if stage.question is not None:
            question_planning.plan_question(self.facts, stage.question, run, run.fields)
        open_needs(self.facts, run)

    def _was_reached_before(self, run: StageRun) -> bool:
        """True for a stage that runs again; one whose handoff was refused was never announced."""
        return any(
            earlier.stage_key == run.stage_key and earlier.reached_at and earlier is not run
            for earlier in self.request.runs
        )

    def supersede(self, run: StageRun) -> None:
        """Supersede a run, with its pending handoff and its questions."""
        if handoff := self.request.pending_handoff(run):
            handoff.void(self.now)
        self._withdraw_questions(run)
        run.supersede(self.now, self.department_of(run))

    def _withdraw_questions(self, run: StageRun) -> None:
        for question in self.request.follow_ups:
            if question.run is run and question.is_pending:
                question.close(FollowUpState.WITHDRAWN, self.now)

    def current(self, stage: str, *states: RunState) -> StageRun | None:
        """The stage's newest run in one of these states, if there is one."""
        runs = [r for r in self.request.runs if r.stage_key == stage and r.state in states]
        return runs[-1] if runs else None

    def department_of(self, run: StageRun) -> Department:
        """The department of this run."""
        return self.roster.department_by_id(run.department_id)
