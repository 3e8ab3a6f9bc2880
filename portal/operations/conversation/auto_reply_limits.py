"""When automatic replies stop: a loop with a machine, or a flood from one number.

Nothing is lost by it: each message is recorded, and a person sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.models import RESPONSE_KINDS, Channel, Direction, Message, ServiceRequest
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import RecentExchange

AUTO_REPLY_WINDOW = timedelta(minutes=10)
EMAIL_AUTO_REPLY_WINDOW = timedelta(hours=1)
MAX_AUTO_REPLIES = 3
"""Automatic replies within the window to one number, or by mail about one request: whoever writes
faster than that may be a machine."""
MAX_TEXTS = 20
"""Texts from one number within the window that are answered one by one."""
UNKNOWN_SENDER_REPLY_INTERVAL = timedelta(hours=1)
"""How long an unknown number that keeps writing gets no second standard answer."""
LOOKBACK = timedelta(days=1)
"""How long a question of ours, or the list of a "which?", can be answered."""


@dataclass(frozen=True, slots=True)
class AutoReplyLimits:
    """What we have sent to this address within a day, newest first, and whether it is too much."""

    recent_messages: Sequence[Message] = ()
    is_flood: bool = False
    is_loop: bool = False

    @property
    def suppress_reply(self) -> bool:
        """Whether to send no automatic reply."""
        return self.is_flood or self.is_loop


def limit_text_replies(exchange: RecentExchange, now: datetime) -> AutoReplyLimits:
    """The limits of a number; ``exchange`` includes the text that has just come."""
    since = now - AUTO_REPLY_WINDOW
    replies = [
        message
        for message in exchange.sent
        if message.kind in RESPONSE_KINDS
        and message.channel == Channel.SMS
        and message.created_at > since
    ]
    return AutoReplyLimits(
        exchange.sent,
        is_flood=sum(received_at >= since for received_at in exchange.received) > MAX_TEXTS,
        is_loop=len(replies) >= MAX_AUTO_REPLIES,
    )


async def load_email_limits(uow: UnitOfWork, request: ServiceRequest) -> AutoReplyLimits:
    """The limits of the mail about one request."""
    query = select(sa.func.count()).where(
        col(Message.request_id) == request.id,
        col(Message.channel) == Channel.EMAIL,
        col(Message.direction) == Direction.OUT,
        col(Message.cause).like("message:%"),
        col(Message.created_at) > uow.now - EMAIL_AUTO_REPLY_WINDOW,
    )
    replies = (await uow.session.exec(query)).one()
    return AutoReplyLimits(is_loop=replies >= MAX_AUTO_REPLIES)
