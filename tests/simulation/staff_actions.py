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
from portal.operations import Turn
from tests.simulation.faults import Fault
from tests.simulation.organisation import Office, Person
from tests.simulation.simulated_request import Life, Work

THE_COURIERS = Actor(ActorKind.API, "Couriers")
MOST_RETURNS = 3
"""So often work goes back in one life; somebody then settles it."""


class Deeds:
    """By whoever has it, if they are there; nothing where somebody was faster."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.world = office.world

    async def hear_third_party(self, life: Life, stage: str, passage: int) -> None:
        """Another system passes on what the courier says."""
        if life.open_run(stage, passage) is not None:
            await life.do(
                THE_COURIERS,
                lambda turn, it: operations.hear_from_third_party(
                    turn, it, stage=stage, words="Scanned at the depot"
                ),
            )

    async def by_whoever_has_it(self, life: Life, run: StageRun, work: Work) -> None:
        """Do this about an open stage, unless it is held or waits to be taken up."""
        found = life.open_run(run.stage_key, run.passage)
        if found is None or found.held_at is not None or life.it.waiting_handoff(found):
            return
        person = self._hand(life, found)
        if person is not None:
            await life.do(person.actor, work)

    def _hand(self, life: Life, run: StageRun) -> Person | None:
        names = (life.number, run.stage_key, self.world.now)
        return self.office.hand(run.assignee_id, run.department_id, *names)

    async def accept(self, life: Life, stage: str) -> None:
        """Somebody of the receiving department takes it up."""
        run = life.open_run(stage)
        handoff = life.it.waiting_handoff(run) if run else None
        if run is None or handoff is None:
            return
        person = self.office.somebody(run.department_id, life.number, stage, run.passage)
        if person is None:
            self._tomorrow(run.department_id, lambda: self.accept(life, stage))
            return
        await life.do(person.actor, lambda turn, it: operations.accept(turn, it, stage=stage))

    async def refuse(self, life: Life, stage: str) -> None:
        """It is not theirs, or something is missing."""
        run = life.open_run(stage)
        handoff = life.it.waiting_handoff(run) if run else None
        if run is None or handoff is None:
            return
        person = self.office.somebody(run.department_id, life.number, stage, run.passage)
        if person is None:
            return
        life.note_return(run.department_id, handoff.from_department_id)
        self.world.count("handoffs refused")
        await life.do(
            person.actor,
            lambda turn, it: operations.refuse(
                turn, it, stage=stage, reason="A signature is missing"
            ),
        )

    async def finish(self, life: Life, stage: str, passage: int) -> None:
        """The work is done, or goes back to where it came from."""
        run = life.open_run(stage, passage)
        if run is None or life.it.waiting_handoff(run):
            return
        if run.held_at is not None:
            later = (run.hold_until or self.world.now) + timedelta(hours=2)
            self.world.at(later, lambda: self.finish(life, stage, passage))
            return
        person = self._hand(life, run)
        if person is None:
            self._tomorrow(run.department_id, lambda: self.finish(life, stage, passage))
            return
        back = self._sent_back_to(life, run)
        if back is not None and self.world.dice.hit(
            Fault.RETURNS, 0.04, life.number, stage, run.passage
        ):
            life.note_return(run.department_id, back.department_id)
            self.world.count("work sent back")
            where = back.stage_key
            await life.do(
                person.actor,
                lambda turn, it: operations.send_back(
                    turn, it, stage=where, reason="The form is incomplete"
                ),
            )
            return
        await life.do(person.actor, lambda turn, it: operations.advance(turn, it, stage=stage))

    def _sent_back_to(self, life: Life, run: StageRun) -> StageRun | None:
        """The stage before it, where another department did that."""
        if not self.may_return(life) or len(life.it.open_runs) > 1:
            return None
        before = [
            one
            for one in life.it.runs
            if one.stage_key in life.kind.stage(run.stage_key).after
            and one.state.value == "completed"
            and one.department_id != run.department_id
        ]
        return before[-1] if before else None

    def may_return(self, life: Life) -> bool:
        """Whether work may still go back in this life."""
        return not life.settled_returns and sum(life.returns.values()) < MOST_RETURNS

    async def keep(self, life: Life, promise_id: int) -> None:
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
        await self.keep_by(life, promise, person)

    async def keep_by(self, life: Life, promise: Promise, person: Person) -> None:
        """By writing, by calling, or by doing it."""
        if promise.kind == PromiseKind.ANSWER:
            await life.do(person.actor, write_to_them)
        elif promise.kind == PromiseKind.CALL:
            await life.do(person.actor, call_them)
        else:
            number = promise.id or 0

            async def keep(turn: Turn, request: ServiceRequest) -> None:
                await operations.keep_promise(turn, request, number)

            await life.do(person.actor, keep)

    async def write(self, life: Life) -> None:
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
        await life.do(person.actor, write_to_them)

    def _tomorrow(self, department_id: int, deed: Callable[[], Awaitable[None]]) -> None:
        """Nobody is there who could: the work lies until the next working day."""
        calendar = self.office.calendar(department_id)
        self.world.at(calendar.next_open(self.world.now + timedelta(hours=20)), deed)


async def write_to_them(turn: Turn, request: ServiceRequest) -> None:
    """An answer to what they wrote."""
    await operations.write_to_customer(
        turn, request, "Thank you for writing. Yes, that is possible."
    )


async def call_them(turn: Turn, request: ServiceRequest) -> None:
    """Somebody spoke with them by phone."""
    await operations.log_contact(
        turn, request, channel=ContactChannel.CALL, reason=ContactReason.QUESTION,
        note="Called them back.",
    )  # fmt: skip
