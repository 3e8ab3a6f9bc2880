"""What is answered once: the same message twice, a loop with a machine, a flood from one number.

Nothing is lost by it: each message is recorded, and a person sees what nobody has answered.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from portal.messaging.intents.classifier import normalize_words
from portal.models import (
    RESPONSE_KINDS,
    Channel,
    Direction,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import RecentExchange
from portal.queries.sent_texts import (
    find_prompts_after,
    find_recent_inbound,
    has_turned_since,
)

AUTO_REPLY_WINDOW = timedelta(minutes=10)
EMAIL_AUTO_REPLY_WINDOW = timedelta(hours=1)
MAX_AUTO_REPLIES = 8
"""Automatic replies of one kind within the window to one number: whoever writes faster than that may
be a machine. The last of them says that no more follow."""
FLOOD_SUFFIX = ":flood"
"""The end of the cause of the one reply to a flood."""
FLOOD_REPLY_INTERVAL = timedelta(hours=1)
"""How long a flood gets no second reply that says who has all of it."""
MAX_EMAIL_REPLIES = 3
"""Automatic replies by mail about one request within an hour."""
LAST_REPLY_SUFFIX = ":last"
"""The end of the cause of the reply that says that no more follow."""
REPEAT_WINDOW = timedelta(minutes=10)
"""The same message within this time is one message."""
DUPLICATE_DELIVERY = timedelta(seconds=10)
"""The same message within this time is a carrier's duplicate, whatever we asked back meanwhile."""
MAX_TEXTS = 20
"""Texts from one number within the window that are answered one by one."""
UNKNOWN_SENDER_REPLY_INTERVAL = timedelta(hours=1)
"""How long an unknown number that keeps writing gets no second standard answer."""
LOOKBACK = timedelta(days=1)
"""How long a question of ours, or the list of a "which?", can be answered."""


@dataclass(frozen=True, slots=True)
class AutoReplyLimits:
    """What we have sent to this address within a day, newest first, and whether it is too much.

    ``is_last``: one more automatic reply is the last for a while, and says so. ``is_keyword_loop``:
    too many answers to HELP and START. ``is_flood_answered``: the flood has had its one reply.
    """

    recent_messages: Sequence[Message] = ()
    is_flood: bool = False
    is_loop: bool = False
    is_last: bool = False
    is_keyword_loop: bool = False
    is_flood_answered: bool = False

    @property
    def suppress_reply(self) -> bool:
        """Whether to send no automatic reply but a confirmation of what the customer asked for."""
        return self.is_flood or self.is_loop

    @property
    def may_answer(self) -> bool:
        """Whether a question is answered at once, and by more than that a person answers."""
        return not (self.suppress_reply or self.is_last)


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
    counts = Counter(message.kind for message in replies)
    keyword_replies = counts.pop(MessageKind.CONSENT, 0)
    most = max(counts.values(), default=0)
    is_loop = most >= MAX_AUTO_REPLIES or any(
        message.cause.endswith(LAST_REPLY_SUFFIX) for message in replies
    )
    return AutoReplyLimits(
        exchange.sent,
        is_flood=sum(received_at >= since for received_at in exchange.received) > MAX_TEXTS,
        is_loop=is_loop,
        is_last=not is_loop and most == MAX_AUTO_REPLIES - 1,
        is_keyword_loop=keyword_replies >= MAX_AUTO_REPLIES,
        is_flood_answered=any(
            message.cause.endswith(FLOOD_SUFFIX) and message.created_at > now - FLOOD_REPLY_INTERVAL
            for message in exchange.sent
        ),
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
    return AutoReplyLimits(is_loop=replies >= MAX_EMAIL_REPLIES)


async def find_repeated(
    uow: UnitOfWork, inbound: InboundMessage, message: Message, request_ids: Collection[int]
) -> Message | None:
    """The earlier message that this one repeats, from this sender or on these requests.

    None for one with files, or where something has happened since, or we have asked or written
    something, that the same text answers anew. The whole messages are compared. Repeats by two ids
    of the provider, or by page and text, count the same.
    """
    text = comparable_text(inbound.body)
    since = uow.now - REPEAT_WINDOW
    recent: Sequence[Message] = ()
    if comparable_text(inbound.text) and not (inbound.media or inbound.files):
        recent = await find_recent_inbound(uow.session, message, inbound.sender, request_ids, since)
    earlier = next((other for other in recent if comparable_text(other.body) == text), None)
    if earlier is not None:
        is_duplicate = uow.now - earlier.created_at <= DUPLICATE_DELIVERY
        for prompt in await find_prompts_after(uow.session, earlier, inbound.sender):
            if not (is_duplicate and prompt.kind in RESPONSE_KINDS):
                earlier = None
    if earlier is not None and await has_turned_since(uow.session, earlier):
        earlier = None
    return earlier


def comparable_text(text: str) -> str:
    """The text without case, accents and punctuation but a question mark; signs alone stay."""
    plain = normalize_words(text)
    is_question = any(mark in text for mark in "?؟¿")
    return plain + "?" * is_question if plain else "".join(text.split())
