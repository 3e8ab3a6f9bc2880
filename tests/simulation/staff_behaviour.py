"""When staff work on a request without being reminded: in time, late or never, by the seed."""

from datetime import datetime, timedelta

from portal import operations
from portal.models import Handoff, Promise, ServiceRequest, StageRun
from portal.operations import UnitOfWork
from tests.simulation.case import Case
from tests.simulation.faults import Fault
from tests.simulation.organisation import part_of_open_time
from tests.simulation.staff_actions import StaffActions


class StaffBehaviour(StaffActions):
    """Plans the next actions of staff after each change of a request."""

    def plan(self, case: Case) -> None:
        """Plan what is open in this request and not planned yet."""
        request = case.current
        for run in request.open_runs:
            handoff = request.pending_handoff(run)
            if handoff is not None:
                self._plan_acceptance(case, run, handoff)
            elif run.reached_at is not None and not self._asks(case, run):
                self._plan_work(case, run)
                self._plan_third_party_update(case, run)
        for promise in request.promises:
            if promise.closed_at is None:
                self._plan_promise(case, promise)
        if request.unanswered_since is not None:
            self._plan_answer(case, request.unanswered_since)

    def _asks(self, case: Case, run: StageRun) -> bool:
        """Whether the stage waits for the customer's answer."""
        asks = case.kind.stage(run.stage_key).question is not None
        return asks and any(
            question.run is run and question.is_pending for question in case.current.follow_ups
        )

    def _plan_acceptance(self, case: Case, run: StageRun, handoff: Handoff) -> None:
        if handoff.accept_by is None:
            return
        key = f"accept:{run.stage_key}:{run.passage}"
        names = (case.number, key)
        at = self._when(names, handoff.to_department_id, handoff.sent_at, handoff.accept_by)
        if at is None:
            if key not in case.planned:
                self.simulation.count("handoffs not accepted")
            case.planned.add(key)
            return
        refuses = self.can_send_back(case) and self.simulation.dice.hit(Fault.RETURNS, 0.05, *names)
        taking = self.refuse if refuses else self.accept
        case.plan(key, at, lambda: taking(case, run.stage_key))

    def _plan_work(self, case: Case, run: StageRun) -> None:
        stage = case.kind.stage(run.stage_key)
        key = f"work:{run.stage_key}:{run.passage}"
        names = (case.number, key)
        if key in case.planned:
            return
        case.planned.add(key)
        calendar = self.organisation.calendar(run.department_id)
        begun = run.reached_at or run.opened_at
        whole = calendar.add(begun, stage.expected)
        again = 0.3 if run.passage > 1 else 1.0
        if stage.pauses_clock:
            share = self.simulation.dice.of("share", *names).uniform(0.05, 0.3)
            at: datetime | None = part_of_open_time(calendar, begun, whole, share)
        else:
            at = self._when(names, run.department_id, begun, whole, part=again)
        if at is None:
            self.simulation.count("stages not worked on")
            return
        if self.simulation.dice.of("hold", *names).random() < 0.03 and not stage.pauses_clock:
            self._plan_hold(case, run, at)
        if self.simulation.dice.of("promise", *names).random() < 0.1:
            self._plan_new_promise(case, run, at)
        self.simulation.at(at, lambda: self.complete_stage(case, run.stage_key, run.passage))

    def _plan_third_party_update(self, case: Case, run: StageRun) -> None:
        """Couriers report now and then; some fall silent."""
        if run.silence_overdue_at is None or run.silence_overdue_at <= self.simulation.now:
            return
        heard = f"{run.third_party_updated_at:%d%H%M%S}" if run.third_party_updated_at else "never"
        key = f"third party:{run.stage_key}:{run.passage}:{heard}"
        if key in case.planned:
            return
        names = (case.number, key)
        if self.simulation.dice.hit(Fault.COURIERS, 0.08, *names):
            self.simulation.count("third parties that fell silent")
            case.planned.add(key)
            return
        share = self.simulation.dice.of("word", *names).uniform(0.4, 0.9)
        at = self.simulation.now + (run.silence_overdue_at - self.simulation.now) * share
        case.plan(key, at, lambda: self.record_third_party(case, run.stage_key, run.passage))

    def _plan_promise(self, case: Case, promise: Promise) -> None:
        key = f"promise:{promise.kind}:{promise.made_at:%d%H%M%S}"
        if key in case.planned:
            return
        case.planned.add(key)
        names = (case.number, key)
        at = self._when(names, promise.department_id, promise.made_at, promise.due_at)
        if at is None:
            self.simulation.count("promises and questions forgotten")
            return
        self.simulation.at(at, lambda: self.keep_promise(case, promise.id or 0))

    def _plan_answer(self, case: Case, since: datetime) -> None:
        """Messages that no promise covers are mostly answered too."""
        key = f"answer:{since:%d%H%M%S}"
        request = case.current
        by = self.organisation.departments[request.department_id].reply_due_at(since)
        names = (case.number, key)
        at = self._when(names, request.department_id, since, by)
        if at is not None:
            case.plan(key, at, lambda: self.write(case))

    def _when(
        self,
        names: tuple[object, ...],
        department_id: int,
        begin: datetime,
        end: datetime,
        *,
        part: float = 1.0,
    ) -> datetime | None:
        """When staff get to it: mostly in time, sometimes late; None for never."""
        dice, calendar = self.simulation.dice, self.organisation.calendar(department_id)
        chance = dice.of("when", *names)
        if dice.hit(Fault.FORGETFUL, 0.04, *names):
            return None
        if dice.hit(Fault.SLOW, 0.1, *names):
            share = chance.uniform(1.1, 2.2)
            self.simulation.count("things done late")
        else:
            share = chance.triangular(0.1, 0.92, 0.5) * part
        return max(part_of_open_time(calendar, begin, end, share), self.simulation.now)

    def _plan_hold(self, case: Case, run: StageRun, done_at: datetime) -> None:
        at = run.opened_at + (done_at - run.opened_at) * 0.5
        at = self.organisation.calendar(run.department_id).next_open(max(at, self.simulation.now))
        until = at + timedelta(days=2, hours=3)

        async def hold() -> None:
            await self.act_as_assignee(
                case, run,
                lambda uow, request: operations.hold(
                    uow, request, reason="We wait for a part", until=until, stage=run.stage_key
                ),
            )  # fmt: skip

        self.simulation.at(at, hold)

    def _plan_new_promise(self, case: Case, run: StageRun, done_at: datetime) -> None:
        calendar = self.organisation.calendar(run.department_id)
        at = calendar.next_open(run.opened_at + (done_at - run.opened_at) * 0.3)

        async def promise() -> None:
            async def make(uow: UnitOfWork, request: ServiceRequest) -> None:
                due_at = calendar.add_open_time(uow.now, timedelta(hours=5))
                await operations.make_promise(
                    uow, request, text="We check the address with you", due_at=due_at
                )

            await self.act_as_assignee(case, run, make)

        self.simulation.at(at, promise)
