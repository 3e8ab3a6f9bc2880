"""How customers behave: they read, answer or not, thank, and ask when they hear nothing."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from portal import operations
from portal.models import (
    CUSTOMER_ACTOR,
    AnswerType,
    ContactChannel,
    ContactReason,
    Message,
    MessageKind,
    PromiseWording,
    RequestStatus,
    RunState,
    ServiceRequest,
)
from portal.operations import UnitOfWork
from tests.simulation.case import Case, StatusQuestion
from tests.simulation.fake_carrier import PhoneKind
from tests.simulation.faults import Fault
from tests.simulation.organisation import Organisation

WAKES_AT, SLEEPS_AT = time(8, 30), time(20, 30)
QUESTIONS = frozenset({MessageKind.FOLLOW_UP, MessageKind.REMINDER})
STATUS_QUESTIONS = ("Where is it?", "Any news?", "What is the status?", "When will it be done?")
QUESTION = "Can you send it to my office instead of home?"
APPOINTMENT_TIME = "tomorrow at 10"
FIRST_WINDOW = "1"
UNCLEAR = ("ok", "hm", "maybe", "I think so?", "not sure")


def known_date(request: ServiceRequest) -> datetime | None:
    """The date that the last message names: by when a person gives a new date, else of the work."""
    promised = [
        promise.due_at
        for promise in request.promises
        if promise.is_open and promise.is_told and promise.wording == PromiseWording.NEW_DATE
    ]
    return max(
        promised or (run.due_at for run in request.open_runs if not run.is_paused), default=None
    )


class CustomerBehaviour:
    """Lets every customer react to the messages that arrive, and to those that do not."""

    def __init__(self, organisation: Organisation, cases: dict[int, Case]) -> None:
        self.organisation = organisation
        self.simulation = organisation.simulation
        self.cases = cases

    async def read(self, message_ids: list[int]) -> None:
        """These messages have arrived on phones and in mailboxes."""
        query = select(Message.id, Message.request_id, Message.kind).where(
            col(Message.id).in_(message_ids)
        )
        async with self.simulation.database.reading() as session:
            rows = (await session.exec(query.order_by(col(Message.id)))).all()
        for _, request_id, kind in rows:
            case = self.cases.get(request_id or 0)
            if case is not None:
                self._read_message(case, MessageKind(kind))

    def _read_message(self, case: Case, kind: MessageKind) -> None:
        case.last_update_at, case.last_heard = self.simulation.now, kind.value
        case.expected_by = known_date(case.current)
        self.wait(case)
        chance = self.simulation.dice.of("read", case.number, kind, case.times(kind))
        if kind in QUESTIONS:
            self._answer(case, is_reminder=kind == MessageKind.REMINDER)
        elif kind == MessageKind.MILESTONE:
            luck = chance.random()
            at = self._waking_time(
                case, self.simulation.now + timedelta(minutes=chance.randint(1, 200))
            )
            if luck < 0.05:
                self.simulation.at(at, lambda: self.write(case, "Thank you!"))
            elif luck < 0.12:
                self.simulation.at(at, lambda: self.write(case, QUESTION))
            elif luck < 0.14:
                self.simulation.at(at, lambda: self.write(case, "Please call me"))

    def _answer(self, case: Case, *, is_reminder: bool) -> None:
        """Answer a question: yes, no, something unclear, or not at all."""
        number = case.times("question")
        names = (case.number, number)
        chance = self.simulation.dice.of("answer", *names)
        if self.simulation.dice.hit(Fault.REPLIES, 0.25 if is_reminder else 0.12, "silent", *names):
            self.simulation.count("questions that got no answer")
            return
        at = self._waking_time(
            case, self.simulation.now + timedelta(minutes=chance.randint(2, 1500))
        )
        if self.simulation.dice.hit(Fault.REPLIES, 0.1, "unclear", *names):
            self.simulation.count("ambiguous replies")
            reply = chance.choice(UNCLEAR)
            self.simulation.at(at, lambda: self.write(case, reply))
            at = self._waking_time(case, at + timedelta(minutes=chance.randint(30, 900)))

        async def answer() -> None:
            if case.current.open_question is None:
                return
            if case.current.open_question.expects == AnswerType.TIME:
                is_offered = bool(case.current.open_question.offered)
                await self.write(case, FIRST_WINDOW if is_offered else APPOINTMENT_TIME)
                return
            is_quote = case.current.open_question.during_stage
            wants = self.simulation.dice.of("wants", *names).random() < 0.9
            if not case.is_delivered and not is_quote:
                self.simulation.count("customers who said NO")
                case.is_delivered = True  # The next delivery reaches them.
                await self.write(case, "No")
            elif is_quote and not wants:
                await self.write(case, "No thanks")
            else:
                await self.write(case, "Yes")

        self.simulation.at(at, answer)

    async def write(self, case: Case, body: str) -> None:
        """Write by text; on the page where the phone takes no texts, is shared, or is none."""
        if case.current.is_closed and body not in STATUS_QUESTIONS:
            return
        phone = case.customer.phone
        kind = self.simulation.carrier.faults.phones.get(phone or "", PhoneKind.MOBILE)
        async with self.simulation.operations.begin(CUSTOMER_ACTOR) as uow:
            if phone and kind == PhoneKind.MOBILE and not case.shares_phone:
                sid = f"SM{case.number:016x}{case.times('said'):016x}"
                await operations.receive_text(
                    uow,
                    sid=sid,
                    sender=phone,
                    to=self.simulation.carrier.gateway.sender,
                    body=body,
                )
            else:
                held = await uow.lock(case.current.reference)
                await operations.receive_web_message(uow, held, body)

    def wait(self, case: Case) -> None:
        """Plan when the customer asks: so long without a message, or after the date they know.

        The median is a week, twice that while a date that they know is still to come.
        """
        chance = self.simulation.dice.of("patience", case.number)
        heard = case.last_update_at or self.simulation.now
        patience = timedelta(days=max(3.0, chance.lognormvariate(1.9, 0.4)))
        knows = case.expected_by is not None and case.expected_by > heard
        limits = [heard + (2 * patience if knows else patience)]
        if knows and case.expected_by is not None:
            limits.append(case.expected_by + timedelta(hours=chance.uniform(3, 40)))
        at = max(self._waking_time(case, min(limits)), self.simulation.now + timedelta(minutes=5))
        if at != case.impatient_at:
            case.impatient_at = at
            self.simulation.at(at, lambda: self._run_out_of_patience(case, at))

    async def _run_out_of_patience(self, case: Case, at: datetime) -> None:
        if case.impatient_at != at or case.is_over:
            return
        case.impatient_at = None
        done = case.current.status == RequestStatus.AWAITING_CONFIRMATION
        if case.current.status == RequestStatus.WAITING_ON_CUSTOMER or (done and case.is_delivered):
            case.last_update_at = (
                self.simulation.now
            )  # They owe us an answer, or have what they wanted.
            self.wait(case)
            return
        case.status_questions.append(self._status_question(case))
        case.last_update_at = self.simulation.now
        self.wait(case)
        if done:
            await self._complain(case)
            return
        chance = self.simulation.dice.of("ask", case.number, case.asked)
        if chance.random() < 0.35:
            await self._call(case)
        else:
            await self.write(case, chance.choice(STATUS_QUESTIONS))

    def _status_question(self, case: Case) -> StatusQuestion:
        """What made them ask."""
        now, request = self.simulation.now, case.current
        heard_at = case.last_update_at or now
        if request.status == RequestStatus.AWAITING_CONFIRMATION:
            reason = "it is said to be done and has not arrived"
        elif case.expected_by is not None and heard_at < case.expected_by < now:
            reason = "the date that they knew has passed"
        else:
            reason = f"{(now - heard_at).days} days without a message"
        phone = case.customer.phone
        kind = self.simulation.carrier.faults.phones.get(phone or "", PhoneKind.MOBILE)
        return StatusQuestion(
            now, reason, heard_at, case.last_heard, case.expected_by, request.status.value,
            tuple(run.stage_key for run in request.open_runs),
            ("phone" if kind == PhoneKind.MOBILE else kind.name.lower()) if phone else "no phone",
        )  # fmt: skip

    async def _complain(self, case: Case) -> None:
        """The request is done, and nothing has arrived: staff send it back."""
        request = case.current
        last = [run for run in request.runs if run.state == RunState.COMPLETED][-1]
        person = self.organisation.choose_available(request.department_id, "complaint", case.number)
        if person is not None:
            case.is_delivered = True
            await case.do(
                person.actor,
                lambda uow, request: operations.send_back(
                    uow, request, stage=last.stage_key, reason="It has not arrived"
                ),
            )

    async def _call(self, case: Case) -> None:
        """Call, where the department is open; otherwise write."""
        request = case.current
        calendar = self.organisation.calendar(request.department_id)
        if not calendar.is_open(self.simulation.now):
            await self.write(case, STATUS_QUESTIONS[0])
            return
        person = self.organisation.choose_available(
            request.department_id, "call", case.number, case.asked
        )
        if person is None:
            return

        async def log(uow: UnitOfWork, held: ServiceRequest) -> None:
            await operations.log_contact(
                uow, held, channel=ContactChannel.CALL, reason=ContactReason.WHERE_IS_IT,
                note="They called to ask where it is.",
            )  # fmt: skip

        await case.do(person.actor, log)

    def _waking_time(self, case: Case, at: datetime) -> datetime:
        """That moment, or the next morning where it is at night."""
        zone = ZoneInfo(case.customer.timezone or case.kind.timezone)
        local = at.astimezone(zone)
        if WAKES_AT <= local.time() <= SLEEPS_AT:
            return at
        morning = local.replace(hour=WAKES_AT.hour, minute=WAKES_AT.minute, second=local.second)
        if local.time() > SLEEPS_AT:
            morning += timedelta(days=1)
        return morning.astimezone(at.tzinfo)
