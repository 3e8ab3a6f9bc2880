"""Reassignment of what an absent or former member of staff has to their substitute."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.models.requests.dropped_ball import DroppedBall, EscalationLevel
from portal.models.requests.event import EventKind
from portal.models.requests.stage_run import StageRun
from portal.rules.facts import Facts


@dataclass
class Reassignment:
    """Everything of one request whose owner is absent or has left; pure, as StageFlow is.

    ``balls`` are the open balls of the request. ``reassigned`` has the old and the new owner, with
    the run where it is a stage.
    """

    facts: Facts
    balls: Sequence[DroppedBall]
    reassigned: dict[tuple[int, int], StageRun | None] = field(default_factory=dict)

    def reassign(self) -> bool:
        """Give each of them to the substitute and record an event for each pair. Idempotent.

        False where nothing is to be given, or nobody can take it: then it stays.
        """
        if not self.facts.request.is_closed:
            self._reassign_stages()
        self._reassign_promises()
        self._reassign_balls()
        for (giver, taker), run in self.reassigned.items():
            self.facts.request.record(
                EventKind.ASSIGNED, self.facts.actor, self.facts.now, run=run, visible=False,
                to=self.facts.roster.person(taker).name, to_id=taker,
                reason=self.facts.roster.reassignment_reason(giver),
            )  # fmt: skip
        return bool(self.reassigned)

    def _reassign_stages(self) -> None:
        request = self.facts.request
        for run in request.open_runs:
            handoff = request.pending_handoff(run)
            department_id = handoff.from_department_id if handoff else run.department_id
            run.assignee_id = self._pass(run.assignee_id, department_id, run)
        if request.coordinator_id is not None:
            request.coordinator_id = self._pass(request.coordinator_id, request.department_id)
        if not request.open_runs:
            request.owner_id = self._pass(request.owner_id, request.department_id)
        request.derive_state()

    def _reassign_promises(self) -> None:
        for promise in self.facts.request.promises:
            if promise.closed_at is None:
                promise.owner_id = self._pass(promise.owner_id, promise.department_id)

    def _reassign_balls(self) -> None:
        for ball in self.balls:
            department_id = ball.department_id or self.facts.request.department_id
            if ball.owner_id is not None:
                ball.owner_id = self._pass(ball.owner_id, department_id)
            above = ball.escalated_to_id
            if above is not None and not self.facts.roster.is_available(above):
                default_manager = (
                    self.facts.roster.default_manager()
                    if ball.level == EscalationLevel.MANAGER
                    else None
                )
                taker = (
                    self.facts.roster.find_deputy(above)
                    or default_manager
                    or self.facts.roster.substitute_or_self(above, department_id)
                )
                ball.escalated_to_id = self._given(above, taker)

    def _pass(self, staff_id: int, department_id: int, run: StageRun | None = None) -> int:
        return self._given(
            staff_id, self.facts.roster.substitute_or_self(staff_id, department_id), run
        )

    def _given(self, giver: int, taker: int, run: StageRun | None = None) -> int:
        if taker != giver:
            self.reassigned[giver, taker] = self.reassigned.get((giver, taker)) or run
        return taker
