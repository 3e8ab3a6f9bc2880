"""What did not get through goes by the customer's other way, once; then it is before a person."""

import re

from sqlmodel import col, select

from portal.messaging.sms import segments
from portal.messaging.sms.gsm_text import cheapen
from portal.models import (
    KEPT,
    BallKind,
    Channel,
    ContactPoint,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations.dropped_balls.resolution import about, raise_ball
from portal.operations.unit_of_work import Turn
from portal.queries.requests import lock_by_id

OTHER = {Channel.SMS: Channel.EMAIL, Channel.EMAIL: Channel.SMS}
ONCE_MORE = re.compile(r"message:(\d+):again")
"""The cause of a message that repeats another."""


async def fall_back(turn: Turn, message: Message) -> None:
    """It did not get through: try the other channel, else put it before a person.

    Each channel is tried once for one cause, so nothing goes back and forth.
    """
    if message.request_id is None and message.channel == Channel.SMS:
        return  # An answer to a number that no customer has, or to one that has just stopped.
    if message.kind == MessageKind.NOTICE:
        return  # It stands at the desk; a ball about it would only make another mail.
    if message.kind == MessageKind.CODE:
        message.settle(KEPT.name, turn.now)  # They ask for another; it shows another way by itself.
        return
    if message.settled_at is not None:
        return  # A person has told them meanwhile.
    if message.request_id is not None and await _went_otherwise(turn, message):
        message.settle(KEPT.name, turn.now)
        return
    await raise_ball(
        turn, BallKind.MESSAGE_UNDELIVERED, about(message),
        message.reason or "It was not delivered.", request_id=message.request_id,
    )  # fmt: skip


async def retire(turn: Turn, channel: Channel, address: str) -> None:
    """The address is no good: nobody is reached there any more."""
    query = select(ContactPoint).where(
        col(ContactPoint.channel) == channel, col(ContactPoint.address) == address
    )
    for point in (await turn.session.exec(query)).all():
        point.valid_until = turn.now
    await turn.session.flush()


async def _went_otherwise(turn: Turn, message: Message) -> bool:
    request = await lock_by_id(turn.session, message.request_id or 0)
    channel = OTHER[message.channel]
    if (
        message.kind == MessageKind.CONSENT  # about this very channel
        or request.customer.address(channel, turn.now) is None
    ):
        return False
    cause = await _first_cause(turn, message)
    query = select(Message.id).where(
        col(Message.cause) == cause,
        col(Message.kind) == message.kind,
        col(Message.channel) == channel,
    )
    if (await turn.session.exec(query)).first() is not None:
        return False
    written = await turn.outbox.tell(
        request,
        message.kind,
        cause,
        await _words(turn, request, message, channel),
        subject=message.subject,
        channels=[channel],
        author=message.author,
        author_id=message.author_id,
        event_id=message.event_id,
        urgent=message.urgent,
    )
    return written.status == MessageStatus.QUEUED


async def _first_cause(turn: Turn, message: Message) -> str:
    """What made it due in the first place, however often it was repeated since."""
    cause = message.cause
    while found := ONCE_MORE.fullmatch(cause):
        cause = (await turn.session.get_one(Message, int(found[1]))).cause
    return cause


async def _words(turn: Turn, request: ServiceRequest, message: Message, channel: Channel) -> str:
    """Its own words; what a colleague wrote at length is, by text, a link to where it stands."""
    is_letter = message.kind == MessageKind.STAFF and channel == Channel.SMS
    if not is_letter or segments.count(cheapen(message.body)).segments == 1:
        return message.body
    teller = await turn.teller(request)
    return teller.say("written", None, owner=message.author.split()[0])
