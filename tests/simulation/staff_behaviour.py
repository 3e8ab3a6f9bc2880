"""What staff will do about a request by themselves: in time, late, or never, as the dice fall."""

from datetime import datetime, timedelta

from portal import operations
from portal.models import Handoff, Promise, ServiceRequest, StageRun
from portal.operations import UnitOfWork
from tests.simulation.faults import Fault
from tests.simulation.organisation import at_share_of_open_time
from tests.simulation.simulated_request import SimulatedRequest
from tests.simulation.staff_actions import StaffActions


class StaffBehaviour(StaffActions):
    """Plans, after each change of a request, what its people will do next."""

    def plan(self, life: SimulatedRequest) -> None:
        """Whatever lies before somebody and is not on anybody's mind yet."""
        request = life.it
        for run in request.open_runs:
            handoff = request.pending_handoff(run)
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

    def _asks(self, life: SimulatedRequest, run: StageRun) -> bool:
        """A stage that waits for the customer's answer is theirs."""
        asks = life.kind.stage(run.stage_key).question is not None
        return asks and any(
            question.run is run and question.is_pending for question in life.it.follow_ups
        )

    def _plan_acceptance(self, life: SimulatedRequest, run: StageRun, handoff: Handoff) -> None:
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
        refuses = self.can_send_back(life) and self.world.dice.hit(Fault.RETURNS, 0.05, *names)
        taking = self.refuse if refuses else self.accept
        life.plan(key, at, lambda: taking(life, run.stage_key))

    def _plan_work(self, life: SimulatedRequest, run: StageRun) -> None:
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
            at: datetime | None = at_share_of_open_time(calendar, begun, whole, share)
        else:
            at = self._when(names, run.department_id, begun, whole, part=again)
        if at is None:
            self.world.count("stages left lying")
            return
        if self.world.dice.of("hold", *names).random() < 0.03 and not stage.pauses_clock:
            self._plan_hold(life, run, at)
        if self.world.dice.of("promise", *names).random() < 0.1:
            self._plan_new_promise(life, run, at)
        self.world.at(at, lambda: self.complete_stage(life, run.stage_key, run.passage))

    def _plan_word_from_third_party(self, life: SimulatedRequest, run: StageRun) -> None:
        """Couriers say where it is now and then; some fall silent."""
        if run.silence_overdue_at is None or run.silence_overdue_at <= self.world.now:
            return
        heard = f"{run.third_party_updated_at:%d%H%M%S}" if run.third_party_updated_at else "never"
        key = f"third party:{run.stage_key}:{run.passage}:{heard}"
        if key in life.planned:
            return
        names = (life.number, key)
        if self.world.dice.hit(Fault.COURIERS, 0.08, *names):
            self.world.count("third parties that fell silent")
            life.planned.add(key)
            return
        share = self.world.dice.of("word", *names).uniform(0.4, 0.9)
        at = self.world.now + (run.silence_overdue_at - self.world.now) * share
        life.plan(key, at, lambda: self.record_third_party_update(life, run.stage_key, run.passage))

    def _plan_promise(self, life: SimulatedRequest, promise: Promise) -> None:
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

    def _plan_answer(self, life: SimulatedRequest, since: datetime) -> None:
        """Words that no promise covers are answered all the same, mostly."""
        key = f"answer:{since:%d%H%M%S}"
        request = life.it
        by = self.office.departments[request.department_id].reply_due_at(since)
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
        return max(at_share_of_open_time(calendar, begin, end, share), self.world.now)

    def _plan_hold(self, life: SimulatedRequest, run: StageRun, done_at: datetime) -> None:
        at = run.opened_at + (done_at - run.opened_at) * 0.5
        at = self.office.calendar(run.department_id).next_open(max(at, self.world.now))
        until = at + timedelta(days=2, hours=3)

        async def hold() -> None:
            await self.run_as_assignee(
                life, run,
                lambda uow, request: operations.hold(
                    uow, request, reason="We wait for a part", until=until, stage=run.stage_key
                ),
            )  # fmt: skip

        self.world.at(at, hold)

    def _plan_new_promise(self, life: SimulatedRequest, run: StageRun, done_at: datetime) -> None:
        calendar = self.office.calendar(run.department_id)
        at = calendar.next_open(run.opened_at + (done_at - run.opened_at) * 0.3)

        async def promise() -> None:
            async def make(uow: UnitOfWork, request: ServiceRequest) -> None:
                due_at = calendar.add_open_time(uow.now, timedelta(hours=5))
                await operations.make_promise(
                    uow, request, text="We check the address with you", due_at=due_at
                )

            await self.run_as_assignee(life, run, make)

        self.world.at(at, promise)
