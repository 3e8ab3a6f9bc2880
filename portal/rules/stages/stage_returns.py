"""Returns: a stage that is sent back, and a closed request that is reopened."""

from dataclasses import dataclass

from portal.errors import Conflict
from portal.models.people.actor import ActorKind
from portal.models.requests.event import EventKind
from portal.models.requests.request_status import RequestStatus
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.rules.needs import correct_returned, waits_for_customer
from portal.rules.stages.stage_flow import HandoffSender, StageFlow
from portal.workflows import StageDefinition


@dataclass(frozen=True)
class StageReturns:
    """Runs stages of a request again; pure, as StageFlow is."""

    stage_flow: StageFlow

    @property
    def request(self) -> ServiceRequest:
        """The request whose stages run again."""
        return self.stage_flow.request

    def send_back(
        self, stage: str, reason: str, *, notify: bool = True, is_return: bool = True
    ) -> StageRun:
        """Run a completed stage again, and after it all that followed it; other branches stay.

        ``notify`` is false where the customer is not notified of the stage, unless another
        department accepts it later. ``is_return`` is false where nobody returns it, because a visit
        is cancelled: then only staff read the reason, and nobody is asked to correct anything.
        Raises BadInput for an unknown stage, Conflict for one that is not completed.
        """
        flow = self.stage_flow
        self.request.require_open()
        target = self.request.check_stage(stage)
        completed = flow.current(stage, RunState.COMPLETED)
        if not completed:
            raise Conflict(f"{target.name} is not completed, so nothing can go back to it.")
        sender = self._sender_of_return(stage)
        self.request.record(EventKind.SENT_BACK, flow.actor, flow.now, run=completed, reason=reason)
        self._supersede_from(stage)
        run = flow.open(target, sender, notify=notify)
        if not is_return:
            self.request.derive_state()
            return run
        run.note = reason
        if waits_for_customer(target) and flow.actor.kind != ActorKind.CUSTOMER:
            run.correction, run.correction_by_id = reason, flow.actor.staff_id
            correct_returned(flow.facts, run, reason)
            if target.needs and target.pauses_clock and run.reached_at is not None:
                run.wait_on_customer(flow.now)
        if sender.department_id != run.department_id and flow.actor.kind != ActorKind.CUSTOMER:
            run.returned_by_id = sender.department_id
        self.request.derive_state()
        return run

    def reopen(self, stage: str | None, reason: str) -> None:
        """Open a closed request again: at the named stage, else at its last stages.

        Raises Conflict for a request that is open, BadInput for an unknown stage.
        """
        flow, request = self.stage_flow, self.request
        if not request.is_closed:
            raise Conflict(f"{request.reference} is not closed: it is {request.status_text}.")
        stages = self._where_it_stopped()
        if stage is not None:
            reopened_stage, definition = request.check_stage(stage), request.definition
            dependent = {stage} | definition.descendants(stage) | definition.ancestors(stage)
            # Cancelled parallel branches reopen too: a join would wait for them forever.
            stages = [reopened_stage] + [
                other
                for other in stages
                if other.key not in dependent and not flow.current(other.key, RunState.COMPLETED)
            ]
        request.clear_ending()
        request.status = RequestStatus.OPEN
        # The last owner may have left since it ended.
        department = flow.roster.department_by_id(request.department_id)
        request.owner_id = flow.available_assignee(request.owner_id, department)
        request.record(EventKind.REOPENED, flow.actor, flow.now, reason=reason)
        flow.set_overdue_age()
        for reopened in stages:
            self._supersede_from(reopened.key)
            flow.open(reopened, sender=None)
        request.derive_state()

    def last_sender(self) -> HandoffSender:
        """The owner as sender, while no stage is open."""
        return HandoffSender(
            self.request.owner_id, self.request.department_id, self._last_completed()
        )

    def _supersede_from(self, stage: str) -> None:
        """Supersede the run of the stage and of every stage after it."""
        for key in {stage} | self.request.definition.descendants(stage):
            for run in self.request.runs:
                if run.stage_key == key and run.state in (RunState.OPEN, RunState.COMPLETED):
                    self.stage_flow.supersede(run)

    def _sender_of_return(self, stage: str) -> HandoffSender:
        """The assignee of the work that is sent back; after the last stage, the last owner."""
        below = self.request.definition.descendants(stage)
        for run in self.request.open_runs:
            if run.stage_key in below:
                handoff = self.request.pending_handoff(run)
                department_id = handoff.from_department_id if handoff else run.department_id
                return HandoffSender(run.assignee_id, department_id, run)
        return self.last_sender()

    def _last_completed(self) -> StageRun | None:
        done = [run for run in reversed(self.request.runs) if run.state == RunState.COMPLETED]
        return max(done, key=lambda run: run.completed_at or run.opened_at, default=None)

    def _where_it_stopped(self) -> list[StageDefinition]:
        """The stages that the end cancelled; where it cancelled none, the last to be completed."""
        request, last = self.request, self._last_completed()
        cancelled = [
            run
            for run in request.runs
            if run.state == RunState.CANCELLED and run.closed_at == request.closed_at
        ]
        runs = cancelled or ([last] if last else [])
        return [request.definition.stage(run.stage_key) for run in runs]
