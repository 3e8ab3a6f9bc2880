"""Looking up texts by their words: ours that a text may quote, and the same text again."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Channel, Direction, Message
from portal.queries.conversations import UNSENT_STATUSES

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
    """When the same text came from the same address before this one, since then."""
    query = select(Message.created_at).where(
        col(Message.from_address) == message.from_address,
        col(Message.direction) == Direction.IN,
        col(Message.body) == message.body,
        col(Message.created_at) >= since,
        col(Message.id) != message.id,
    )
    return (await session.exec(query)).all()
