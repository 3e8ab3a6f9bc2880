"""What staff do about a request by themselves: in time, late, or never, as the dice fall."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from portal import relay
from portal.models import (
    Actor,
    ActorKind,
    ContactChannel,
    ContactReason,
    Handoff,
    Promise,
    PromiseKind,
    ServiceRequest,
    StageRun,
)
from portal.relay import Turn
from workers.simulation.faults import Fault
from workers.simulation.life import Life, Work
from workers.simulation.office import Office, Person, part_of

THE_COURIERS = Actor(ActorKind.API, "Couriers")
MOST_RETURNS = 3
"""So often work goes back in one life; somebody then settles it."""


class Labour:
    """Plans, after each change of a request, what its people will do next."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.world = office.world

    def plan(self, life: Life) -> None:
        """Whatever lies before somebody and is not on anybody's mind yet."""
        request = life.it
        for run in request.open_runs:
            handoff = request.waiting_handoff(run)
            if handoff is not None:
                self._plan_acceptance(life, run, handoff)
            elif run.reached_at is not None and not self._asks(life, run):
                self._plan_work(life, run)
                self._plan_word_from_third_party(life, run)
        for promise in request.promises:
            if promise.closed_at is None:
                self._plan_promise(life, promise)
        if request.unanswered_since is not None:
            self._plan_answer(life, request.unanswered_since)

    def _asks(self, life: Life, run: StageRun) -> bool:
        """A stage that waits for the customer's answer is theirs."""
        asks = life.kind.stage(run.stage_key).question is not None
        return asks and any(
            question.run is run and question.is_pending for question in life.it.follow_ups
        )

    def _plan_acceptance(self, life: Life, run: StageRun, handoff: Handoff) -> None:
        if handoff.accept_by is None:
            return
        key = f"accept:{run.stage_key}:{run.passage}"
        names = (life.number, key)
        at = self._when(names, handoff.to_department_id, handoff.sent_at, handoff.accept_by)
        if at is None:
            if key not in life.planned:
                self.world.count("handoffs left lying")
            life.planned.add(key)
            return
        refuses = self._may_return(life) and self.world.dice.hit(Fault.RETURNS, 0.05, *names)
        taking = self.refuse if refuses else self.accept
        life.plan(key, at, lambda: taking(life, run.stage_key))

    def _plan_work(self, life: Life, run: StageRun) -> None:
        stage = life.kind.stage(run.stage_key)
        key = f"work:{run.stage_key}:{run.passage}"
        names = (life.number, key)
        if key in life.planned:
            return
        life.planned.add(key)
        calendar = self.office.calendar(run.department_id)
        begun = run.reached_at or run.opened_at
        whole = calendar.add(begun, stage.expected)
        again = 0.3 if run.passage > 1 else 1.0
        if stage.pauses_clock:
            share = self.world.dice.of("share", *names).uniform(0.05, 0.3)
            at: datetime | None = part_of(calendar, begun, whole, share)
        else:
            at = self._when(names, run.department_id, begun, whole, part=again)
        if at is None:
            self.world.count("stages left lying")
            return
        if self.world.dice.of("hold", *names).random() < 0.03 and not stage.pauses_clock:
            self._plan_hold(life, run, at)
        if self.world.dice.of("promise", *names).random() < 0.1:
            self._plan_new_promise(life, run, at)
        self.world.at(at, lambda: self.finish(life, run.stage_key, run.passage))

    def _plan_word_from_third_party(self, life: Life, run: StageRun) -> None:
        """Couriers say where it is now and then; some fall silent."""
        if run.silent_at is None or run.silent_at <= self.world.now:
            return
        heard = f"{run.heard_at:%d%H%M%S}" if run.heard_at else "never"
        key = f"third party:{run.stage_key}:{run.passage}:{heard}"
        if key in life.planned:
            return
        names = (life.number, key)
        if self.world.dice.hit(Fault.COURIERS, 0.08, *names):
            self.world.count("third parties that fell silent")
            life.planned.add(key)
            return
        share = self.world.dice.of("word", *names).uniform(0.4, 0.9)
        at = self.world.now + (run.silent_at - self.world.now) * share
        life.plan(key, at, lambda: self.hear_third_party(life, run.stage_key, run.passage))

    async def hear_third_party(self, life: Life, stage: str, passage: int) -> None:
        """Another system passes on what the courier says."""
        if life.open_run(stage, passage) is not None:
            await life.do(
                THE_COURIERS,
                lambda turn, it: relay.hear_from_third_party(
                    turn, it, stage=stage, words="Scanned at the depot"
                ),
            )

    def _plan_promise(self, life: Life, promise: Promise) -> None:
        key = f"promise:{promise.kind}:{promise.made_at:%d%H%M%S}"
        if key in life.planned:
            return
        life.planned.add(key)
        names = (life.number, key)
        at = self._when(names, promise.department_id, promise.made_at, promise.due_at)
        if at is None:
            self.world.count("promises and questions forgotten")
            return
        self.world.at(at, lambda: self.keep(life, promise.id or 0))

    def _plan_answer(self, life: Life, since: datetime) -> None:
        """Words that no promise covers are answered all the same, mostly."""
        key = f"answer:{since:%d%H%M%S}"
        request = life.it
        by = self.office.departments[request.department_id].reply_by(since)
        names = (life.number, key)
        at = self._when(names, request.department_id, since, by)
        if at is not None:
            life.plan(key, at, lambda: self.write(life))

    def _when(
        self,
        names: tuple[object, ...],
        department_id: int,
        begin: datetime,
        end: datetime,
        *,
        part: float = 1.0,
    ) -> datetime | None:
        """When somebody gets to it: in time mostly, late now and then; None for never."""
        dice, calendar = self.world.dice, self.office.calendar(department_id)
        chance = dice.of("when", *names)
        if dice.hit(Fault.FORGETFUL, 0.04, *names):
            return None
        if dice.hit(Fault.SLOW, 0.1, *names):
            share = chance.uniform(1.1, 2.2)
            self.world.count("things done late")
        else:
            share = chance.triangular(0.1, 0.92, 0.5) * part
        return max(part_of(calendar, begin, end, share), self.world.now)

    def _plan_hold(self, life: Life, run: StageRun, done_at: datetime) -> None:
        at = run.opened_at + (done_at - run.opened_at) * 0.5
        at = self.office.calendar(run.department_id).next_open(max(at, self.world.now))
        until = at + timedelta(days=2, hours=3)

        async def hold() -> None:
            await self._by_whoever_has_it(
                life, run,
                lambda turn, request: relay.hold(
                    turn, request, reason="We wait for a part", until=until, stage=run.stage_key
                ),
            )  # fmt: skip

        self.world.at(at, hold)

    def _plan_new_promise(self, life: Life, run: StageRun, done_at: datetime) -> None:
        calendar = self.office.calendar(run.department_id)
        at = calendar.next_open(run.opened_at + (done_at - run.opened_at) * 0.3)

        async def promise() -> None:
            async def make(turn: Turn, request: ServiceRequest) -> None:
                due_at = calendar.add_open_time(turn.now, timedelta(hours=5))
                await relay.make_promise(
                    turn, request, text="We check the address with you", due_at=due_at
                )

            await self._by_whoever_has_it(life, run, make)

        self.world.at(at, promise)

    async def _by_whoever_has_it(self, life: Life, run: StageRun, work: Work) -> None:
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
        await life.do(person.actor, lambda turn, it: relay.accept(turn, it, stage=stage))

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
            lambda turn, it: relay.refuse(turn, it, stage=stage, reason="A signature is missing"),
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
                lambda turn, it: relay.send_back(
                    turn, it, stage=where, reason="The form is incomplete"
                ),
            )
            return
        await life.do(person.actor, lambda turn, it: relay.advance(turn, it, stage=stage))

    def _sent_back_to(self, life: Life, run: StageRun) -> StageRun | None:
        """The stage before it, where another department did that."""
        if not self._may_return(life) or len(life.it.open_runs) > 1:
            return None
        before = [
            one
            for one in life.it.runs
            if one.stage_key in life.kind.stage(run.stage_key).after
            and one.state.value == "completed"
            and one.department_id != run.department_id
        ]
        return before[-1] if before else None

    def _may_return(self, life: Life) -> bool:
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
                await relay.keep_promise(turn, request, number)

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
    await relay.write_to_customer(turn, request, "Thank you for writing. Yes, that is possible.")


async def call_them(turn: Turn, request: ServiceRequest) -> None:
    """Somebody spoke with them by phone."""
    await relay.log_contact(
        turn, request, channel=ContactChannel.CALL, reason=ContactReason.QUESTION,
        note="Called them back.",
    )  # fmt: skip
