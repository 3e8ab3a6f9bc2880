"""Asks the carrier for the status of texts whose receipt has not come.

First ``KEPT_RECEIPT_POLL_SECONDS`` seconds after the text was sent, then each time when it is twice as old;
after three days it counts as "no receipt". A delivery that is reported after a failure is asked about too.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlmodel import col, select

from portal import business_time
from portal.database_errors import is_database_away
from portal.messaging.send_errors import SendError
from portal.messaging.sms.twilio_client import TwilioMessage
from portal.models import RECEIPT_TIMEOUT, SYSTEM_ACTOR, Message
from portal.operations import Operations, UnitOfWork
from portal.operations.delivery.outcomes import apply_status
from workers.delivery.gateways import Gateways

log = structlog.get_logger()

BATCH_SIZE = 100
MAX_CONCURRENT = 10
MIN_POLL_INTERVAL = timedelta(minutes=5)
UNREADABLE_POLL_INTERVAL = timedelta(hours=1)


class ReceiptPoller:
    """Asks for the status of texts without a receipt."""

    def __init__(self, operations: Operations, gateways: Gateways) -> None:
        self._operations = operations
        self._gateways = gateways
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)

    async def once(self) -> None:
        """Ask about every text that is due for it, and record the answers."""
        if self._gateways.texts is None:
            return
        due = await self._due(business_time.now())
        answers = await asyncio.gather(*(self._ask(message.provider_sid) for message in due))
        for message, answer in zip(due, answers, strict=True):
            try:
                async with self._operations.begin(SYSTEM_ACTOR) as uow:
                    await self._record(uow, message.id, answer)
            except Exception as error:
                if is_database_away(error):
                    raise
                log.exception("a receipt could not be recorded", message=message.id)
                await self._postpone(message.id)

    async def _postpone(self, message_id: int) -> None:
        """Ask again in an hour about a message that cannot be read; others come first."""
        async with self._operations.database.transaction() as session:
            connection = await session.connection()
            await connection.execute(
                sa.update(Message)
                .where(col(Message.id) == message_id)
                .values(poll_at=business_time.now() + UNREADABLE_POLL_INTERVAL)
            )

    async def _due(self, now: datetime) -> Sequence[Any]:
        query = (
            sa.select(col(Message.id), col(Message.provider_sid))
            .where(col(Message.poll_at) <= now, col(Message.provider_sid).is_not(None))
            .order_by(col(Message.poll_at))
            .limit(BATCH_SIZE)
        )
        async with self._operations.database.reading() as session:
            return (await (await session.connection()).execute(query)).all()

    async def _ask(self, sid: str) -> TwilioMessage | SendError | None:
        async with self._slots:
            try:
                return (
                    await self._gateways.texts.gateway.fetch(sid) if self._gateways.texts else None
                )
            except SendError as problem:
                log.warning("the carrier could not be asked", error=problem.summary)
                return problem

    async def _record(
        self, uow: UnitOfWork, message_id: int, answer: TwilioMessage | SendError | None
    ) -> None:
        query = select(Message).where(col(Message.id) == message_id).with_for_update()
        message = (await uow.session.exec(query)).one()
        if message.poll_at is None:
            return  # A receipt was quicker.
        if isinstance(answer, SendError):
            message.poll_at = uow.now + MIN_POLL_INTERVAL
            return
        message.poll_at = _next_time(message, uow.now)
        if answer is None:
            return
        if answer.sid != message.provider_sid:
            log.warning("the carrier answered about another text", message=message_id)
        else:
            await apply_status(uow, message, answer.status, answer.code, is_confirmed=True)


def _next_time(message: Message, now: datetime) -> datetime | None:
    """When it is twice as old as now; None once no receipt is to be expected any more."""
    if message.is_final or message.sent_at is None:
        return None
    again = now + max(now - message.sent_at, MIN_POLL_INTERVAL)
    last = message.sent_at + RECEIPT_TIMEOUT
    return min(again, last) if now < last else None
