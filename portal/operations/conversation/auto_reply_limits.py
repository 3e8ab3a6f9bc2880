"""When to stop answering of ourselves: a loop with a machine, or a flood from one number.

Nothing that comes is lost for it: each text is recorded, and a person sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from portal.messaging.wording.renderer import fill, product_words
from portal.models import ANSWERS, BallKind, Channel, Message, MessageKind
from portal.operations.dropped_balls.resolution import raise_ball
from portal.operations.unit_of_work import Turn
from portal.queries.conversations import said_to, wrote_more_than

WITHIN = timedelta(minutes=10)
MOST_ANSWERS = 3
"""Answers by text that one number gets of ourselves in that time: a machine may be answering us."""
MOST_TEXTS = 20
"""Texts of one number in that time that are read one by one."""
REMEMBERED = timedelta(days=1)
"""So long a question of ours, or the list of a "which?", stands for an answer."""


@dataclass(frozen=True, slots=True)
class Restraint:
    """What this number has had from us (newest first), and whether it is too much of a thing."""

    said: Sequence[Message]
    is_flood: bool = False
    is_loop: bool = False

    @property
    def quiet(self) -> bool:
        """Whether to say nothing of ourselves."""
        return self.is_flood or self.is_loop


async def look_back(turn: Turn, address: str) -> Restraint:
    """What there has been between us and this address, the text that has just come included."""
    said = await said_to(turn.session, address, turn.now - REMEMBERED)
    since = turn.now - WITHIN
    answered = [
        one
        for one in said
        if one.kind in ANSWERS and one.channel == Channel.SMS and one.created_at > since
    ]
    return Restraint(
        said,
        is_flood=await wrote_more_than(turn.session, address, MOST_TEXTS, since),
        is_loop=len(answered) >= MOST_ANSWERS,
    )


async def notice_flood(turn: Turn, heard: Message, locale: str, *, may_text: bool) -> None:
    """Put the flood before a person, once, and say once to that number how it is."""
    is_news = await raise_ball(
        turn,
        BallKind.FLOOD,
        f"flood:{heard.from_address}"[:64],
        f"More than {MOST_TEXTS} texts within {WITHIN.seconds // 60} minutes from "
        f"{heard.from_address}: they are recorded, none is answered.",
    )
    if is_news and may_text:
        await turn.outbox.answer_address(
            MessageKind.ACKNOWLEDGEMENT,
            f"message:{heard.id}",
            fill(product_words("flood", locale), {"brand": turn.settings.brand}),
            channel=Channel.SMS,
            address=heard.from_address,
            locale=locale,
        )
