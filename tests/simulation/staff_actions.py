"""What staff do about a request when they come to it: each deed is one of the relay's verbs."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from portal import operations
from portal.models import (
    Actor,
    ActorKind,
    ContactChannel,
    ContactReason,
    Promise,
    PromiseKind,
    ServiceRequest,
    StageRun,
)
from portal.operations import UnitOfWork
from tests.simulation.faults import Fault
from tests.simulation.organisation import Organisation, SimulatedStaff
from tests.simulation.simulated_request import SimulatedRequest, StaffOperation

COURIER_SYSTEM = Actor(ActorKind.API, "Couriers")
MAX_RETURNS = 3
"""So often work goes back in one life; somebody then settles it."""


class StaffActions:
    """By whoever has it, if they are there; nothing where somebody was faster."""

    def __init__(self, office: Organisation) -> None:
        self.office = office
        self.world = office.world

    async def record_third_party_update(
        self, life: SimulatedRequest, stage: str, passage: int
    ) -> None:
        """Another system passes on what the courier says."""
        if life.open_run(stage, passage) is not None:
            await life.do(
                COURIER_SYSTEM,
                lambda uow, it: operations.record_third_party_update(
                    uow, it, stage=stage, words="Scanned at the depot"
                ),
            )

    async def run_as_assignee(
        self, life: SimulatedRequest, run: StageRun, work: StaffOperation
    ) -> None:
        """Do this about an open stage, unless it is held or waits to be taken up."""
        found = life.open_run(run.stage_key, run.passage)
        if found is None or found.held_at is not None or life.it.pending_handoff(found):
            return
        person = self._hand(life, found)
        if person is not None:
            await life.do(person.actor, work)

    def _hand(self, life: SimulatedRequest, run: StageRun) -> SimulatedStaff | None:
        names = (life.number, run.stage_key, self.world.now)
        return self.office.hand(run.assignee_id, run.department_id, *names)

    async def accept(self, life: SimulatedRequest, stage: str) -> None:
        """Somebody of the receiving department takes it up."""
        run = life.open_run(stage)
        handoff = life.it.pending_handoff(run) if run else None
        if run is None or handoff is None:
            return
        person = self.office.pick_available(run.department_id, life.number, stage, run.passage)
        if person is None:
            self._tomorrow(run.department_id, lambda: self.accept(life, stage))
            return
        await life.do(person.actor, lambda uow, it: operations.accept(uow, it, stage=stage))

    async def refuse(self, life: SimulatedRequest, stage: str) -> None:
        """It is not theirs, or something is missing."""
        run = life.open_run(stage)
        handoff = life.it.pending_handoff(run) if run else None
        if run is None or handoff is None:
            return
        person = self.office.pick_available(run.department_id, life.number, stage, run.passage)
        if person is None:
            return
        life.count_return(run.department_id, handoff.from_department_id)
        self.world.count("handoffs refused")
        await life.do(
            person.actor,
            lambda uow, it: operations.refuse(
                uow, it, stage=stage, reason="A signature is missing"
            ),
        )

    async def complete_stage(self, life: SimulatedRequest, stage: str, passage: int) -> None:
        """The work is done, or goes back to where it came from."""
        run = life.open_run(stage, passage)
        if run is None or life.it.pending_handoff(run):
            return
        if run.held_at is not None:
            later = (run.hold_until or self.world.now) + timedelta(hours=2)
            self.world.at(later, lambda: self.complete_stage(life, stage, passage))
            return
        person = self._hand(life, run)
        if person is None:
            self._tomorrow(run.department_id, lambda: self.complete_stage(life, stage, passage))
            return
        back = self._sent_back_to(life, run)
        if back is not None and self.world.dice.hit(
            Fault.RETURNS, 0.04, life.number, stage, run.passage
        ):
            life.count_return(run.department_id, back.department_id)
            self.world.count("work sent back")
            where = back.stage_key
            await life.do(
                person.actor,
                lambda uow, it: operations.send_back(
                    uow, it, stage=where, reason="The form is incomplete"
                ),
            )
            return
        await life.do(person.actor, lambda uow, it: operations.advance(uow, it, stage=stage))

    def _sent_back_to(self, life: SimulatedRequest, run: StageRun) -> StageRun | None:
        """The stage before it, where another department did that."""
        if not self.can_send_back(life) or len(life.it.open_runs) > 1:
            return None
        before = [
            one
            for one in life.it.runs
            if one.stage_key in life.kind.stage(run.stage_key).after
            and one.state.value == "completed"
            and one.department_id != run.department_id
        ]
        return before[-1] if before else None

    def can_send_back(self, life: SimulatedRequest) -> bool:
        """Whether work may still go back in this life."""
        return not life.returns_resolved and sum(life.returns.values()) < MAX_RETURNS

    async def keep(self, life: SimulatedRequest, promise_id: int) -> None:
        """What was promised is done, in the way that its kind asks for."""
        promise = next((one for one in life.it.promises if one.id == promise_id), None)
        if promise is None or promise.closed_at is not None:
            return
        person = self.office.hand(
            promise.owner_id, promise.department_id, life.number, promise.made_at, self.world.now
        )
        if person is None:
            self._tomorrow(promise.department_id, lambda: self.keep(life, promise_id))
            return
        await self.fulfil_as(life, promise, person)

    async def fulfil_as(
        self, life: SimulatedRequest, promise: Promise, person: SimulatedStaff
    ) -> None:
        """By writing, by calling, or by doing it."""
        if promise.kind == PromiseKind.ANSWER:
            await life.do(person.actor, reply_to_customer)
        elif promise.kind == PromiseKind.CALL:
            await life.do(person.actor, log_call)
        else:
            number = promise.id or 0

            async def keep(uow: UnitOfWork, request: ServiceRequest) -> None:
                await operations.keep_promise(uow, request, number)

            await life.do(person.actor, keep)

    async def write(self, life: SimulatedRequest) -> None:
        """Answer the customer's words, if nobody has."""
        request = life.it
        if request.unanswered_since is None:
            return
        person = self.office.hand(
            request.owner_id, request.department_id, life.number, self.world.now
        )
        if person is None:
            self._tomorrow(request.department_id, lambda: self.write(life))
            return
        await life.do(person.actor, reply_to_customer)

    def _tomorrow(self, department_id: int, deed: Callable[[], Awaitable[None]]) -> None:
        """Nobody is there who could: the work lies until the next working day."""
        calendar = self.office.calendar(department_id)
        self.world.at(calendar.next_open(self.world.now + timedelta(hours=20)), deed)


async def reply_to_customer(uow: UnitOfWork, request: ServiceRequest) -> None:
    """An answer to what they wrote."""
    await operations.write_to_customer(
        uow, request, "Thank you for writing. Yes, that is possible."
    )


async def log_call(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Somebody spoke with them by phone."""
    await operations.log_contact(
        uow, request, channel=ContactChannel.CALL, reason=ContactReason.QUESTION,
        note="Called them back.",
    )  # fmt: skip
