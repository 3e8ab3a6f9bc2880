"""The audit at the end of a chaos run: each message compared with the record of the carrier."""

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
    """The state at the end of a chaos run, and its violations."""

    outgoing: Sequence[Message]
    incoming: Sequence[Message]
    attempts: dict[int, list[SendAttempt]]
    balls: Sequence[DroppedBall]
    milestones: Sequence[Event]
    requests: Sequence[ServiceRequest]
    moves: Sequence[Any]
    taken: dict[int, list[Text]]
    """The texts that the carrier accepted, by the id of their message."""
    mailed: Counter[str]
    """How often each e-mail arrived, by its Message-ID."""
    figures: dict[str, int] = field(default_factory=dict)

    @classmethod
    async def collect(cls, database: Database, carrier: FakeProviders) -> "Audit":
        """Read the database and the record of the carrier."""
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
                [message for message in messages if message.direction == Direction.OUT],
                [message for message in messages if message.direction == Direction.IN],
                attempts,
                (await session.exec(select(DroppedBall))).all(),
                [event for event in (await session.exec(told)).all() if event.data.get("told")],
                (await session.exec(select(ServiceRequest))).all(),
                await _moves(session),
                taken,
                Counter(str(mail.header("Message-ID")) for mail in carrier.mailbox.mails()),
            )

    def violations(self, workload: Workload) -> list[str]:
        """A sentence for each violation."""
        return [
            *self._lost(workload),
            *self._without_an_end(),
            *self._told_otherwise(),
            *self._twice_without_a_mark(),
            *self._after_a_stop(workload),
            *self._went_back(),
            *self._nobodys(),
        ]

    def _lost(self, workload: Workload) -> list[str]:
        wrong = []
        there = {request.external_id: request.reference for request in self.requests}
        if there != workload.opened:
            wrong.append(f"{len(workload.opened)} requests were opened and {len(there)} are there")
        if (expected := len(workload.opened) + workload.advanced) != len(self.milestones):
            wrong.append(f"{expected} milestones were passed and {len(self.milestones)} are there")
        told = {message.cause for message in self.outgoing if message.kind == MessageKind.MILESTONE}
        wrong += [
            f"milestone {event.id} has no message"
            for event in self.milestones
            if f"event:{event.id}" not in told
        ]
        known = Counter(message.provider_sid for message in self.incoming)
        if set(known) != workload.heard or len(known) != len(self.incoming):
            wrong.append(f"{len(workload.heard)} texts came in, {len(self.incoming)} are recorded")
        return wrong

    def _without_an_end(self) -> list[str]:
        return [
            f"message {message.id} is {message.status} for ever"
            for message in self.outgoing
            if message.status in UNDER_WAY
        ]

    def _told_otherwise(self) -> list[str]:
        """The status of a text agrees with the carrier."""
        wrong = []
        for message in self.outgoing:
            if message.channel != Channel.SMS:
                continue
            texts = self.taken.get(message.id or 0, [])
            known = f"message {message.id} is {message.status}"
            if message.status in CARRIER_HAS_IT and not texts:
                wrong.append(f"{known}, and the carrier never had it")
            if message.status in NEVER_SENT and texts and not message.possible_duplicate:
                wrong.append(f"{known}, and the carrier has it")
            ends = {text.status for text in texts}
            if message.status in CARRIER_HAS_IT and message.status.value not in ends:
                wrong.append(f"{known}, and the carrier says {ends}")
        return wrong

    def _twice_without_a_mark(self) -> list[str]:
        raised = {ball.subject for ball in self.balls}
        wrong = []
        for message in self.outgoing:
            times = max(
                len(self.taken.get(message.id or 0, [])), self.mailed[message.provider_sid or ""]
            )
            is_known = message.possible_duplicate or f"message:{message.id}" in raised
            if times > 1 and not is_known:
                wrong.append(f"message {message.id} was sent {times} times, and nobody was told")
            if times > 2:
                wrong.append(f"message {message.id} was sent {times} times")
        return wrong

    def _after_a_stop(self, workload: Workload) -> list[str]:
        """No text was claimed after the response to the webhook of an opt-out.

        By the clock of this machine, which all processes share. A text that was claimed before that
        response may be sent. The claim happens between its own time and that of the carrier, so a
        text that the carrier accepted after a later START is no violation.
        """
        wrong = []
        for message in self.outgoing:
            if message.channel != Channel.SMS or message.kind == MessageKind.CONSENT:
                continue
            wishes = workload.wishes.get(message.to_address, [])
            for text in self.taken.get(message.id or 0, []):
                claims = [
                    attempt.claimed_at
                    for attempt in self.attempts[message.id or 0]
                    if attempt.claimed_at <= text.created_at
                ]
                if not claims:
                    wrong.append(f"message {message.id} was sent without a claim")
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
                        wrong.append(f"message {message.id} was claimed {late} after the stop")
        return wrong

    def _went_back(self) -> list[str]:
        return [
            f"message {message_id} went from {old} to {new}"
            for message_id, old, new in self.moves
            if STATUS_ORDER[MessageStatus(new)] < STATUS_ORDER[MessageStatus(old)]
        ]

    def _nobodys(self) -> list[str]:
        """Each dropped ball has an assignee, and each failed message has been raised."""
        wrong = [f"{b.kind} {b.subject} is nobody's" for b in self.balls if b.owner_id is None]
        raised = {ball.subject for ball in self.balls}
        emails = [message for message in self.outgoing if message.channel == Channel.EMAIL]
        mailed = {(message.cause, message.kind) for message in emails}
        for message in self.outgoing:
            is_raised = f"message:{message.id}" in raised
            if message.status == MessageStatus.REVIEW and not is_raised:
                why = f"{message.kind}, {message.reason}"
                wrong.append(f"message {message.id} ({why}) is for a person, and nobody was told")
            if (
                message.status in (MessageStatus.UNDELIVERED, MessageStatus.FAILED)
                and not is_raised
                and (message.cause, message.kind) not in mailed
                and message.handled_at is None
                and message.request_id is not None  # not the answer to a stop, or to a stranger
            ):
                wrong.append(
                    f"{message.kind} {message.id} did not get through, and nobody was told"
                )
            if message.status in FAILED_STATUSES and not message.reason:
                wrong.append(f"message {message.id} is {message.status} without a reason")
        return wrong

    def count(self) -> dict[str, int]:
        """The figures of the run, for the terminal."""
        states = Counter(str(message.status) for message in self.outgoing)
        times = [len(self.taken.get(message.id or 0, [])) for message in self.outgoing]
        return {
            "messages": len(self.outgoing) + len(self.incoming),
            "in": len(self.incoming),
            "texts sent once": times.count(1),
            "texts sent twice, marked": sum(number > 1 for number in times),
            "marked": sum(message.possible_duplicate for message in self.outgoing),
            **{state: states[state] for state in sorted(states)},
            "raised": len(self.balls),
        }


async def _moves(session: AsyncSession) -> Sequence[Any]:
    connection = await session.connection()
    return (await connection.execute(sa.text("SELECT * FROM status_change"))).all()
