"""What lies with somebody who is away or has left goes to whoever stands in for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from portal.models.people.actor import Actor
from portal.models.requests.dropped_ball import DroppedBall, EscalationLevel
from portal.models.requests.event import EventKind
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import StageRun
from portal.rules.roster import Roster


@dataclass
class Reassignment:
    """All of one request that lies with nobody who is here; pure, as Progress is.

    ``balls`` are those of the request that are open. ``given`` has who gave what to whom, and
    the stage, where it is one.
    """

    request: ServiceRequest
    balls: Sequence[DroppedBall]
    roster: Roster
    reassigned: dict[tuple[int, int], StageRun | None] = field(default_factory=dict)

    def reassign(self, actor: Actor, now: datetime) -> bool:
        """Give each thing to whoever stands in, a line on the timeline for each of them.

        False where nothing is to give, or nobody is there to take it: then it stays. Doing it
        twice does it once.
        """
        if not self.request.is_closed:
            self._the_work()
        self._the_promises()
        self._the_balls()
        for (giver, taker), run in self.reassigned.items():
            self.request.record(
                EventKind.ASSIGNED, actor, now, run=run, visible=False,
                to=self.roster.person(taker).name, to_id=taker,
                reason=self.roster.reassignment_reason(giver),
            )  # fmt: skip
        return bool(self.reassigned)

    def _the_work(self) -> None:
        request = self.request
        for run in request.open_runs:
            handoff = request.pending_handoff(run)
            place = handoff.from_department_id if handoff else run.department_id
            run.assignee_id = self._pass(run.assignee_id, place, run)
        if request.coordinator_id is not None:
            request.coordinator_id = self._pass(request.coordinator_id, request.department_id)
        if not request.open_runs:
            request.owner_id = self._pass(request.owner_id, request.department_id)
        request.derive_state()

    def _the_promises(self) -> None:
        for promise in self.request.promises:
            if promise.closed_at is None:
                promise.owner_id = self._pass(promise.owner_id, promise.department_id)

    def _the_balls(self) -> None:
        for ball in self.balls:
            place = ball.department_id or self.request.department_id
            if ball.owner_id is not None:
                ball.owner_id = self._pass(ball.owner_id, place)
            above = ball.escalated_to_id
            if above is not None and not self.roster.is_available(above):
                default_manager = (
                    self.roster.default_manager() if ball.level == EscalationLevel.MANAGER else None
                )
                taker = (
                    self.roster.find_deputy(above)
                    or default_manager
                    or self.roster.substitute_or_self(above, place)
                )
                ball.escalated_to_id = self._given(above, taker)

    def _pass(self, staff_id: int, department_id: int, run: StageRun | None = None) -> int:
        return self._given(staff_id, self.roster.substitute_or_self(staff_id, department_id), run)

    def _given(self, giver: int, taker: int, run: StageRun | None = None) -> int:
        if taker != giver:
            self.reassigned[giver, taker] = self.reassigned.get((giver, taker)) or run
        return taker
