"""Claiming what is due: the database alone says who may send what, and to whom.

A batch takes five statements however large it is, by rows and not by nouns: this is the way that
every message goes.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.messaging.outbox import due_at
from portal.models import Channel, Customer, Message, MessageKind, MessageStatus, SendAttempt
from portal.queries.consents import Wish, find_welcome
from portal.settings import Settings

UNKNOWN_BLOCKS = timedelta(seconds=30)
"""How long a text whose outcome is unknown keeps the next one to the same person waiting."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message taken for sending, and the claim under which it goes."""

    id: int
    channel: Channel
    to_address: str
    body: str
    claim_token: str
    provider_sid: str | None


async def claim_due(
    session: AsyncSession,
    settings: Settings,
    now: datetime,
    *,
    channels: Sequence[Channel],
    most: int,
) -> list[Claimed]:
    """Take up to ``most`` due messages for sending, one a recipient, the oldest first.

    Each is checked again: expired, stopped or too late at night, it is not taken. The caller
    commits before anything is sent, so that no other worker takes the same.
    """
    connection = await session.connection()
    found = (await connection.execute(_due(now, channels, most))).all()
    if not found:
        return []
    welcome = await find_welcome(session, {_wish(row) for row in found})
    going: list[Any] = []
    for row in found:
        kept_back = _kept_back(row, now, settings, is_welcome=_wish(row) in welcome)
        if kept_back:
            await connection.execute(
                sa.update(Message).where(col(Message.id) == row.id).values(kept_back)
            )
        else:
            going.append(row)
    claimed = [_claim(row, settings) for row in going]
    if claimed:
        tries = [row.attempts + 1 for row in going]
        await connection.execute(_TAKE, [_taken(*one, now) for one in zip(claimed, tries)])  # noqa: B905 (made side by side)
        await connection.execute(
            sa.insert(SendAttempt),
            [
                {"message_id": one.id, "number": number, "claim_token": one.claim_token,
                 "claimed_at": now, "status": MessageStatus.SENDING, "error": ""}
                for one, number in zip(claimed, tries, strict=True)
            ],
        )  # fmt: skip
    return claimed


def _due(now: datetime, channels: Sequence[Channel], most: int) -> sa.Select[Any]:
    busy, older = aliased(Message), aliased(Message)
    under_way = sa.exists().where(
        col(busy.to_address) == col(Message.to_address),
        # Said as the partial index says it, so that it serves.
        col(busy.status).in_((MessageStatus.SENDING, MessageStatus.UNKNOWN)),
        sa.or_(
            col(busy.status) == MessageStatus.SENDING, col(busy.claimed_at) > now - UNKNOWN_BLOCKS
        ),
    )
    before = sa.exists().where(
        col(older.to_address) == col(Message.to_address),
        col(older.status) == MessageStatus.QUEUED,
        col(older.due_at) <= now,
        col(older.id) < col(Message.id),
    )
    return (
        sa.select(
            *(getattr(Message, name) for name in READ),
            col(Customer.timezone),
        )
        .outerjoin(Customer, col(Customer.id) == col(Message.customer_id))
        .where(
            col(Message.status) == MessageStatus.QUEUED,
            col(Message.due_at) <= now,
            col(Message.channel).in_(channels),
            ~under_way,
            ~before,
        )
        .order_by(col(Message.due_at), col(Message.id))
        .limit(most)
        .with_for_update(skip_locked=True, of=Message)
    )


READ = (
    "id", "channel", "kind", "to_address", "body", "request_id", "expires_at", "attempts",
    "provider_sid", "urgent",
)  # fmt: skip


def _wish(row: Any) -> Wish:
    return Wish(row.channel, row.to_address, row.request_id)


def _kept_back(
    row: Any, now: datetime, settings: Settings, *, is_welcome: bool
) -> dict[str, Any] | None:
    """What to write on a message that may not go now; None for one that may."""
    if row.expires_at is not None and row.expires_at <= now:
        reason = "It could not be sent in time, and later it would only confuse."
        return {"status": MessageStatus.EXPIRED, "reason": reason}
    # The answer to a wish to stop is the last text of all.
    is_answer = row.kind == MessageKind.CONSENT or row.request_id is None
    if not is_answer and not is_welcome:
        reason = "They asked us not to write here."
        return {"status": MessageStatus.SUPPRESSED, "reason": reason}
    if row.timezone is not None:
        later = due_at(settings, now, row.timezone, row.channel, row.kind, urgent=row.urgent)
        if later > now:
            return {"due_at": later}
    return None


def _claim(row: Any, settings: Settings) -> Claimed:
    token, sid = secrets.token_hex(12), row.provider_sid
    if row.channel == Channel.EMAIL and sid is None:
        # Its Message-ID, fixed before the first try: the same mail twice is one mail.
        domain = (settings.mail_from or "localhost").rpartition("@")[2].strip("> ")
        sid = f"<kept.{row.id}.{token}@{domain}>"
    return Claimed(row.id, row.channel, row.to_address, row.body, token, sid)


def _taken(claimed: Claimed, tries: int, now: datetime) -> dict[str, Any]:
    return {
        "taken_id": claimed.id, "tries": tries, "token": claimed.claim_token, "now": now,
        "sid": claimed.provider_sid,
    }  # fmt: skip


_TAKE = (
    sa.update(Message)
    .where(col(Message.id) == sa.bindparam("taken_id"))
    .values(
        status=MessageStatus.SENDING,
        attempts=sa.bindparam("tries"),
        claim_token=sa.bindparam("token"),
        claimed_at=sa.bindparam("now"),
        looked_at=None,
        provider_sid=sa.bindparam("sid"),
    )
)
