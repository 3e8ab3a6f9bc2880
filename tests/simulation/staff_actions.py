"""What staff do about a request: each action is one of the product's operations."""

from collections.abc import Awaitable, Callable, Sequence
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
from portal.rules.question_planning import questions_put_by
from portal.workflows import FollowUpDefinition
from tests.simulation.case import Case, StaffOperation
from tests.simulation.faults import Fault
from tests.simulation.organisation import Organisation, SimulatedStaff

COURIER_SYSTEM = Actor(ActorKind.API, "Couriers")
MAX_RETURNS = 3
"""How often work is sent back in one request at most."""


async def advance_with_fields(uow: UnitOfWork, request: ServiceRequest, stage: str) -> None:
    """Complete the stage, with a price where its quote needs one."""
    fields = sample_fields(questions_put_by(request, request.get_open_run(stage)))
    await operations.advance(uow, request, stage=stage, fields=fields)


def sample_fields(questions: Sequence[FollowUpDefinition | None]) -> dict[str, str]:
    """A value for each field of these questions."""
    return {name: "£95" for question in questions if question for name in question.fields}


class StaffActions:
    """Actions of the assignee, if present; nothing where somebody else was faster."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.simulation = organisation.simulation

    async def record_third_party(self, case: Case, stage: str, passage: int) -> None:
        """The courier's system reports where the delivery is."""
        if case.open_run(stage, passage) is not None:
            await case.do(
                COURIER_SYSTEM,
                lambda uow, request: operations.record_third_party_update(
                    uow, request, stage=stage, words="Scanned at the depot"
                ),
            )

    async def act_as_assignee(self, case: Case, run: StageRun, work: StaffOperation) -> None:
        """Act on an open stage, unless it is on hold or its handoff waits."""
        found = case.open_run(run.stage_key, run.passage)
        if found is None or found.held_at is not None or case.current.pending_handoff(found):
            return
        person = self._responsible(case, found)
        if person is not None:
            await case.do(person.actor, work)

    def _responsible(self, case: Case, run: StageRun) -> SimulatedStaff | None:
        names = (case.number, run.stage_key, self.simulation.now)
        return self.organisation.responsible(run.assignee_id, run.department_id, *names)

    async def accept(self, case: Case, stage: str) -> None:
        """A colleague of the receiving department accepts the handoff."""
        run = case.open_run(stage)
        handoff = case.current.pending_handoff(run) if run else None
        if run is None or handoff is None:
            return
        person = self.organisation.choose_available(
            run.department_id, case.number, stage, run.passage
        )
        if person is None:
            self._retry_next_day(run.department_id, lambda: self.accept(case, stage))
            return
        await case.do(
            person.actor, lambda uow, request: operations.accept(uow, request, stage=stage)
        )

    async def refuse(self, case: Case, stage: str) -> None:
        """A colleague of the receiving department refuses the handoff."""
        run = case.open_run(stage)
        handoff = case.current.pending_handoff(run) if run else None
        if run is None or handoff is None:
            return
        person = self.organisation.choose_available(
            run.department_id, case.number, stage, run.passage
        )
        if person is None:
            return
        case.count_return(run.department_id, handoff.from_department_id)
        self.simulation.count("handoffs refused")
        await case.do(
            person.actor,
            lambda uow, request: operations.refuse(
                uow, request, stage=stage, reason="A signature is missing"
            ),
        )

    async def complete_stage(self, case: Case, stage: str, passage: int) -> None:
        """Advance the stage, or send it back to the one before."""
        run = case.open_run(stage, passage)
        if run is None or case.current.pending_handoff(run):
            return
        if run.held_at is not None:
            later = (run.hold_until or self.simulation.now) + timedelta(hours=2)
            self.simulation.at(later, lambda: self.complete_stage(case, stage, passage))
            return
        person = self._responsible(case, run)
        if person is None:
            self._retry_next_day(
                run.department_id, lambda: self.complete_stage(case, stage, passage)
            )
            return
        back = self._sent_back_to(case, run)
        if back is not None and self.simulation.dice.hit(
            Fault.RETURNS, 0.04, case.number, stage, run.passage
        ):
            case.count_return(run.department_id, back.department_id)
            self.simulation.count("work sent back")
            where = back.stage_key
            await case.do(
                person.actor,
                lambda uow, request: operations.send_back(
                    uow,
                    request,
                    stage=where,
                    reason="The form is incomplete",
                    fields=sample_fields([case.kind.stage(where).question]),
                ),
            )
            return
        await case.do(person.actor, lambda uow, request: advance_with_fields(uow, request, stage))

    def _sent_back_to(self, case: Case, run: StageRun) -> StageRun | None:
        """The completed stage before it, where that is another department's."""
        if not self.can_send_back(case) or len(case.current.open_runs) > 1:
            return None
        before = [
            earlier
            for earlier in case.current.runs
            if earlier.stage_key in case.kind.stage(run.stage_key).after
            and earlier.state.value == "completed"
            and earlier.department_id != run.department_id
        ]
        return before[-1] if before else None

    def can_send_back(self, case: Case) -> bool:
        """Whether work may still be sent back in this request."""
        return not case.returns_resolved and sum(case.returns.values()) < MAX_RETURNS

    async def keep_promise(self, case: Case, promise_id: int) -> None:
        """Keep a promise, by the assignee or a colleague."""
        promise = next(
            (promise for promise in case.current.promises if promise.id == promise_id), None
        )
        if promise is None or promise.closed_at is not None:
            return
        person = self.organisation.responsible(
            promise.owner_id,
            promise.department_id,
            case.number,
            promise.made_at,
            self.simulation.now,
        )
        if person is None:
            self._retry_next_day(promise.department_id, lambda: self.keep_promise(case, promise_id))
            return
        await self.keep_promise_as(case, promise, person)

    async def keep_promise_as(self, case: Case, promise: Promise, person: SimulatedStaff) -> None:
        """Keep a promise by writing, by calling, or by marking it kept."""
        if promise.kind == PromiseKind.ANSWER:
            await case.do(person.actor, answer_in_writing)
        elif promise.kind == PromiseKind.CALL:
            await case.do(person.actor, log_call_back)
        else:
            number = promise.id or 0

            async def keep(uow: UnitOfWork, request: ServiceRequest) -> None:
                await operations.keep_promise(uow, request, number)

            await case.do(person.actor, keep)

    async def write(self, case: Case) -> None:
        """Answer the customer's message, if nobody has."""
        request = case.current
        if request.unanswered_since is None:
            return
        person = self.organisation.responsible(
            request.owner_id, request.department_id, case.number, self.simulation.now
        )
        if person is None:
            self._retry_next_day(request.department_id, lambda: self.write(case))
            return
        await case.do(person.actor, answer_in_writing)

    def _retry_next_day(self, department_id: int, action: Callable[[], Awaitable[None]]) -> None:
        """Try again on the next working day: nobody is present now."""
        calendar = self.organisation.calendar(department_id)
        self.simulation.at(calendar.next_open(self.simulation.now + timedelta(hours=20)), action)


async def answer_in_writing(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Answer the customer's message."""
    await operations.write_to_customer(
        uow, request, "Thank you for writing. Yes, that is possible."
    )


async def log_call_back(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Log a call to the customer."""
    await operations.log_contact(
        uow, request, channel=ContactChannel.CALL, reason=ContactReason.QUESTION,
        note="Called them back.",
    )  # fmt: skip
