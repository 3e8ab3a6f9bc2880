"""A failed message is sent by the customer's other channel, once; then a person sees it."""

import re
from datetime import timedelta

from sqlmodel import col, select

from portal.messaging.sms import segments
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.wording.delivery_reasons import message_reason
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    ContactPoint,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    Transport,
)
from portal.models.people.given_name import staff_first_name
from portal.operations.dropped_balls.resolution import (
    message_subject,
    raise_dropped_ball,
    schedule_customer_checks,
)
from portal.operations.outbox import Draft
from portal.operations.privacy.classification import ERASED
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import lock_by_id

OTHER_CHANNEL = {Channel.SMS: Channel.EMAIL, Channel.EMAIL: Channel.SMS}
RETRY_CAUSE = re.compile(r"message:(\d+):again")
"""The cause of a message that repeats another."""


async def fall_back(uow: UnitOfWork, message: Message) -> None:
    """Send a failed message by the other channel, else raise a dropped ball.

    Each channel is tried once for one cause, so nothing goes back and forth.
    """
    if message.request_id is None and message.channel == Channel.SMS:
        return  # A reply to an unknown number, or to one that has just stopped.
    if message.kind == MessageKind.NOTICE:
        return  # The desk shows what it is about; a ball about it would only make another mail.
    if message.kind in (MessageKind.CODE, MessageKind.ADDRESS):
        message.mark_handled(
            SYSTEM_ACTOR.name, uow.now
        )  # The customer asks for another code; an address that was given up may be dead.
        return
    if message.handled_at is not None:
        return  # A person has told the customer meanwhile.
    if message.request_id is not None and await _went_otherwise(uow, message):
        message.mark_handled(SYSTEM_ACTOR.name, uow.now)
        return
    await raise_dropped_ball(
        uow, DroppedBallKind.MESSAGE_UNDELIVERED, message_subject(message),
        message_reason(message) or "It was not delivered.", request_id=message.request_id,
    )  # fmt: skip


def send_by_sms(uow: UnitOfWork, message: Message) -> None:
    """Send by SMS a text that WhatsApp did not take, once: the cause of the copy is unique.

    The failed one keeps its reason, and needs nobody. Consent and age are checked in the claim. One
    whose words have been erased is not sent again.
    """
    message.mark_handled(SYSTEM_ACTOR.name, uow.now)
    if message.body == ERASED:
        return
    copy = message.retry_copy(uow.now, timedelta(), Transport.SMS)
    copy.attempts = 0
    copy.segments = segments.count_segments(copy.body).segments
    uow.session.add(copy)
    uow.outbox.written.append(copy)


async def invalidate_address(uow: UnitOfWork, channel: Channel, address: str) -> None:
    """The address is not valid any more: no message is sent there.

    The open requests of its customers are checked: perhaps nothing of theirs is valid any more.
    """
    query = select(ContactPoint).where(
        col(ContactPoint.channel) == channel, col(ContactPoint.address) == address
    )
    points = (await uow.session.exec(query)).all()
    for point in points:
        point.valid_until = uow.now
    await uow.session.flush()
    await schedule_customer_checks(uow, {point.customer_id for point in points})


async def _went_otherwise(uow: UnitOfWork, message: Message) -> bool:
    request = await lock_by_id(uow.session, message.request_id or 0)
    channel = OTHER_CHANNEL[message.channel]
    if (
        message.kind == MessageKind.CONSENT  # It is about this very channel.
        or request.customer.address(channel, uow.now) is None
    ):
        return False
    cause = await _first_cause(uow, message)
    query = select(Message.id).where(
        col(Message.cause) == cause,
        col(Message.kind) == message.kind,
        col(Message.channel) == channel,
    )
    if (await uow.session.exec(query)).first() is not None:
        return False
    written = await uow.outbox.queue(
        request,
        Draft(
            message.kind,
            cause,
            await _words(uow, request, message, channel),
            subject=message.subject,
            author=message.author,
            author_id=message.author_id,
            event_id=message.event_id,
            urgent=message.urgent,
        ),
        channels=[channel],
    )
    return written.status == MessageStatus.QUEUED


async def _first_cause(uow: UnitOfWork, message: Message) -> str:
    """The first cause, however often the message was repeated since."""
    cause = message.cause
    while found := RETRY_CAUSE.fullmatch(cause):
        cause = (await uow.session.get_one(Message, int(found[1]))).cause
    return cause


async def _words(
    uow: UnitOfWork, request: ServiceRequest, message: Message, channel: Channel
) -> str:
    """The body; of a colleague's long message a text has only a link to the page."""
    is_letter = message.kind == MessageKind.STAFF and channel == Channel.SMS
    if not is_letter or segments.count_segments(to_gsm7(message.body)).segments == 1:
        return message.body
    renderer = await uow.renderer(request)
    owner = staff_first_name(message.author) if message.author_id is not None else ""
    return renderer.say("staff_message_link", None, owner=owner or renderer.brand)
