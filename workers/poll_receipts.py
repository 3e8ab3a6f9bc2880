"""Receipts that never came: the carrier is asked what became of a text, and its word counts.

First ``KEPT_POLL_AFTER`` seconds after it was sent, then each time when it is twice as old; after
three days it stands as "no receipt". Two receipts that contradict each other are asked about too.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlmodel import col, select

from portal import business_time
from portal.messaging.send_errors import SendProblem
from portal.messaging.sms.twilio_client import Sent
from portal.models import KEPT, RECEIPTS_COME_WITHIN, Message
from portal.operations import Relay, Turn
from portal.operations.delivery.outcomes import learn
from workers.delivery.gateways import Doors

log = structlog.get_logger()

AT_ONCE = 100
SIDE_BY_SIDE = 10
ASK_AGAIN = timedelta(minutes=5)


class Inquirer:
    """Asks about what the carrier has not told us."""

    def __init__(self, relay: Relay, doors: Doors) -> None:
        self._relay = relay
        self._doors = doors
        self._turns = asyncio.Semaphore(SIDE_BY_SIDE)

    async def once(self) -> None:
        """Ask about every text that is due for it, and take the answers to heart."""
        if self._doors.texts is None:
            return
        due = await self._due(business_time.now())
        answers = await asyncio.gather(*(self._ask(message.provider_sid or "") for message in due))
        for message, answer in zip(due, answers, strict=True):
            async with self._relay.turn(KEPT) as turn:
                await self._learn(turn, message.id or 0, answer)

    async def _due(self, now: datetime) -> Sequence[Message]:
        query = (
            select(Message)
            .where(col(Message.ask_at) <= now, col(Message.provider_sid).is_not(None))
            .order_by(col(Message.ask_at))
            .limit(AT_ONCE)
        )
        async with self._relay.database.reading() as session:
            return (await session.exec(query)).all()

    async def _ask(self, sid: str) -> Sent | SendProblem | None:
        async with self._turns:
            try:
                return await self._doors.texts.gateway.fetch(sid) if self._doors.texts else None
            except SendProblem as problem:
                log.warning("the carrier could not be asked", error=str(problem))
                return problem

    async def _learn(self, turn: Turn, message_id: int, answer: Sent | SendProblem | None) -> None:
        query = select(Message).where(col(Message.id) == message_id).with_for_update()
        message = (await turn.session.exec(query)).one()
        if message.ask_at is None:
            return  # A receipt was quicker.
        if isinstance(answer, SendProblem):
            message.ask_at = turn.now + ASK_AGAIN
            return
        message.ask_at = _next_time(message, turn.now)
        if answer is not None:
            await learn(turn, message, answer.status, answer.code, for_certain=True)


def _next_time(message: Message, now: datetime) -> datetime | None:
    """When it is twice as old as now; None once no receipt is to be expected any more."""
    if message.is_final or message.sent_at is None:
        return None
    again = now + max(now - message.sent_at, ASK_AGAIN)
    last = message.sent_at + RECEIPTS_COME_WITHIN
    return min(again, last) if now < last else None
