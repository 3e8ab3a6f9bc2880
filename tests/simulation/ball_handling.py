"""How staff react to dropped balls: mostly they resolve them, some time later.

Some do nothing until it escalates. In the end a manager resolves what is left.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlmodel import col, select

from portal import operations
from portal.models import DroppedBall, DroppedBallKind, EscalationLevel, ServiceRequest
from portal.operations import UnitOfWork
from tests.simulation.case import Case
from tests.simulation.organisation import SimulatedStaff, earliest_open
from tests.simulation.staff_actions import (
    StaffActions,
    advance_with_fields,
    answer_in_writing,
    log_call_back,
)

RESPONSE_RATES = {
    EscalationLevel.OWNER: 0.7,
    EscalationLevel.LEAD: 0.85,
    EscalationLevel.MANAGER: 1.0,
}
"""The share of people who react, by level."""
MANAGER_AFTER = timedelta(days=2)
"""A manager resolves what has been open for so long."""


class BallHandling:
    """Lets the assignee of each new dropped ball react."""

    def __init__(self, staff: StaffActions, cases: dict[int, Case]) -> None:
        self.staff, self.cases = staff, cases
        self.organisation, self.simulation = staff.organisation, staff.simulation
        self._seen: set[tuple[int, EscalationLevel]] = set()

    async def check(self) -> None:
        """Plan a reaction to each new ball and each escalation."""
        query = select(DroppedBall).where(col(DroppedBall.resolved_at).is_(None))
        async with self.simulation.database.reading() as session:
            balls = (await session.exec(query.order_by(col(DroppedBall.id)))).all()
        for ball in balls:
            key = (ball.id or 0, ball.level)
            if key not in self._seen:
                self._seen.add(key)
                self._plan_response(ball)

    def _plan_response(self, ball: DroppedBall) -> None:
        simulation, chance = (
            self.simulation,
            self.simulation.dice.of("heeds", ball.kind, ball.subject, ball.level),
        )
        left_over = simulation.now + MANAGER_AFTER
        simulation.at(left_over, lambda: self._resolve_as_manager(ball, 0))
        person_id = ball.escalated_to_id or ball.owner_id
        if person_id is None or chance.random() > RESPONSE_RATES[ball.level]:
            return
        person = self.organisation.person(person_id)
        calendars = [self.organisation.calendar(department) for department in person.departments]
        if calendars:
            at = earliest_open(
                calendars, simulation.now + timedelta(minutes=chance.randint(4, 150))
            )
        else:
            at = simulation.now + timedelta(minutes=chance.randint(10, 200))
        simulation.at(at, lambda: self._respond(ball, person))

    async def _respond(self, ball: DroppedBall, person: SimulatedStaff) -> None:
        if person.is_present(self.simulation.now) and await self._is_open(ball):
            await self.resolve(ball, person)

    async def _resolve_as_manager(self, ball: DroppedBall, times: int) -> None:
        """Let a manager resolve it; again each day while it is open."""
        if not await self._is_open(ball):
            return
        person = self.organisation.choose_available(0, "manager", ball.subject, times)
        if person is not None:
            await self.resolve(ball, person)
        if times < 40:
            tomorrow = self.simulation.now + timedelta(days=1)
            self.simulation.at(tomorrow, lambda: self._resolve_as_manager(ball, times + 1))

    async def _is_open(self, ball: DroppedBall) -> bool:
        async with self.simulation.database.reading() as session:
            known = await session.get_one(DroppedBall, ball.id or 0)
        return known.resolved_at is None

    async def resolve(self, ball: DroppedBall, person: SimulatedStaff) -> None:
        """Do what resolves a ball of this kind."""
        case = self.cases.get(ball.request_id or 0)
        number = int(ball.subject.split(":")[1]) if ball.subject[-1:].isdigit() else 0
        if case is None:
            return
        actions: dict[DroppedBallKind, Callable[[], Awaitable[None]]] = {
            DroppedBallKind.HANDOFF_UNACCEPTED: lambda: self._accept_handoff(case, number, person),
            DroppedBallKind.STAGE_OVERDUE: lambda: self._finish_stage(case, number, person),
            DroppedBallKind.THIRD_PARTY_SILENT: lambda: self._ask_third_party(case, number, person),
            DroppedBallKind.PROMISE_DUE: lambda: self._keep_promise(case, number, person),
            DroppedBallKind.MESSAGE_UNANSWERED: lambda: self._answer(case, person),
            DroppedBallKind.FOLLOW_UP_UNANSWERED: lambda: self._ask_by_phone(case, person),
            DroppedBallKind.MESSAGE_UNDELIVERED: lambda: self._tell_by_phone(case, number, person),
            DroppedBallKind.OUTCOME_UNKNOWN: lambda: self._tell_by_phone(case, number, person),
            DroppedBallKind.SENT_TWICE: lambda: self._tell_by_phone(case, number, person),
            DroppedBallKind.RETURNED_REPEATEDLY: lambda: self._settle_returns(case, person),
            DroppedBallKind.AGEING: lambda: self._finish_oldest_stage(case, person),
            DroppedBallKind.OWNER_ABSENT: lambda: self._reassign(case, person),
            DroppedBallKind.NO_OWNER: lambda: self._reassign(case, person),
            DroppedBallKind.CUSTOMER_UNREACHABLE: lambda: self._find_another_way(ball, person),
        }
        if ball.kind in actions:
            await actions[ball.kind]()

    async def _accept_handoff(self, case: Case, handoff_id: int, person: SimulatedStaff) -> None:
        handoff = next(
            (handoff for handoff in case.current.handoffs if handoff.id == handoff_id), None
        )
        if handoff is None or not handoff.is_pending:
            return
        department_id = handoff.to_department_id
        taker: SimulatedStaff | None = person
        if department_id not in person.departments and not self._is_manager(person):
            taker = self.organisation.choose_available(
                department_id, "taker", case.number, handoff_id
            )
        stage = handoff.run.stage_key
        if taker is not None:
            await case.do(
                taker.actor, lambda uow, request: operations.accept(uow, request, stage=stage)
            )

    async def _finish_stage(self, case: Case, run_id: int, person: SimulatedStaff) -> None:
        """Finish the stage at once, or some working hours later."""
        run = next((run for run in case.current.open_runs if run.id == run_id), None)
        if run is None:
            return
        if handoff := case.current.pending_handoff(run):
            await self._accept_handoff(case, handoff.id or 0, person)
            return
        stage, passage = run.stage_key, run.passage
        hours = self.simulation.dice.of("hurry", case.number, stage, passage).choice((0, 0, 2, 5))
        calendar = self.organisation.calendar(run.department_id)
        at = calendar.add_open_time(self.simulation.now, timedelta(hours=hours))

        async def finish() -> None:
            now_there = case.open_run(stage, passage)
            waits = now_there is not None and case.current.pending_handoff(now_there) is not None
            if now_there is None or waits or now_there.held_at is not None:
                return
            responsible = self.organisation.choose_available(
                now_there.department_id, "hurry", case.number, stage
            )
            if responsible is not None:
                await case.do(
                    responsible.actor,
                    lambda uow, request: advance_with_fields(uow, request, stage),
                )

        self.simulation.at(at, finish)

    async def _ask_third_party(self, case: Case, run_id: int, person: SimulatedStaff) -> None:
        run = next((run for run in case.current.open_runs if run.id == run_id), None)
        if run is None:
            return
        stage = run.stage_key
        await case.do(
            person.actor,
            lambda uow, request: operations.record_third_party_update(
                uow, request, stage=stage, words="It is on its way again"
            ),
        )

    async def _keep_promise(self, case: Case, promise_id: int, person: SimulatedStaff) -> None:
        promise = next(
            (promise for promise in case.current.promises if promise.id == promise_id), None
        )
        if promise is not None and promise.closed_at is None:
            await self.staff.keep_promise_as(case, promise, person)

    async def _answer(self, case: Case, person: SimulatedStaff) -> None:
        await case.do(person.actor, answer_in_writing)

    async def _ask_by_phone(self, case: Case, person: SimulatedStaff) -> None:
        """Call the customer, who answers the question by phone."""
        question = case.current.open_question
        await case.do(person.actor, log_call_back)
        if question is None or self.simulation.dice.of("phone", case.number).random() < 0.15:
            return  # Nobody picked up.

        async def conclude(uow: UnitOfWork, request: ServiceRequest) -> None:
            if case.is_delivered and not request.open_runs:
                await operations.advance(uow, request, note="The customer has it, by phone.")
            elif question.during_stage and case.open_run(question.run.stage_key):
                await advance_with_fields(uow, request, question.run.stage_key)
            elif not request.open_runs:
                case.is_delivered = True
                last = [run for run in request.runs if run.state.value == "completed"][-1]
                await operations.send_back(
                    uow, request, stage=last.stage_key, reason="It has not arrived"
                )

        await case.do(person.actor, conclude)

    async def _tell_by_phone(self, case: Case, message_id: int, person: SimulatedStaff) -> None:
        """Tell the customer by phone."""
        async with self.simulation.operations.begin(person.actor) as uow:
            lost = await operations.lock_failed_message(uow, message_id)
            await operations.mark_told_by_phone(uow, lost, note="Told by phone.")
        case.last_update_at = self.simulation.now

    async def _find_another_way(self, ball: DroppedBall, person: SimulatedStaff) -> None:
        """Nothing else is known of the customer, who reads the page."""
        async with self.simulation.operations.begin(person.actor) as uow:
            await operations.dismiss_dropped_ball(uow, ball.id or 0, "They read the page.")

    async def _settle_returns(self, case: Case, person: SimulatedStaff) -> None:
        """Decide which department has it: from now on it is not sent back."""
        case.returns_resolved = True
        await case.do(person.actor, log_call_back)

    async def _finish_oldest_stage(self, case: Case, person: SimulatedStaff) -> None:
        for run in case.current.open_runs:
            if not run.is_paused:
                await self._finish_stage(case, run.id or 0, person)
                return

    async def _reassign(self, case: Case, person: SimulatedStaff) -> None:
        heir = self.organisation.choose_available(case.current.department_id, "heir", case.number)
        for run in case.current.open_runs:
            if heir is not None and not self.organisation.person(run.assignee_id).is_present(
                self.simulation.now
            ):
                stage = run.stage_key
                await case.do(
                    person.actor,
                    lambda uow, request, stage=stage: operations.assign(  # type: ignore[misc]
                        uow, request, owner=heir.email, stage=stage
                    ),
                )
        if heir is not None and not case.current.open_runs:
            await case.do(
                person.actor,
                lambda uow, request: operations.assign(uow, request, owner=heir.email),
            )

    def _is_manager(self, person: SimulatedStaff) -> bool:
        return not person.departments
