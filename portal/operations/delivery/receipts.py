"""Receipts: the provider's reports of a status. The most common call, so written in batches."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from portal.models import (
    FAILED_STATUSES,
    FINAL_STATUSES,
    SYSTEM_ACTOR,
    Message,
    MessageStatus,
    SendAttempt,
    Transport,
    is_forward_status,
    statuses_conflict,
)
from portal.operations.delivery.outcomes import record_receipt
from portal.operations.unit_of_work import Operations, UnitOfWork

log = structlog.get_logger()

BATCH = 100
UNCERTAIN_STATUSES = frozenset({MessageStatus.UNKNOWN, MessageStatus.REVIEW})


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's status of the message with our id ``message_id`` and its own id ``sid``.

    ``transport`` is what carries it, where the report says so. ``is_read``: the customer has read it.
    """

    message_id: int
    sid: str
    status: MessageStatus
    error_code: str | None = None
    transport: Transport | None = None
    is_read: bool = False


class ReceiptWriter:
    """Records receipts as they come; those that wait at the same time share a transaction."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._waiting: list[tuple[Receipt, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def record(self, receipt: Receipt) -> None:
        """Record the receipt and commit it. Raises what the database raises."""
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
            # One of them failed: each is recorded by itself, so it delays no other.
            for item in batch:
                await self._write([item])

    async def _write(self, batch: Sequence[tuple[Receipt, asyncio.Future[None]]]) -> bool:
        try:
            async with self._operations.begin(SYSTEM_ACTOR) as uow:
                await record_receipts(uow, [receipt for receipt, _ in batch])
        except Exception as error:  # noqa: BLE001 (it is raised where the receipt came in)
            if len(batch) == 1:
                _settle(batch[0][1], error)
            return False
        for _, written in batch:
            _settle(written, None)
        return True


def _settle(written: asyncio.Future[None], error: Exception | None) -> None:
    if written.done():
        return  # The caller has disconnected.
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)


async def record_receipts(uow: UnitOfWork, receipts: Sequence[Receipt]) -> None:
    """Record the receipts in their order.

    A repeated or late receipt changes nothing, and so does one whose id is another message's. A
    failure, or a second id of the same message, has consequences and is applied one by one.
    """
    connection = await uow.session.connection()
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
    rows = (await connection.execute(query)).all()
    owners = await _owners_of_sids(connection, rows, said)
    for row in rows:
        told = [receipt for receipt in said[row.id] if owners.get(receipt.sid, row.id) == row.id]
        if len(told) < len(said[row.id]):
            log.warning("a receipt with the id of another message is ignored", message=row.id)
        if not told:
            continue
        sids = {receipt.sid for receipt in told} | {row.provider_sid or told[0].sid}
        if len(sids) > 1 or any(_is_special(row, receipt) for receipt in told):
            special += told
            continue
        heard.append(_heard(row, told, uow))
        if row.request_id is not None:
            uow.changed_requests.add(row.request_id)
    seen = [
        {"seen_id": receipt.message_id, "seen_at": uow.now}
        for row in rows
        for receipt in said[row.id]
        if receipt.is_read and owners.get(receipt.sid, row.id) == row.id
    ]
    if seen:
        await connection.execute(_SEE, seen)
    if heard:
        await connection.execute(_HEAR, heard)
    await _record_special(uow, connection, special)


async def _record_special(
    uow: UnitOfWork, connection: AsyncConnection, special: Sequence[Receipt]
) -> None:
    """Record each of these by itself, after what carried its message."""
    carried = [
        {"carried_id": item.message_id, "carried_by": item.transport}
        for item in special
        if item.transport
    ]
    if carried:
        await connection.execute(_CARRY, carried)
    for item in special:
        await record_receipt(uow, item.message_id, item.sid, item.status, item.error_code)


async def _owners_of_sids(
    connection: AsyncConnection, rows: Sequence[Any], said: Mapping[int, Sequence[Receipt]]
) -> dict[str, int]:
    """The message that each id belongs to, of the ids that these rows do not have."""
    new_sids = {
        receipt.sid for row in rows for receipt in said[row.id] if receipt.sid != row.provider_sid
    }
    if not new_sids:
        return {}
    query = (
        sa.select(col(Message.provider_sid), col(Message.id))
        .where(col(Message.provider_sid).in_(new_sids))
        .union(
            sa.select(col(SendAttempt.provider_sid), col(SendAttempt.message_id)).where(
                col(SendAttempt.provider_sid).in_(new_sids)
            )
        )
    )
    return {row.provider_sid: row.id for row in await connection.execute(query)}


def _is_special(row: Any, receipt: Receipt) -> bool:
    return (
        receipt.status in FAILED_STATUSES
        or row.status in UNCERTAIN_STATUSES
        or statuses_conflict(row.status, receipt.status)
    )


def _heard(row: Any, told: Sequence[Receipt], uow: UnitOfWork) -> dict[str, Any]:
    """The columns of a message after these receipts."""
    status, error_code, sent_at, delivered_at = row.status, None, None, None
    # RCS that falls back to SMS names the one, then the other.
    transport = next((item.transport for item in reversed(told) if item.transport), None)
    for receipt in told:
        if is_forward_status(status, receipt.status):
            status, sent_at = receipt.status, uow.now
            error_code = receipt.error_code or error_code
            if status == MessageStatus.DELIVERED:
                delivered_at = uow.now
    poll_at = uow.now + timedelta(seconds=uow.settings.receipt_poll_seconds)
    return {
        "ask": None if status in FINAL_STATUSES else poll_at,
        "heard_id": row.id, "heard": status, "sid": told[0].sid, "code": error_code,
        "sent": sent_at, "delivered": delivered_at, "carried_by": transport,
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
        poll_at=sa.bindparam("ask"),
        transport=sa.func.coalesce(
            sa.bindparam("carried_by", type_=sa.String), col(Message.transport)
        ),
    )
)
_CARRY = (
    sa.update(Message)
    .where(
        col(Message.id) == sa.bindparam("carried_id"),
        col(Message.transport).is_distinct_from(Transport.WHATSAPP),
    )
    .values(transport=sa.bindparam("carried_by", type_=sa.String))
)
_SEE = (
    sa.update(Message)
    .where(col(Message.id) == sa.bindparam("seen_id"))
    .values(read_at=sa.func.coalesce(col(Message.read_at), sa.bindparam("seen_at")))
)
