"""Customers: they read, answer or not, thank, ask, and lose patience when they hear nothing."""

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
    RequestStatus,
    RunState,
    ServiceRequest,
)
from portal.operations import UnitOfWork
from tests.simulation.fake_carrier import Phone
from tests.simulation.faults import Fault
from tests.simulation.organisation import Organisation
from tests.simulation.simulated_request import SimulatedRequest

UP, ABED = time(8, 30), time(20, 30)
QUESTIONS = frozenset({MessageKind.FOLLOW_UP, MessageKind.REMINDER})
STATUS_QUESTIONS = ("Where is it?", "Any news?", "What is the status?", "When will it be done?")
QUESTION = "Can you send it to my office instead of home?"
APPOINTMENT_REPLY = "tomorrow at 10"
UNCLEAR = ("ok", "hm", "maybe", "I think so?", "not sure")


class CustomerBehaviour:
    """All of them; each is moved by what reaches them, and by what does not."""

    def __init__(self, office: Organisation, lives: dict[int, SimulatedRequest]) -> None:
        self.office = office
        self.world = office.world
        self.lives = lives

    async def read(self, message_ids: list[int]) -> None:
        """These have arrived on phones and in mailboxes."""
        query = select(Message.id, Message.request_id, Message.kind).where(
            col(Message.id).in_(message_ids)
        )
        async with self.world.database.reading() as session:
            rows = (await session.exec(query.order_by(col(Message.id)))).all()
        for _, request_id, kind in rows:
            life = self.lives.get(request_id or 0)
            if life is not None:
                self._hear(life, MessageKind(kind))

    def _hear(self, life: SimulatedRequest, kind: MessageKind) -> None:
        life.heard_at = self.world.now
        life.expected_at = max(
            (run.due_at for run in life.it.open_runs if not run.is_paused), default=None
        )
        self.wait(life)
        chance = self.world.dice.of("read", life.number, kind, life.times(kind))
        if kind in QUESTIONS:
            self._answer(life, is_reminder=kind == MessageKind.REMINDER)
        elif kind == MessageKind.MILESTONE:
            luck = chance.random()
            at = self._awake(life, self.world.now + timedelta(minutes=chance.randint(1, 200)))
            if luck < 0.05:
                self.world.at(at, lambda: self.say(life, "Thank you!"))
            elif luck < 0.12:
                self.world.at(at, lambda: self.say(life, QUESTION))
            elif luck < 0.14:
                self.world.at(at, lambda: self.say(life, "Please call me"))

    def _answer(self, life: SimulatedRequest, *, is_reminder: bool) -> None:
        """To a question: yes, no, something in between, or nothing."""
        number = life.times("question")
        names = (life.number, number)
        chance = self.world.dice.of("answer", *names)
        if self.world.dice.hit(Fault.REPLIES, 0.25 if is_reminder else 0.12, "silent", *names):
            self.world.count("questions that got no answer")
            return
        at = self._awake(life, self.world.now + timedelta(minutes=chance.randint(2, 1500)))
        if self.world.dice.hit(Fault.REPLIES, 0.1, "unclear", *names):
            self.world.count("ambiguous replies")
            words = chance.choice(UNCLEAR)
            self.world.at(at, lambda: self.say(life, words))
            at = self._awake(life, at + timedelta(minutes=chance.randint(30, 900)))

        async def answer() -> None:
            if life.it.open_question is None:
                return
            if life.it.open_question.expects == AnswerType.TIME:
                await self.say(life, APPOINTMENT_REPLY)
                return
            is_quote = life.it.open_question.during_stage
            wants = self.world.dice.of("wants", *names).random() < 0.9
            if not life.is_delivered and not is_quote:
                self.world.count("customers who said NO")
                life.is_delivered = True  # The next time it is brought to them.
                await self.say(life, "No")
            elif is_quote and not wants:
                await self.say(life, "No thanks")
            else:
                await self.say(life, "Yes")

        self.world.at(at, answer)

    async def say(self, life: SimulatedRequest, words: str) -> None:
        """By text; on the page where their phone is no good, shared, or where they have none."""
        if life.it.is_closed and words not in STATUS_QUESTIONS:
            return
        phone = life.customer.phone
        can_text = self.world.carrier.phones.get(phone or "", Phone.GOOD) == Phone.GOOD
        async with self.world.operations.begin(CUSTOMER_ACTOR) as uow:
            if phone and can_text and not life.shares_phone:
                sid = f"SM{life.number:016x}{life.times('said'):016x}"
                await operations.receive_text(
                    uow, sid=sid, sender=phone, to=self.world.carrier.sender, body=words
                )
            else:
                held = await uow.lock(life.it.reference)
                await operations.receive_web_message(uow, held, words)

    def wait(self, life: SimulatedRequest) -> None:
        """How long they can bear it: so long without a word, or so long past the date they know.

        A week in the middle, twice that while a date that they know is still to come.
        """
        chance = self.world.dice.of("patience", life.number)
        heard = life.heard_at or self.world.now
        bears = timedelta(days=max(3.0, chance.lognormvariate(1.9, 0.4)))
        knows = life.expected_at is not None and life.expected_at > heard
        limits = [heard + (2 * bears if knows else bears)]
        if knows and life.expected_at is not None:
            limits.append(life.expected_at + timedelta(hours=chance.uniform(3, 40)))
        at = max(self._awake(life, min(limits)), self.world.now + timedelta(minutes=5))
        if at != life.impatient_at:
            life.impatient_at = at
            self.world.at(at, lambda: self._lose_patience(life, at))

    async def _lose_patience(self, life: SimulatedRequest, at: datetime) -> None:
        if life.impatient_at != at or life.is_over:
            return
        life.impatient_at = None
        done = life.it.status == RequestStatus.AWAITING_CONFIRMATION
        if life.it.status == RequestStatus.WAITING_ON_CUSTOMER or (done and life.is_delivered):
            life.heard_at = self.world.now  # It is their move, or they have what they wanted.
            self.wait(life)
            return
        life.asked += 1
        life.heard_at = self.world.now
        self.wait(life)
        if done:
            await self._complain(life)
            return
        chance = self.world.dice.of("ask", life.number, life.asked)
        if chance.random() < 0.35:
            await self._call(life)
        else:
            await self.say(life, chance.choice(STATUS_QUESTIONS))

    async def _complain(self, life: SimulatedRequest) -> None:
        """We take it for done, and they have nothing: somebody at last sends it back."""
        request = life.it
        last = [run for run in request.runs if run.state == RunState.COMPLETED][-1]
        person = self.office.pick_available(request.department_id, "complaint", life.number)
        if person is not None:
            life.is_delivered = True
            await life.do(
                person.actor,
                lambda uow, it: operations.send_back(
                    uow, it, stage=last.stage_key, reason="It has not arrived"
                ),
            )

    async def _call(self, life: SimulatedRequest) -> None:
        """They call, where somebody answers the phone."""
        request = life.it
        calendar = self.office.calendar(request.department_id)
        if not calendar.is_open(self.world.now):
            await self.say(life, STATUS_QUESTIONS[0])
            return
        person = self.office.pick_available(request.department_id, "call", life.number, life.asked)
        if person is None:
            return

        async def log(uow: UnitOfWork, held: ServiceRequest) -> None:
            await operations.log_contact(
                uow, held, channel=ContactChannel.CALL, reason=ContactReason.WHERE_IS_IT,
                note="They called to ask where it is.",
            )  # fmt: skip

        await life.do(person.actor, log)

    def _awake(self, life: SimulatedRequest, at: datetime) -> datetime:
        """That moment, or the morning after where it falls into the night."""
        zone = ZoneInfo(life.customer.timezone or life.kind.timezone)
        local = at.astimezone(zone)
        if UP <= local.time() <= ABED:
            return at
        morning = local.replace(hour=UP.hour, minute=UP.minute, second=local.second)
        if local.time() > ABED:
            morning += timedelta(days=1)
        return morning.astimezone(at.tzinfo)
