"""Reassignment of what an absent or former member of staff has to their substitute."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.models.requests.dropped_ball import DroppedBall, EscalationLevel
from portal.models.requests.event import EventKind
from portal.models.requests.stage_run import StageRun
from portal.rules.facts import Facts


@dataclass
class Reassignment:
    """The work on one request whose owner is absent or disabled; pure, as StageFlow is.

    ``balls`` are the open balls of the request. ``reassigned`` has the old and the new owner, with
    the run where it is a stage.
    """

    facts: Facts
    balls: Sequence[DroppedBall]
    reassigned: dict[tuple[int, int], StageRun | None] = field(default_factory=dict)

    def reassign(self) -> bool:
        """Give each of them to the substitute and record an event for each pair. Idempotent.

        False where nothing has to be reassigned, or nobody is available: then it stays.
        """
        if not self.facts.request.is_closed:
            self._reassign_stages()
        self._reassign_promises()
        self._reassign_balls()
        for (previous_id, substitute_id), run in self.reassigned.items():
            self.facts.request.record(
                EventKind.ASSIGNED, self.facts.actor, self.facts.now, run=run, visible=False,
                to=self.facts.roster.person(substitute_id).name, to_id=substitute_id,
                reason=self.facts.roster.reassignment_reason(previous_id),
            )  # fmt: skip
        return bool(self.reassigned)

    def _reassign_stages(self) -> None:
        request = self.facts.request
        for run in request.open_runs:
            handoff = request.pending_handoff(run)
            department_id = handoff.from_department_id if handoff else run.department_id
            run.assignee_id = self._substitute(run.assignee_id, department_id, run)
        if request.coordinator_id is not None:
            request.coordinator_id = self._substitute(request.coordinator_id, request.department_id)
        if not request.open_runs:
            request.owner_id = self._substitute(request.owner_id, request.department_id)
        request.derive_state()

    def _reassign_promises(self) -> None:
        for promise in self.facts.request.promises:
            if promise.closed_at is None:
                promise.owner_id = self._substitute(promise.owner_id, promise.department_id)

    def _reassign_balls(self) -> None:
        for ball in self.balls:
            department_id = ball.department_id or self.facts.request.department_id
            if ball.owner_id is not None:
                ball.owner_id = self._substitute(ball.owner_id, department_id)
            assignee_id = ball.escalated_to_id
            if assignee_id is not None and not self.facts.roster.is_available(assignee_id):
                default_manager = (
                    self.facts.roster.default_manager()
                    if ball.level == EscalationLevel.MANAGER
                    else None
                )
                substitute_id = (
                    self.facts.roster.find_deputy(assignee_id)
                    or default_manager
                    or self.facts.roster.substitute_or_self(assignee_id, department_id)
                )
                ball.escalated_to_id = self._record_substitute(assignee_id, substitute_id)

    def _substitute(self, staff_id: int, department_id: int, run: StageRun | None = None) -> int:
        return self._record_substitute(
            staff_id, self.facts.roster.substitute_or_self(staff_id, department_id), run
        )

    def _record_substitute(
        self, previous_id: int, substitute_id: int, run: StageRun | None = None
    ) -> int:
        if substitute_id != previous_id:
            self.reassigned[previous_id, substitute_id] = (
                self.reassigned.get((previous_id, substitute_id)) or run
            )
        return substitute_id
