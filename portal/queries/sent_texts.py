"""Looking up texts by their words: ours that a text may quote, and the same text again."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    ASK_BACK_CAUSE,
    CALL_TIME_SUFFIX,
    OFFER_SUFFIX,
    READ_BACK_CAUSE,
    Channel,
    Direction,
    Event,
    EventKind,
    Message,
    MessageKind,
)
from portal.queries.conversations import MAX_RECENT, UNSENT_STATUSES, written_by_customer

PROMPTS = (
    MessageKind.FOLLOW_UP,
    MessageKind.REMINDER,
    MessageKind.STAFF,
    MessageKind.WHICH_REQUEST,
)
"""Messages of ours that the same reply as before may answer anew."""
TURNS = frozenset({
    EventKind.CANCELLED, EventKind.COMPLETED, EventKind.REOPENED, EventKind.CONTACT_LOGGED,
    EventKind.QUESTION_ASKED, EventKind.QUESTION_REMINDED, EventKind.QUESTION_ANSWERED,
    EventKind.QUESTION_CLOSED, EventKind.VISIT_MOVED, EventKind.VISIT_CANCELLED,
})  # fmt: skip
"""Events after which the same message means something new."""
MAX_SENT_TEXTS = 50
"""The most of our texts to one number that a reaction or a quotation is compared with."""


async def find_sent_texts(session: AsyncSession, address: str) -> Sequence[Message]:
    """Our texts to this number, of any time and kind: newest first, at most `MAX_SENT_TEXTS`."""
    query = (
        select(Message)
        .where(
            col(Message.to_address) == address,
            col(Message.direction) == Direction.OUT,
            col(Message.channel) == Channel.SMS,
            col(Message.status).not_in(UNSENT_STATUSES),
        )
        .order_by(col(Message.id).desc())
        .limit(MAX_SENT_TEXTS)
    )
    return (await session.exec(query)).all()


async def find_same_texts(
    session: AsyncSession, message: Message, since: datetime
) -> Sequence[datetime]:
    """When the same text came from the same address before this one, since then.

    Newest first, at most `MAX_SENT_TEXTS`.
    """
    query = (
        select(Message.created_at)
        .where(
            col(Message.from_address) == message.from_address,
            col(Message.direction) == Direction.IN,
            col(Message.body) == message.body,
            col(Message.created_at) >= since,
            col(Message.id) != message.id,
        )
        .order_by(col(Message.id).desc())
        .limit(MAX_SENT_TEXTS)
    )
    return (await session.exec(query)).all()


async def find_recent_inbound(
    session: AsyncSession,
    message: Message,
    address: str,
    request_ids: Collection[int],
    since: datetime,
) -> Sequence[Message]:
    """Their other messages since then from this address or on these requests, newest first.

    Those of a foreign or unproven sender are not theirs.
    """
    is_theirs: sa.ColumnElement[bool] = col(Message.request_id).in_(request_ids)
    if address:
        is_theirs |= col(Message.from_address) == address
    query = (
        select(Message)
        .where(
            is_theirs,
            col(Message.direction) == Direction.IN,
            col(Message.kind) == MessageKind.CUSTOMER,
            col(Message.request_id).is_not(None),
            written_by_customer(),
            col(Message.id) != message.id,
            col(Message.created_at) >= since,
        )
        .order_by(col(Message.id).desc())
        .limit(MAX_RECENT)
    )
    return (await session.exec(query)).all()


async def find_prompts_after(
    session: AsyncSession, earlier: Message, address: str
) -> Sequence[Message]:
    """What we asked or wrote to them after that message of theirs, beside plain confirmations."""
    is_to_them: sa.ColumnElement[bool] = col(Message.request_id) == earlier.request_id
    if address:
        is_to_them |= col(Message.to_address) == address
    query = select(Message).where(
        is_to_them,
        col(Message.direction) == Direction.OUT,
        col(Message.id) > earlier.id,
        col(Message.kind).in_(PROMPTS)
        | col(Message.cause).startswith(ASK_BACK_CAUSE)
        | col(Message.cause).startswith(READ_BACK_CAUSE)
        | col(Message.cause).endswith(CALL_TIME_SUFFIX)
        | col(Message.cause).endswith(OFFER_SUFFIX),
    )
    return (await session.exec(query)).all()


async def has_turned_since(session: AsyncSession, earlier: Message) -> bool:
    """Whether its request has been closed, reopened, asked about or called about after it.

    What the message itself has led to has the same time, or came before its event.
    """
    query = select(Event.id).where(
        col(Event.request_id) == earlier.request_id,
        col(Event.kind).in_(TURNS),
        col(Event.id) > (earlier.event_id or 0),
        col(Event.at) > earlier.created_at,
    )
    return (await session.exec(query.limit(1))).first() is not None
