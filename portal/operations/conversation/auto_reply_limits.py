"""When to stop answering of ourselves: a loop with a machine, or a flood from one number.

Nothing that comes is lost for it: each text is recorded, and a person sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from portal.messaging.wording.renderer import fill_template, product_text
from portal.models import RESPONSE_KINDS, Channel, DroppedBallKind, Message, MessageKind
from portal.operations.dropped_balls.resolution import raise_dropped_ball
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import exceeds_text_count, recent_messages_to

AUTO_REPLY_WINDOW = timedelta(minutes=10)
MAX_AUTO_REPLIES = 3
"""Answers by text that one number gets of ourselves in that time: a machine may be answering us."""
MAX_TEXTS = 20
"""Texts of one number in that time that are read one by one."""
LOOKBACK = timedelta(days=1)
"""So long a question of ours, or the list of a "which?", stands for an answer."""


@dataclass(frozen=True, slots=True)
class AutoReplyLimits:
    """What this number has had from us (newest first), and whether it is too much of a thing."""

    recent_messages: Sequence[Message]
    is_flood: bool = False
    is_loop: bool = False

    @property
    def suppress_reply(self) -> bool:
        """Whether to say nothing of ourselves."""
        return self.is_flood or self.is_loop


async def load_auto_reply_limits(uow: UnitOfWork, address: str) -> AutoReplyLimits:
    """What there has been between us and this address, the text that has just come included."""
    recent_messages = await recent_messages_to(uow.session, address, uow.now - LOOKBACK)
    since = uow.now - AUTO_REPLY_WINDOW
    answered = [
        one
        for one in recent_messages
        if one.kind in RESPONSE_KINDS and one.channel == Channel.SMS and one.created_at > since
    ]
    return AutoReplyLimits(
        recent_messages,
        is_flood=await exceeds_text_count(uow.session, address, MAX_TEXTS, since),
        is_loop=len(answered) >= MAX_AUTO_REPLIES,
    )


async def report_flood(uow: UnitOfWork, inbound: Message, locale: str, *, may_text: bool) -> None:
    """Put the flood before a person, once, and say once to that number how it is."""
    is_news = await raise_dropped_ball(
        uow,
        DroppedBallKind.FLOOD,
        f"flood:{inbound.from_address}"[:64],
        f"More than {MAX_TEXTS} texts within {AUTO_REPLY_WINDOW.seconds // 60} minutes from "
        f"{inbound.from_address}: they are recorded, none is answered.",
    )
    if is_news and may_text:
        await uow.outbox.queue_reply_to_address(
            MessageKind.ACKNOWLEDGEMENT,
            f"message:{inbound.id}",
            fill_template(product_text("flood", locale), {"brand": uow.settings.brand}),
            channel=Channel.SMS,
            address=inbound.from_address,
            locale=locale,
        )
