"""Limits on texts, so that a faulty workflow can neither spend nor annoy without end.

Counted where texts are claimed. The confirmation of a stop is exempt.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from portal.messaging.wording.delivery_reasons import reason_sentence
from portal.models import (
    Channel,
    DeliveryReason,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    Sender,
)
from portal.settings import Settings

A_DAY = timedelta(days=1)
RETRY_DELAY = timedelta(minutes=10)
WARNING_RATIO = 0.8


@dataclass(frozen=True, slots=True)
class LimitNotice:
    """A ceiling is near or reached: for a person to know, once."""

    subject: str
    detail: str
    request_id: int | None = None


async def apply_sending_limits(
    connection: AsyncConnection,
    settings: Settings,
    now: datetime,
    sender_row: Sender,
    rows: Sequence[Any],
    *,
    without_segments: Container[int] = (),
) -> tuple[list[Any], list[LimitNotice]]:
    """The texts that may be sent now; the others wait, or a person decides.

    The limits of a month and of a number only delay (until there is room, or the text expires);
    that of a request needs a person: further texts would not help. ``without_segments`` are the ids
    of those that go by WhatsApp: they do not count in the month.
    """
    to_number = await _count(connection, rows, Message.to_address, since=now - A_DAY)
    about_request = await _count(connection, rows, Message.request_id, since=None)
    segments_used = sender_row.segments_used(now)
    going, notices, held = [], [], []
    for row in rows:
        texts = about_request.get(row.request_id, 0)
        segments = 0 if row.id in without_segments else row.segments
        held_values: dict[str, Any] = {}
        if row.kind == MessageKind.CONSENT:
            pass
        elif segments_used + segments > settings.max_segments_per_month:
            held_values = {"due_at": now + RETRY_DELAY} | _reason(DeliveryReason.MONTHLY_LIMIT, 0)
        elif to_number.get(row.to_address, 0) >= settings.max_texts_per_number_per_day:
            count = settings.max_texts_per_number_per_day
            held_values = {"due_at": now + RETRY_DELAY} | _reason(
                DeliveryReason.NUMBER_LIMIT, count
            )
            detail = reason_sentence(DeliveryReason.NUMBER_LIMIT, count=count)
            notices.append(LimitNotice(f"number:{row.to_address}", detail, row.request_id))
        elif row.request_id is not None and texts >= settings.max_texts_per_request:
            held_values = {"status": MessageStatus.REVIEW} | _reason(
                DeliveryReason.REQUEST_LIMIT, texts
            )
            detail = reason_sentence(DeliveryReason.REQUEST_LIMIT, count=texts)
            notices.append(LimitNotice(f"request:{row.request_id}", detail, row.request_id))
        if held_values:
            held.append((row.id, held_values))
            continue
        segments_used += segments
        going.append(row)
        if (
            row.request_id is not None
            and texts + 1 >= WARNING_RATIO * settings.max_texts_per_request
        ):
            detail = f"{texts + 1} of the {settings.max_texts_per_request} texts for one request are used."
            notices.append(LimitNotice(f"request:{row.request_id}", detail, row.request_id))
    if segments_used >= WARNING_RATIO * settings.max_segments_per_month or len(held) > len(notices):
        detail = f"{segments_used:,} of the {settings.max_segments_per_month:,} text parts of {now:%B} are used."
        notices.append(LimitNotice(f"month:{now:%Y-%m}", detail))
    for message_id, held_values in held:
        await connection.execute(
            sa.update(Message).where(col(Message.id) == message_id).values(held_values)
        )
    return going, notices


def _reason(reason: DeliveryReason, count: int) -> dict[str, Any]:
    return {"reason": reason, "reason_count": count}


async def _count(
    connection: AsyncConnection, rows: Sequence[Any], by: Any, *, since: datetime | None
) -> dict[Any, int]:
    """How many texts have been sent, by number or by request."""
    wanted = {getattr(row, by.key) for row in rows} - {None}
    query = (
        sa.select(by, sa.func.count())
        .where(
            by.in_(wanted),
            col(Message.direction) == Direction.OUT,
            col(Message.channel) == Channel.SMS,
            col(Message.attempts) > 0,
        )
        .group_by(by)
    )
    if since is not None:
        query = query.where(col(Message.claimed_at) > since)
    return {row[0]: row[1] for row in await connection.execute(query)}
