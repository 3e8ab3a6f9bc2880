"""Claiming what is due: the database alone says who may send what, and to whom."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from portal.messaging.outbox import Outbox
from portal.models import (
    ANSWERS,
    Channel,
    Customer,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
)
from portal.queries.consents import may_write
from portal.settings import Settings

UNKNOWN_BLOCKS = timedelta(seconds=30)
"""How long a text whose outcome is unknown keeps the next one to the same person waiting."""


async def claim_due(
    session: AsyncSession,
    settings: Settings,
    now: datetime,
    *,
    channels: Sequence[Channel],
    most: int,
) -> list[Message]:
    """Take up to ``most`` due messages for sending, one a recipient, the oldest first.

    Each is checked again: expired, stopped or too late at night, it is not taken. The caller
    commits before anything is sent, so that no other worker takes the same.
    """
    found = (await session.exec(_due(now, channels, most))).all()
    claimed: list[Message] = []
    for message in found:
        if await _may_go(session, settings, message, now):
            claimed.append(message)
            _claim(session, message, now, settings)
    await session.flush()
    return claimed


def _due(now: datetime, channels: Sequence[Channel], most: int) -> SelectOfScalar[Message]:
    busy, older = aliased(Message), aliased(Message)
    under_way = sa.exists().where(
        col(busy.to_address) == col(Message.to_address),
        sa.or_(
            col(busy.status) == MessageStatus.SENDING,
            sa.and_(
                col(busy.status) == MessageStatus.UNKNOWN,
                col(busy.claimed_at) > now - UNKNOWN_BLOCKS,
            ),
        ),
    )
    before = sa.exists().where(
        col(older.to_address) == col(Message.to_address),
        col(older.status) == MessageStatus.QUEUED,
        col(older.due_at) <= now,
        col(older.id) < col(Message.id),
    )
    return (
        select(Message)
        .where(
            col(Message.status) == MessageStatus.QUEUED,
            col(Message.due_at) <= now,
            col(Message.channel).in_(channels),
            ~under_way,
            ~before,
        )
        .order_by(col(Message.due_at), col(Message.id))
        .limit(most)
        .with_for_update(skip_locked=True)
    )


async def _may_go(
    session: AsyncSession, settings: Settings, message: Message, now: datetime
) -> bool:
    if message.expires_at is not None and message.expires_at <= now:
        message.status = MessageStatus.EXPIRED
        message.reason = "It could not be sent in time, and later it would only confuse."
        return False
    if not await _is_welcome(session, message):
        message.status = MessageStatus.SUPPRESSED
        message.reason = "They asked us not to write here."
        return False
    if message.customer_id is not None and message.kind not in ANSWERS:
        customer = await session.get_one(Customer, message.customer_id)
        due_at = Outbox(session, settings, now).due_at(customer, message.kind)
        if due_at > now:
            message.due_at = due_at
            return False
    return True


async def _is_welcome(session: AsyncSession, message: Message) -> bool:
    """Consent at the moment of sending. The answer to a wish to stop is the last text of all."""
    if message.kind == MessageKind.CONSENT or message.request_id is None:
        return True
    return await may_write(session, message.channel, message.to_address, message.request_id)


def _claim(session: AsyncSession, message: Message, now: datetime, settings: Settings) -> None:
    message.status = MessageStatus.SENDING
    message.attempts += 1
    message.claim_token = secrets.token_hex(12)
    message.claimed_at = now
    message.looked_at = None
    if message.channel == Channel.EMAIL and message.provider_sid is None:
        # Its Message-ID, fixed before the first try: the same mail twice is one mail.
        domain = (settings.mail_from or "localhost").rpartition("@")[2].strip("> ")
        message.provider_sid = f"<kept.{message.id}.{message.claim_token}@{domain}>"
    session.add(
        SendAttempt(
            message_id=message.id or 0,
            number=message.attempts,
            claim_token=message.claim_token,
            claimed_at=now,
        )
    )
