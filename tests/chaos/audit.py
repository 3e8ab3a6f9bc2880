"""The account at the end of a chaos run: what we say of each text against what the carrier has."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.business_time import now
from portal.database import Database
from portal.demo.fake_providers import FakeProviders, Text
from portal.models import (
    Channel,
    Direction,
    DroppedBall,
    Event,
    EventKind,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    ServiceRequest,
)
from tests.chaos.workload import Workload

UNDER_WAY = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)
ENDED = (
    MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.FAILED,
    MessageStatus.SUPPRESSED, MessageStatus.EXPIRED, MessageStatus.REVIEW,
)  # fmt: skip
"""Where a text comes to rest; a mail does so when it is sent."""
NEVER_SENT = (MessageStatus.SUPPRESSED, MessageStatus.EXPIRED)
FAILED_STATUSES = (
    *NEVER_SENT, MessageStatus.UNDELIVERED, MessageStatus.FAILED, MessageStatus.REVIEW,
)  # fmt: skip
CARRIER_HAS_IT = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
STATUS_ORDER = {
    MessageStatus.QUEUED: 0,
    MessageStatus.SENDING: 0,
    MessageStatus.UNKNOWN: 0,
    MessageStatus.REVIEW: 0,
    MessageStatus.ACCEPTED: 1,
    MessageStatus.SENT: 2,
    MessageStatus.DELIVERED: 3,
    MessageStatus.UNDELIVERED: 3,
    MessageStatus.FAILED: 3,
    MessageStatus.SUPPRESSED: 3,
    MessageStatus.EXPIRED: 3,
}
"""How far a message has come: a change to a lower number is a step back."""

STATUS_TRIGGERS = {
    "sqlite": """
        CREATE TABLE status_change (message_id INTEGER, old TEXT, new TEXT);;
        CREATE TRIGGER status_changes AFTER UPDATE OF status ON message
        WHEN OLD.status <> NEW.status BEGIN
            INSERT INTO status_change VALUES (NEW.id, OLD.status, NEW.status);
        END
    """,
    "postgresql": """
        CREATE TABLE status_change (message_id BIGINT, old TEXT, new TEXT);;
        CREATE FUNCTION note_status() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO status_change VALUES (NEW.id, OLD.status, NEW.status);
            RETURN NEW;
        END $$;;
        CREATE TRIGGER status_changes AFTER UPDATE OF status ON message FOR EACH ROW
        WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION note_status()
    """,
}
"""Statements, parted by two semicolons."""


async def record_status_changes(database: Database) -> None:
    """From now on the database itself notes each change of a message's status."""
    async with database.engine.begin() as connection:
        for statement in STATUS_TRIGGERS[database.engine.dialect.name].split(";;"):
            await connection.execute(sa.text(statement))


async def all_messages_ended(database: Database) -> bool:
    """Whether every message has come to an end; what only waits for its hour is let go at once."""
    moment = now()
    async with database.transaction() as session:
        for hour in ("due_at", "poll_at"):
            await session.exec(
                sa.update(Message)
                .where(col(Message.status).not_in(ENDED), col(getattr(Message, hour)) > moment)
                .values({hour: moment})
            )
        query = select(Message.id).where(
            col(Message.direction) == Direction.OUT,
            col(Message.status).not_in(ENDED),
            sa.not_(
                sa.and_(
                    col(Message.channel) == Channel.EMAIL, col(Message.status) == MessageStatus.SENT
                )
            ),
        )
        return (await session.exec(query.limit(1))).first() is None


