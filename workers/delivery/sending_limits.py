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
LATER = timedelta(minutes=10)
NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Notice:
    """A ceiling is near or reached: for a person to know, once."""

    subject: str
    detail: str
    request_id: int | None = None


async def keep_to_ceilings(
    connection: AsyncConnection,
    settings: Settings,
    now: datetime,
    us: Sender,
    rows: Sequence[Any],
) -> tuple[list[Any], list[Notice]]:
    """Those of the texts that may go now; the others wait, or are put before a person.

    A month's ceiling and a number's only delay (until there is room, or the text expires); a
    request's asks for a person: more words would not help it.
    """
    to_number = await _count(connection, rows, Message.to_address, since=now - A_DAY)
    about_request = await _count(connection, rows, Message.request_id, since=None)
    spent = us.spent(now)
    going, notices, held = [], [], []
    for row in rows:
        texts, words = about_request.get(row.request_id, 0), {}
        if row.kind == MessageKind.CONSENT:
            pass
        elif spent + row.segments > settings.parts_a_month:
            words = {"due_at": now + LATER, "reason": "This month's ceiling on texts is reached."}
        elif to_number.get(row.to_address, 0) >= settings.texts_a_number:
            reason = f"This number has had {settings.texts_a_number} texts in a day; more wait."
            words = {"due_at": now + LATER, "reason": reason}
            notices.append(Notice(f"number:{row.to_address}", reason, row.request_id))
        elif row.request_id is not None and texts >= settings.texts_a_request:
            reason = f"This request has had {texts} texts. Please look why before it gets more."
            words = {"status": MessageStatus.REVIEW, "reason": reason}
            notices.append(Notice(f"request:{row.request_id}", reason, row.request_id))
        if words:
            held.append((row.id, words))
            continue
        spent += row.segments
        going.append(row)
        if row.request_id is not None and texts + 1 >= NEAR * settings.texts_a_request:
            detail = (
                f"{texts + 1} of the {settings.texts_a_request} texts for one request are used."
            )
            notices.append(Notice(f"request:{row.request_id}", detail, row.request_id))
    if spent >= NEAR * settings.parts_a_month or len(held) > len(notices):
        detail = f"{spent:,} of the {settings.parts_a_month:,} text parts of {now:%B} are used."
        notices.append(Notice(f"month:{now:%Y-%m}", detail))
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
