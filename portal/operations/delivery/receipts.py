"""Receipts: how far our messages have come. The most common call of all, so written in batches."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from portal.models import FINAL, KEPT, Message, MessageStatus, contradict, rises
from portal.operations.delivery.outcomes import record_receipt
from portal.operations.unit_of_work import Relay, Turn

BATCH = 100
FAILURES = frozenset({MessageStatus.UNDELIVERED, MessageStatus.FAILED})
IN_DOUBT = frozenset({MessageStatus.UNKNOWN, MessageStatus.REVIEW})


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's word about the message with our id ``message_id``, which it calls ``sid``."""

    message_id: int
    sid: str
    status: MessageStatus
    error_code: str | None = None


class Receipts:
    """Takes receipts as they come; those that wait at the same time share a transaction."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._waiting: list[tuple[Receipt, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def record(self, receipt: Receipt) -> None:
        """Write it down; it is committed when this returns. Raises what the database raises."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((receipt, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        await written

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if await self._write(batch) or len(batch) == 1:
                continue
            # One of them was too much: by itself it holds up no other.
            for one in batch:
                await self._write([one])

    async def _write(self, batch: Sequence[tuple[Receipt, asyncio.Future[None]]]) -> bool:
        try:
            async with self._relay.turn(KEPT) as turn:
                await record_receipts(turn, [receipt for receipt, _ in batch])
        except Exception as error:  # noqa: BLE001 (it is raised where the receipt came in)
            if len(batch) == 1:
                _settle(batch[0][1], error)
            return False
        for _, written in batch:
            _settle(written, None)
        return True


def _settle(written: asyncio.Future[None], error: Exception | None) -> None:
    if written.done():
        return  # Whoever called has left.
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)


async def record_receipts(turn: Turn, receipts: Sequence[Receipt]) -> None:
    """Write down what the provider says, in the order in which it said it.

    Repeated or out of order a receipt changes nothing. A failure, or a second id for the same
    message, has consequences: those go by the noun, one by one.
    """
    connection = await turn.session.connection()
    said: dict[int, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        said[receipt.message_id].append(receipt)
    query = (
        sa.select(*(getattr(Message, name) for name in ("id", "status", "provider_sid", "request_id")))
        .where(col(Message.id).in_(said))
        .order_by(col(Message.id))
        .with_for_update()
    )  # fmt: skip
    heard, special = [], []
    for row in (await connection.execute(query)).all():
        told = said[row.id]
        sids = {receipt.sid for receipt in told} | {row.provider_sid or told[0].sid}
        if len(sids) > 1 or any(_is_special(row, receipt) for receipt in told):
            special += told
            continue
        heard.append(_heard(row, told, turn))
        if row.request_id is not None:
            turn.nudged.add(row.request_id)
    if heard:
        await connection.execute(_HEAR, heard)
    for one in special:
        await record_receipt(turn, one.message_id, one.sid, one.status, one.error_code)


def _is_special(row: Any, receipt: Receipt) -> bool:
    return (
        receipt.status in FAILURES
        or row.status in IN_DOUBT
        or contradict(row.status, receipt.status)
    )


def _heard(row: Any, told: Sequence[Receipt], turn: Turn) -> dict[str, Any]:
    """What these receipts of one message make of it."""
    status, error_code, sent_at, delivered_at = row.status, None, None, None
    for receipt in told:
        if rises(status, receipt.status):
            status, sent_at = receipt.status, turn.now
            error_code = receipt.error_code or error_code
            if status == MessageStatus.DELIVERED:
                delivered_at = turn.now
    ask_at = turn.now + timedelta(seconds=turn.settings.poll_after)
    return {
        "ask": None if status in FINAL else ask_at,
        "heard_id": row.id, "heard": status, "sid": told[0].sid, "code": error_code,
        "sent": sent_at, "delivered": delivered_at,
    }  # fmt: skip


_HEAR = (
    sa.update(Message)
    .where(col(Message.id) == sa.bindparam("heard_id"))
    .values(
        status=sa.bindparam("heard"),
        provider_sid=sa.func.coalesce(col(Message.provider_sid), sa.bindparam("sid")),
        error_code=sa.func.coalesce(sa.bindparam("code"), col(Message.error_code)),
        sent_at=sa.func.coalesce(col(Message.sent_at), sa.bindparam("sent")),
        delivered_at=sa.func.coalesce(sa.bindparam("delivered"), col(Message.delivered_at)),
        ask_at=sa.bindparam("ask"),
    )
)
