"""The audit at the end: our messages, compared with what the carrier and mail server accepted."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sqlmodel import col, select

from portal.demo.fake_providers.sms import Text
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
from tests.simulation.event_loop import Simulation
from tests.simulation.fake_carrier import message_id_of

UNDER_WAY = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)
REACHED_CUSTOMER = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
FAILED_STATUSES = (MessageStatus.FAILED, MessageStatus.UNDELIVERED, MessageStatus.REVIEW)
MESSAGE_BALL_KINDS = (
    DroppedBallKind.MESSAGE_UNDELIVERED,
    DroppedBallKind.OUTCOME_UNKNOWN,
    DroppedBallKind.SENT_TWICE,
)


@dataclass
class MessageAudit:
    """Messages owed, lost and sent twice; a sentence for each that is wrong."""

    owed: int = 0
    arrived: int = 0
    held_back: int = 0
    handled_by_staff: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


async def audit_messages(simulation: Simulation) -> MessageAudit:
    """Check that every message has ended, in the way that the carrier knows."""
    accepted: dict[int, list[Text]] = defaultdict(list)
    for text in simulation.carrier.account.texts():
        accepted[message_id_of(text)].append(text)
    query = select(Message).where(col(Message.direction) == Direction.OUT)
    async with simulation.database.reading() as session:
        messages = (await session.exec(query.order_by(col(Message.id)))).all()
        about = select(DroppedBall.subject).where(col(DroppedBall.kind).in_(MESSAGE_BALL_KINDS))
        raised = set((await session.exec(about)).all())
        reached = select(Event).where(col(Event.kind) == EventKind.STAGE_REACHED)
        milestones = [
            event for event in (await session.exec(reached)).all() if event.data.get("told")
        ]
    audit = MessageAudit()
    sent = {message.cause for message in messages if message.kind == MessageKind.MILESTONE}
    audit.lost += [
        f"milestone {event.id} was never sent"
        for event in milestones
        if f"event:{event.id}" not in sent
    ]
    for message in messages:
        if message.channel != Channel.WEB:
            _judge(audit, message, accepted[message.id or 0], simulation.mailer.times, raised)
    return audit


def _judge(
    audit: MessageAudit, message: Message, texts: list[Text], mails: Counter[str], raised: set[str]
) -> None:
    audit.owed += 1
    known = f"message:{message.id}" in raised
    is_text = message.channel == Channel.SMS
    times = len(texts) if is_text else min(1, mails[message.provider_sid or ""])
    what = f"{message.kind} {message.id} to {message.to_address}"
    if times > 1 and not (message.possible_duplicate or known):
        audit.doubled.append(f"{what} went {times} times")
    if message.status in UNDER_WAY:
        audit.lost.append(f"{what} stays {message.status}")
    elif message.status in REACHED_CUSTOMER:
        audit.arrived += 1
        if not times:
            audit.lost.append(f"{what} is {message.status}, and the carrier never accepted it")
        elif is_text and not any(_agrees(message, text) for text in texts):
            audit.lost.append(f"{what} is {message.status}, and was not delivered")
    elif message.status in FAILED_STATUSES:
        audit.handled_by_staff += 1
        if not (known or message.handled_at is not None or message.kind == MessageKind.NOTICE):
            audit.lost.append(f"{what} is {message.status}, and nobody was notified")
    else:
        audit.held_back += 1
        if not message.reason:
            audit.lost.append(f"{what} is {message.status}, and no reason is given")


def _agrees(message: Message, text: Text) -> bool:
    """Whether our status is no better than the carrier's."""
    if text.status in (MessageStatus.UNDELIVERED, MessageStatus.FAILED):
        return False
    return message.status != MessageStatus.DELIVERED or text.status == MessageStatus.DELIVERED
