"""Looking up messages: by the provider's id, by address, by request."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import NotFound
from portal.models import (
    ASK_BACK_CAUSE,
    Contact,
    ContactChannel,
    DeliveryReason,
    Direction,
    Event,
    EventKind,
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
MAX_EVENTS = 50
"""The newest events that say which request was last spoken of."""
EXCHANGES = frozenset({
    EventKind.MESSAGE_IN, EventKind.MESSAGE_OUT, EventKind.CONTACT_LOGGED,
    EventKind.QUESTION_ANSWERED, EventKind.COMPLETED, EventKind.DECLINED, EventKind.CANCELLED,
})  # fmt: skip
"""Events after which the next message without a name is about the same request."""
ANNOUNCEMENTS = frozenset({
    EventKind.OPENED, EventKind.STAGE_REACHED, EventKind.QUESTION_ASKED,
    EventKind.QUESTION_REMINDED, EventKind.HELD,
})  # fmt: skip
"""Events that the customer gets a message about, and that may lead to the next one of theirs."""
STRANGER_REASONS = (DeliveryReason.FOREIGN_SENDER, DeliveryReason.UNPROVEN_SENDER)
"""What a message has that may not be the customer's."""
UNSENT_STATUSES = (MessageStatus.SUPPRESSED, MessageStatus.EXPIRED, MessageStatus.FAILED)


def says_something() -> Any:
    """The condition (SQL) for a message that is no mere reaction: one that a person is owed for is."""
    return sa.or_(col(Message.reacted_to_id).is_(None), col(Message.event_id).is_not(None))


def written_by_customer() -> Any:
    """The condition (SQL) for a message that is the customer's own."""
    return sa.or_(col(Message.reason).is_(None), col(Message.reason).not_in(STRANGER_REASONS))


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


async def find_waiting_texts(session: AsyncSession, address: str) -> Sequence[Message]:
    """Texts from this address that we asked "which?" about, oldest first.

    Those that nobody has answered since, by a message or a logged call.
    """
    reply = aliased(Message)
    is_answered = sa.exists().where(
        col(reply.request_id) == col(Message.request_id),
        col(reply.kind) == MessageKind.STAFF,
        col(reply.id) > col(Message.id),
    )
    is_called = sa.exists().where(
        col(Contact.request_id) == col(Message.request_id),
        col(Contact.channel) == ContactChannel.CALL,
        col(Contact.message_id).is_(None),
        col(Contact.at) > col(Message.created_at),
    )
    query = (
        select(Message)
        .where(
            col(Message.from_address) == address,
            col(Message.direction) == Direction.IN,
            col(Message.reason) == DeliveryReason.REQUEST_UNCLEAR,
            ~is_answered,
            ~is_called,
        )
        .order_by(col(Message.id))
    )
    return (await session.exec(query)).all()


async def find_clarification(session: AsyncSession, text: Message) -> Message | None:
    """The "which?" that we asked about this text; None once it is deleted by age."""
    query = select(Message).where(
        col(Message.cause) == f"message:{text.id}", col(Message.kind) == MessageKind.WHICH_REQUEST
    )
    return (await session.exec(query)).one_or_none()


async def has_message_of(session: AsyncSession, cause: str) -> bool:
    """Whether this cause has led to a message already."""
    query = select(Message.id).where(col(Message.cause) == cause).limit(1)
    return (await session.exec(query)).first() is not None


async def recent_exchanges(
    session: AsyncSession, request_ids: Collection[int], since: datetime
) -> Sequence[Event]:
    """What was said, asked, answered or announced about these requests since then, newest first."""
    query = (
        select(Event)
        .where(
            col(Event.request_id).in_(request_ids),
            col(Event.kind).in_(EXCHANGES | ANNOUNCEMENTS),
            col(Event.at) >= since,
        )
        .order_by(col(Event.id).desc())
        .limit(MAX_EVENTS)
    )
    return (await session.exec(query)).all()


async def has_written_since(session: AsyncSession, request_id: int, since: datetime) -> bool:
    """True when it is proven that the customer has written about this request since then."""
    query = (
        select(Message.id)
        .where(
            col(Message.request_id) == request_id,
            col(Message.direction) == Direction.IN,
            col(Message.kind) == MessageKind.CUSTOMER,
            written_by_customer(),
            col(Message.created_at) >= since,
        )
        .limit(1)
    )
    return (await session.exec(query)).first() is not None


async def find_asked_back(session: AsyncSession, question_ids: Collection[int]) -> frozenset[int]:
    """Those of these questions that a reply was asked back about."""
    causes = {f"{ASK_BACK_CAUSE}{question_id}": question_id for question_id in question_ids}
    query = select(Message.cause).where(col(Message.cause).in_(causes))
    return frozenset(causes[cause] for cause in (await session.exec(query)).all())


async def find_last_sent(
    session: AsyncSession, request_ids: Collection[int], since: datetime
) -> Sequence[Message]:
    """Our messages about these requests since then, newest first, at most `MAX_RECENT`."""
    query = (
        select(Message)
        .where(
            col(Message.request_id).in_(request_ids),
            col(Message.direction) == Direction.OUT,
            col(Message.created_at) >= since,
            col(Message.status).not_in(UNSENT_STATUSES),
        )
        .order_by(col(Message.id).desc())
        .limit(MAX_RECENT)
    )
    return (await session.exec(query)).all()


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