@dataclass
class Audit:
    """All that is known in the end, and what is wrong with it."""

    outgoing: Sequence[Message]
    incoming: Sequence[Message]
    attempts: dict[int, list[SendAttempt]]
    balls: Sequence[DroppedBall]
    milestones: Sequence[Event]
    requests: Sequence[ServiceRequest]
    moves: Sequence[Any]
    taken: dict[int, list[Text]]
    """What the carrier took from us, by the message that it was."""
    mailed: Counter[str]
    """How often each mail came, by its Message-ID."""
    figures: dict[str, int] = field(default_factory=dict)

    @classmethod
    async def collect(cls, database: Database, carrier: FakeProviders) -> "Audit":
        """Read everything."""
        taken = defaultdict(list)
        for text in carrier.texts():
            if text.status_callback:
                told = parse_qs(urlsplit(text.status_callback).query)
                taken[int(told["m"][0])].append(text)
        attempts = defaultdict(list)
        async with database.reading() as session:
            messages = (await session.exec(select(Message).order_by(col(Message.id)))).all()
            for attempt in (await session.exec(select(SendAttempt))).all():
                attempts[attempt.message_id].append(attempt)
            told = select(Event).where(col(Event.kind) == EventKind.STAGE_REACHED)
            return cls(
                [one for one in messages if one.direction == Direction.OUT],
                [one for one in messages if one.direction == Direction.IN],
                attempts,
                (await session.exec(select(DroppedBall))).all(),
                [one for one in (await session.exec(told)).all() if one.data.get("told")],
                (await session.exec(select(ServiceRequest))).all(),
                await _moves(session),
                taken,
                Counter(str(mail.header("Message-ID")) for mail in carrier.mailbox.mails()),
            )

    def violations(self, lives: Workload) -> list[str]:
        """Each promise that was broken, in a sentence; none where all is well."""
        return [
            *self._lost(lives),
            *self._without_an_end(),
            *self._told_otherwise(),
            *self._twice_without_a_mark(),
            *self._after_a_stop(lives),
            *self._went_back(),
            *self._nobodys(),
        ]

    def _lost(self, lives: Workload) -> list[str]:
        wrong = []
        there = {one.external_id: one.reference for one in self.requests}
        if there != lives.opened:
            wrong.append(f"{len(lives.opened)} requests were opened and {len(there)} are there")
        if (expected := len(lives.opened) + lives.advanced) != len(self.milestones):
            wrong.append(f"{expected} milestones were passed and {len(self.milestones)} are there")
        told = {one.cause for one in self.outgoing if one.kind == MessageKind.MILESTONE}
        wrong += [
            f"milestone {event.id} has no message"
            for event in self.milestones
            if f"event:{event.id}" not in told
        ]
        known = Counter(one.provider_sid for one in self.incoming)
        if set(known) != lives.heard or len(known) != len(self.incoming):
            wrong.append(f"{len(lives.heard)} texts came in, {len(self.incoming)} are recorded")
        return wrong

    def _without_an_end(self) -> list[str]:
        return [
            f"message {one.id} is {one.status} for ever"
            for one in self.outgoing
            if one.status in UNDER_WAY
        ]

    def _told_otherwise(self) -> list[str]:
        """What we say of a text is what became of it."""
        wrong = []
        for one in self.outgoing:
            if one.channel != Channel.SMS:
                continue
            texts = self.taken.get(one.id or 0, [])
            if one.status in CARRIER_HAS_IT and not texts:
                wrong.append(f"message {one.id} is {one.status}, and the carrier never had it")
            if one.status in NEVER_SENT and texts and not one.possible_duplicate:
                wrong.append(f"message {one.id} is {one.status}, and the carrier has it")
            ends = {text.status for text in texts}
            if one.status in CARRIER_HAS_IT and one.status.value not in ends:
                wrong.append(f"message {one.id} is {one.status}, and the carrier says {ends}")
        return wrong

    def _twice_without_a_mark(self) -> list[str]:
        raised = {ball.subject for ball in self.balls}
        wrong = []
        for one in self.outgoing:
            times = max(len(self.taken.get(one.id or 0, [])), self.mailed[one.provider_sid or ""])
            if times > 1 and not one.possible_duplicate and f"message:{one.id}" not in raised:
                wrong.append(f"message {one.id} was sent {times} times, and nobody was told")
            if times > 2:
                wrong.append(f"message {one.id} was sent {times} times")
        return wrong

    def _after_a_stop(self, lives: Workload) -> list[str]:
        """No text was claimed after we had told the carrier that we know of the stop.

        By the clock of this machine, which all processes share. A claim that was made before the
        webhook of the stop was answered may still go: its text was under way. A claim is decided
        between its own time and the carrier's, so one that reaches past a START may be its fruit.
        """
        wrong = []
        for one in self.outgoing:
            if one.channel != Channel.SMS or one.kind == MessageKind.CONSENT:
                continue
            wishes = lives.wishes.get(one.to_address, [])
            for text in self.taken.get(one.id or 0, []):
                claims = [
                    attempt.claimed_at
                    for attempt in self.attempts[one.id or 0]
                    if attempt.claimed_at <= text.created_at
                ]
                if not claims:
                    wrong.append(f"message {one.id} was sent without a claim")
                    continue
                for place, wish in enumerate(wishes):
                    starts = (later.written_at for later in wishes[place:] if not later.stop)
                    over = next(starts, None)
                    if (
                        wish.stop
                        and max(claims) > wish.known_at
                        and (over is None or text.created_at < over)
                    ):
                        late = max(claims) - wish.known_at
                        wrong.append(f"message {one.id} was claimed {late} after the stop")
        return wrong

    def _went_back(self) -> list[str]:
        return [
            f"message {message_id} went from {old} to {new}"
            for message_id, old, new in self.moves
            if STATUS_ORDER[MessageStatus(new)] < STATUS_ORDER[MessageStatus(old)]
        ]

    def _nobodys(self) -> list[str]:
        """Each thing that slipped has a person, and each end that nobody likes has been raised."""
        wrong = [f"{b.kind} {b.subject} is nobody's" for b in self.balls if b.owner_id is None]
        raised = {ball.subject for ball in self.balls}
        mailed = {(one.cause, one.kind) for one in self.outgoing if one.channel == Channel.EMAIL}
        for one in self.outgoing:
            is_raised = f"message:{one.id}" in raised
            if one.status == MessageStatus.REVIEW and not is_raised:
                wrong.append(f"message {one.id} is for a person, and nobody was told")
            if (
                one.status in (MessageStatus.UNDELIVERED, MessageStatus.FAILED)
                and not is_raised
                and (one.cause, one.kind) not in mailed
                and one.handled_at is None
                and one.request_id is not None  # not the answer to a stop, or to a stranger
            ):
                wrong.append(f"{one.kind} {one.id} did not get through, and nobody was told")
            if one.status in FAILED_STATUSES and not one.reason:
                wrong.append(f"message {one.id} is {one.status} without a reason")
        return wrong

    def count(self) -> dict[str, int]:
        """The figures, for the terminal."""
        states = Counter(str(one.status) for one in self.outgoing)
        times = [len(self.taken.get(one.id or 0, [])) for one in self.outgoing]
        return {
            "messages": len(self.outgoing) + len(self.incoming),
            "in": len(self.incoming),
            "texts sent once": times.count(1),
            "texts sent twice, marked": sum(number > 1 for number in times),
            "marked": sum(one.possible_duplicate for one in self.outgoing),
            **{state: states[state] for state in sorted(states)},
            "raised": len(self.balls),
        }


async def _moves(session: AsyncSession) -> Sequence[Any]:
    connection = await session.connection()
    return (await connection.execute(sa.text("SELECT * FROM status_change"))).all()
