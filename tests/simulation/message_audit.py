"""The account at the end: what we owed, against what the carrier and the mail server really had."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sqlmodel import col, select

from portal.models import (
    Channel,
    Direction,
    DroppedBall,
    DroppedBallKind,
    Event,
    EventKind,
    Message,
    MessageKind,
    MessageStatus,
)
from tests.simulation.event_loop import EventLoop
from tests.simulation.fake_carrier import Text

UNDER_WAY = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)
SENT_STATUSES = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
FAILED_STATUSES = (MessageStatus.FAILED, MessageStatus.UNDELIVERED, MessageStatus.REVIEW)
MESSAGE_BALL_KINDS = (
    DroppedBallKind.MESSAGE_UNDELIVERED,
    DroppedBallKind.OUTCOME_UNKNOWN,
    DroppedBallKind.SENT_TWICE,
)


@dataclass
class MessageAudit:
    """Messages owed, lost and doubled; each that is wrong with a sentence."""

    owed: int = 0
    arrived: int = 0
    held_back: int = 0
    told_by_people: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


async def audit_messages(world: EventLoop) -> MessageAudit:
    """Every message of ours has an end, and it is the one that the carrier knows."""
    taken: dict[int, list[Text]] = defaultdict(list)
    for text in world.carrier.texts.values():
        taken[text.message_id].append(text)
    query = select(Message).where(col(Message.direction) == Direction.OUT)
    async with world.database.reading() as session:
        messages = (await session.exec(query.order_by(col(Message.id)))).all()
        about = select(DroppedBall.subject).where(col(DroppedBall.kind).in_(MESSAGE_BALL_KINDS))
        raised = set((await session.exec(about)).all())
        reached = select(Event).where(col(Event.kind) == EventKind.STAGE_REACHED)
        milestones = [one for one in (await session.exec(reached)).all() if one.data.get("told")]
    account = MessageAudit()
    told = {one.cause for one in messages if one.kind == MessageKind.MILESTONE}
    account.lost += [
        f"milestone {event.id} was never told"
        for event in milestones
        if f"event:{event.id}" not in told
    ]
    for message in messages:
        if message.channel != Channel.WEB:
            _judge(account, message, taken[message.id or 0], world.mail.mails, raised)
    return account


def _judge(
    account: MessageAudit,
    message: Message,
    texts: list[Text],
    mails: Counter[str],
    raised: set[str],
) -> None:
    account.owed += 1
    known = f"message:{message.id}" in raised
    is_text = message.channel == Channel.SMS
    times = len(texts) if is_text else min(1, mails[message.provider_sid or ""])
    what = f"{message.kind} {message.id} to {message.to_address}"
    if times > 1 and not (message.possible_duplicate or known):
        account.doubled.append(f"{what} went {times} times")
    if message.status in UNDER_WAY:
        account.lost.append(f"{what} is {message.status} for ever")
    elif message.status in SENT_STATUSES:
        account.arrived += 1
        if not times:
            account.lost.append(f"{what} is {message.status}, and the carrier never had it")
        elif is_text and not any(_agrees(message, text) for text in texts):
            account.lost.append(f"{what} is {message.status}, and was not delivered")
    elif message.status in FAILED_STATUSES:
        account.told_by_people += 1
        if not (known or message.handled_at is not None or message.kind == MessageKind.NOTICE):
            account.lost.append(f"{what} is {message.status}, and nobody was told")
    else:
        account.held_back += 1
        if not message.reason:
            account.lost.append(f"{what} is {message.status}, and nobody knows why")


def _agrees(message: Message, text: Text) -> bool:
    """Whether what we believe is no better than what is so."""
    if text.status in (MessageStatus.UNDELIVERED, MessageStatus.FAILED):
        return False
    return message.status != MessageStatus.DELIVERED or text.status == MessageStatus.DELIVERED
