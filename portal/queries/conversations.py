"""Looking up messages: by the provider's id, by address, by request."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import NotFound
from portal.models import (
    Channel,
    Contact,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.models.columns import saved_id

REPLY_WINDOW = timedelta(hours=4)
"""So long a customer who wrote in the evening is taken to wait up for the answer."""
RECENT_CONTACT_WINDOW = timedelta(hours=1)
"""For this long after they wrote a customer is taken to be available, answered or not."""
MAX_RECENT = 20
"""The most of our messages to one address that a reply may refer to."""
MAX_SENT_TEXTS = 50
"""The most of our texts to one number that a reaction or a quotation is compared with."""
UNSENT_STATUSES = (MessageStatus.SUPPRESSED, MessageStatus.EXPIRED, MessageStatus.FAILED)


def says_something() -> Any:
    """The condition (SQL) for a message that is no mere reaction: one that a person is owed for is."""
    return sa.or_(col(Message.reacted_to_id).is_(None), col(Message.event_id).is_not(None))


async def is_recorded(session: AsyncSession, sid: str) -> bool:
    """True when there is a message that the provider knows by this id."""
    return bool(
        await session.scalar(sa.select(sa.exists().where(col(Message.provider_sid) == sid)))
    )


async def find_by_causes(session: AsyncSession, causes: Sequence[str]) -> Sequence[Message]:
    """The incoming messages with these causes."""
    query = select(Message).where(
        col(Message.cause).in_(causes), col(Message.direction) == Direction.IN
    )
    return (await session.exec(query)).all()


async def get_message(session: AsyncSession, message_id: int) -> Message:
    """One message. Raises NotFound, also for mail to staff, which is theirs alone."""
    found = await session.get(Message, message_id)
    if found is None or found.kind == MessageKind.NOTICE:
        raise NotFound(f"There is no message {message_id}.")
    return found


async def conversation(session: AsyncSession, request_id: int) -> Sequence[Message]:
    """All messages of one request, oldest first."""
    query = select(Message).where(col(Message.request_id) == request_id).order_by(col(Message.id))
    return (await session.exec(query)).all()


async def find_last_message_to(session: AsyncSession, address: str) -> Message | None:
    """Our last message to this address."""
    query = (
        select(Message)
        .where(
            col(Message.to_address) == address,
            col(Message.direction) == Direction.OUT,
            col(Message.kind) != MessageKind.CODE,
        )
        .order_by(col(Message.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).one_or_none()


async def was_written_to_since(session: AsyncSession, address: str, since: datetime) -> bool:
    """True when we wrote to this address after that moment."""
    last = await find_last_message_to(session, address)
    return last is not None and last.created_at >= since


async def is_customer_waiting(
    session: AsyncSession, request: ServiceRequest, now: datetime
) -> bool:
    """Whether the customer waits for us, so that quiet hours delay nothing."""
    since = request.unanswered_since
    if since is not None and now - since <= REPLY_WINDOW:
        return True
    return await has_contacted_since(session, saved_id(request), now - RECENT_CONTACT_WINDOW)


async def find_staff_reply_after(
    session: AsyncSession, request_id: int, event_id: int
) -> Message | None:
    """The newest answer that somebody at the desk wrote after that event, if one did."""
    query = (
        select(Message)
        .where(
            col(Message.request_id) == request_id,
            col(Message.kind) == MessageKind.STAFF,
            col(Message.event_id) > event_id,
        )
        .order_by(col(Message.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).first()


async def has_contacted_since(session: AsyncSession, request_id: int, since: datetime) -> bool:
    """True when the customer wrote, called or came by about this request after that moment."""
    query = (
        select(Contact.id)
        .where(col(Contact.request_id) == request_id, col(Contact.at) >= since)
        .limit(1)
    )
    return (await session.exec(query)).first() is not None


async def find_unmatched_texts(
    session: AsyncSession, address: str, since: datetime
) -> Sequence[Message]:
    """Texts from this address after which we asked "which?", still without an answer."""
    asked = select(Message.cause).where(
        col(Message.to_address) == address,
        col(Message.kind) == MessageKind.WHICH_REQUEST,
        col(Message.created_at) >= since,
    )
    query = (
        select(Message)
        .where(
            col(Message.from_address) == address,
            col(Message.direction) == Direction.IN,
            col(Message.request_id).is_(None),
            col(Message.created_at) >= since,
        )
        .order_by(col(Message.id))
    )
    causes = set((await session.exec(asked)).all())
    unmatched = (await session.exec(query)).all()
    return [message for message in unmatched if f"message:{message.id}" in causes]


async def get_clarification(session: AsyncSession, text: Message) -> Message:
    """The "which?" that we asked about this text."""
    query = select(Message).where(
        col(Message.cause) == f"message:{text.id}", col(Message.kind) == MessageKind.WHICH_REQUEST
    )
    return (await session.exec(query)).one()


class RecentExchange(NamedTuple):
    """What we and one address have written to each other lately."""

    sent: Sequence[Message]
    """Our messages, or those about to be sent: newest first, at most `MAX_RECENT`."""
    received: Sequence[datetime]
    """When their messages came: newest first, no more of them than were asked for."""


async def recent_exchange(
    session: AsyncSession, address: str, since: datetime, *, most_received: int
) -> RecentExchange:
    """The messages to and from this address since then."""
    sent = (
        select(Message)
        .where(
            col(Message.to_address) == address,
            col(Message.direction) == Direction.OUT,
            col(Message.created_at) >= since,
            col(Message.status).not_in(UNSENT_STATUSES),
            # No part of a conversation: whoever has the link may ask for one at any time.
            col(Message.kind) != MessageKind.CODE,
        )
        .order_by(col(Message.id).desc())
        .limit(MAX_RECENT)
    )
    received = (
        select(Message.created_at)
        .where(col(Message.from_address) == address, col(Message.direction) == Direction.IN)
        .order_by(col(Message.id).desc())
        .limit(most_received)
    )
    return RecentExchange((await session.exec(sent)).all(), (await session.exec(received)).all())


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
    """When the same text came from the same address before this one, since then."""
    query = select(Message.created_at).where(
        col(Message.from_address) == message.from_address,
        col(Message.direction) == Direction.IN,
        col(Message.body) == message.body,
        col(Message.created_at) >= since,
        col(Message.id) != message.id,
    )
    return (await session.exec(query)).all()
