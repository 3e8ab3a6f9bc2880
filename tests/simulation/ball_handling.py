"""What people do when a dropped ball is put before them: mostly the right thing, some time later.

Some do nothing until it goes higher. In the end a manager goes through all that is left.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlmodel import col, select

from portal import operations
from portal.models import (
    DroppedBall,
    DroppedBallKind,
    EscalationLevel,
    ServiceRequest,
)
from portal.operations import UnitOfWork
from tests.simulation.organisation import SimulatedStaff, earliest_open
from tests.simulation.simulated_request import SimulatedRequest
from tests.simulation.staff_actions import StaffActions, log_call, reply_to_customer

REACTION_PROBABILITY = {
    EscalationLevel.OWNER: 0.7,
    EscalationLevel.LEAD: 0.85,
    EscalationLevel.MANAGER: 1.0,
}
"""How many do something about it at each level."""
MANAGER_CLEANUP_AFTER = timedelta(days=2)
"""A manager sees to what has lain before somebody for so long."""


class BallHandling:
    """Brings each ball before its person, and lets them react."""

    def __init__(self, deeds: StaffActions, lives: dict[int, SimulatedRequest]) -> None:
        self.deeds, self.lives = deeds, lives
        self.office, self.world = deeds.office, deeds.world
        self._seen: set[tuple[int, EscalationLevel]] = set()

    async def look(self) -> None:
        """Whoever has something new before them will see it."""
        query = select(DroppedBall).where(col(DroppedBall.resolved_at).is_(None))
        async with self.world.database.reading() as session:
            balls = (await session.exec(query.order_by(col(DroppedBall.id)))).all()
        for ball in balls:
            key = (ball.id or 0, ball.level)
            if key not in self._seen:
                self._seen.add(key)
                self._bring(ball)

    def _bring(self, ball: DroppedBall) -> None:
        world, chance = self.world, self.world.dice.of("heeds", ball.kind, ball.subject, ball.level)
        left_over = world.now + MANAGER_CLEANUP_AFTER
        world.at(left_over, lambda: self._see_to_it(ball, 0))
        person_id = ball.escalated_to_id or ball.owner_id
        if person_id is None or chance.random() > REACTION_PROBABILITY[ball.level]:
            return
        person = self.office.person(person_id)
        calendars = [self.office.calendar(one) for one in person.departments]
        if calendars:
            at = earliest_open(calendars, world.now + timedelta(minutes=chance.randint(4, 150)))
        else:
            at = world.now + timedelta(minutes=chance.randint(10, 200))
        world.at(at, lambda: self._react(ball, person))

    async def _react(self, ball: DroppedBall, person: SimulatedStaff) -> None:
        if person.is_available(self.world.now) and await self._stands(ball):
            await self.mend(ball, person)

    async def _see_to_it(self, ball: DroppedBall, times: int) -> None:
        """Whoever oversees; again each day while it stands."""
        if not await self._stands(ball):
            return
        person = self.office.pick_available(0, "manager", ball.subject, times)
        if person is not None:
            await self.mend(ball, person)
        if times < 40:
            tomorrow = self.world.now + timedelta(days=1)
            self.world.at(tomorrow, lambda: self._see_to_it(ball, times + 1))

    async def _stands(self, ball: DroppedBall) -> bool:
        async with self.world.database.reading() as session:
            known = await session.get_one(DroppedBall, ball.id or 0)
        return known.resolved_at is None

    async def mend(self, ball: DroppedBall, person: SimulatedStaff) -> None:
        """Do what puts it right, by its kind."""
        life = self.lives.get(ball.request_id or 0)
        number = int(ball.subject.split(":")[1]) if ball.subject[-1:].isdigit() else 0
        if life is None:
            return
        ways: dict[DroppedBallKind, Callable[[], Awaitable[None]]] = {
            DroppedBallKind.HANDOFF_UNACCEPTED: lambda: self._take_up(life, number, person),
            DroppedBallKind.STAGE_OVERDUE: lambda: self._hurry(life, number, person),
            DroppedBallKind.THIRD_PARTY_SILENT: lambda: self._ask_third_party(life, number, person),
            DroppedBallKind.PROMISE_DUE: lambda: self._keep(life, number, person),
            DroppedBallKind.MESSAGE_UNANSWERED: lambda: self._answer(life, person),
            DroppedBallKind.FOLLOW_UP_UNANSWERED: lambda: self._ask_by_phone(life, person),
            DroppedBallKind.MESSAGE_UNDELIVERED: lambda: self._tell(life, number, person),
            DroppedBallKind.OUTCOME_UNKNOWN: lambda: self._tell(life, number, person),
            DroppedBallKind.SENT_TWICE: lambda: self._tell(life, number, person),
            DroppedBallKind.RETURNED_REPEATEDLY: lambda: self._settle(life, person),
            DroppedBallKind.AGEING: lambda: self._push_on(life, person),
            DroppedBallKind.OWNER_ABSENT: lambda: self._give_to_somebody(life, person),
            DroppedBallKind.NO_OWNER: lambda: self._give_to_somebody(life, person),
        }
        if ball.kind in ways:
            await ways[ball.kind]()

    async def _take_up(
        self, life: SimulatedRequest, handoff_id: int, person: SimulatedStaff
    ) -> None:
        handoff = next((one for one in life.it.handoffs if one.id == handoff_id), None)
        if handoff is None or not handoff.is_pending:
            return
        department_id = handoff.to_department_id
        taker: SimulatedStaff | None = person
        if department_id not in person.departments and not self._oversees(person):
            taker = self.office.pick_available(department_id, "taker", life.number, handoff_id)
        stage = handoff.run.stage_key
        if taker is not None:
            await life.do(taker.actor, lambda uow, it: operations.accept(uow, it, stage=stage))

    async def _hurry(self, life: SimulatedRequest, run_id: int, person: SimulatedStaff) -> None:
        """Some finish it at once; others get to work on it, and it takes some hours more."""
        run = next((one for one in life.it.open_runs if one.id == run_id), None)
        if run is None:
            return
        if handoff := life.it.pending_handoff(run):
            await self._take_up(life, handoff.id or 0, person)
            return
        stage, passage = run.stage_key, run.passage
        hours = self.world.dice.of("hurry", life.number, stage, passage).choice((0, 0, 2, 5))
        calendar = self.office.calendar(run.department_id)
        at = calendar.add_open_time(self.world.now, timedelta(hours=hours))

        async def finish() -> None:
            now_there = life.open_run(stage, passage)
            waits = now_there is not None and life.it.pending_handoff(now_there) is not None
            if now_there is None or waits or now_there.held_at is not None:
                return
            hand = self.office.pick_available(now_there.department_id, "hurry", life.number, stage)
            if hand is not None:
                await life.do(hand.actor, lambda uow, it: operations.advance(uow, it, stage=stage))

        self.world.at(at, finish)

    async def _ask_third_party(
        self, life: SimulatedRequest, run_id: int, person: SimulatedStaff
    ) -> None:
        run = next((one for one in life.it.open_runs if one.id == run_id), None)
        if run is None:
            return
        stage = run.stage_key
        await life.do(
            person.actor,
            lambda uow, it: operations.record_third_party_update(
                uow, it, stage=stage, words="It is on its way again"
            ),
        )

    async def _keep(self, life: SimulatedRequest, promise_id: int, person: SimulatedStaff) -> None:
        promise = next((one for one in life.it.promises if one.id == promise_id), None)
        if promise is not None and promise.closed_at is None:
            await self.deeds.fulfil_as(life, promise, person)

    async def _answer(self, life: SimulatedRequest, person: SimulatedStaff) -> None:
        await life.do(person.actor, reply_to_customer)

    async def _ask_by_phone(self, life: SimulatedRequest, person: SimulatedStaff) -> None:
        """They are called, and say themselves how it is."""
        question = life.it.open_question
        await life.do(person.actor, log_call)
        if question is None or self.world.dice.of("phone", life.number).random() < 0.15:
            return  # Nobody picked up.

        async def conclude(uow: UnitOfWork, request: ServiceRequest) -> None:
            if life.is_delivered and not request.open_runs:
                await operations.advance(
                    uow, request, note="They told us by phone that it is there."
                )
            elif question.during_stage and life.open_run(question.run.stage_key):
                await operations.advance(uow, request, stage=question.run.stage_key)
            elif not request.open_runs:
                life.is_delivered = True
                last = [run for run in request.runs if run.state.value == "completed"][-1]
                await operations.send_back(
                    uow, request, stage=last.stage_key, reason="It has not arrived"
                )

        await life.do(person.actor, conclude)

    async def _tell(self, life: SimulatedRequest, message_id: int, person: SimulatedStaff) -> None:
        """They are told by phone."""
        async with self.world.operations.begin(person.actor) as uow:
            lost = await operations.lock_failed_message(uow, message_id)
            await operations.mark_told_by_phone(uow, lost, note="Told by phone.")
        life.heard_at = self.world.now

    async def _settle(self, life: SimulatedRequest, person: SimulatedStaff) -> None:
        """A manager decides whose it is: from now on it goes back no more."""
        life.returns_resolved = True
        await life.do(person.actor, log_call)

    async def _push_on(self, life: SimulatedRequest, person: SimulatedStaff) -> None:
        for run in life.it.open_runs:
            if not run.is_paused:
                await self._hurry(life, run.id or 0, person)
                return

    async def _give_to_somebody(self, life: SimulatedRequest, person: SimulatedStaff) -> None:
        heir = self.office.pick_available(life.it.department_id, "heir", life.number)
        for run in life.it.open_runs:
            if heir is not None and not self.office.person(run.assignee_id).is_available(
                self.world.now
            ):
                stage = run.stage_key
                await life.do(
                    person.actor,
                    lambda uow, it, stage=stage: operations.assign(  # type: ignore[misc]
                        uow, it, owner=heir.email, stage=stage
                    ),
                )
        if heir is not None and not life.it.open_runs:
            await life.do(
                person.actor, lambda uow, it: operations.assign(uow, it, owner=heir.email)
            )

    def _oversees(self, person: SimulatedStaff) -> bool:
        return not person.departments
