"""Ceilings on texts: a workflow that runs away cannot spend, or pester, without limit.

Counted where texts are claimed. The answer to a wish to stop goes above every ceiling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from portal.models import Channel, Direction, Message, MessageKind, MessageStatus, Sender
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
    us: Sender,
    rows: Sequence[Any],
) -> tuple[list[Any], list[LimitNotice]]:
    """Those of the texts that may go now; the others wait, or are put before a person.

    A month's ceiling and a number's only delay (until there is room, or the text expires); a
    request's asks for a person: more words would not help it.
    """
    to_number = await _count(connection, rows, Message.to_address, since=now - A_DAY)
    about_request = await _count(connection, rows, Message.request_id, since=None)
    segments_used = us.segments_used(now)
    going, notices, held = [], [], []
    for row in rows:
        texts, words = about_request.get(row.request_id, 0), {}
        if row.kind == MessageKind.CONSENT:
            pass
        elif segments_used + row.segments > settings.max_segments_per_month:
            words = {
                "due_at": now + RETRY_DELAY,
                "reason": "This month's ceiling on texts is reached.",
            }
        elif to_number.get(row.to_address, 0) >= settings.max_texts_per_number_per_day:
            reason = f"This number has had {settings.max_texts_per_number_per_day} texts in a day; more wait."
            words = {"due_at": now + RETRY_DELAY, "reason": reason}
            notices.append(LimitNotice(f"number:{row.to_address}", reason, row.request_id))
        elif row.request_id is not None and texts >= settings.max_texts_per_request:
            reason = f"This request has had {texts} texts. Please look why before it gets more."
            words = {"status": MessageStatus.REVIEW, "reason": reason}
            notices.append(LimitNotice(f"request:{row.request_id}", reason, row.request_id))
        if words:
            held.append((row.id, words))
            continue
        segments_used += row.segments
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
    for message_id, words in held:
        await connection.execute(
            sa.update(Message).where(col(Message.id) == message_id).values(words)
        )
    return going, notices


async def _count(
    connection: AsyncConnection, rows: Sequence[Any], by: Any, *, since: datetime | None
) -> dict[Any, int]:
    """How many texts we have handed over, by number or by request."""
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
