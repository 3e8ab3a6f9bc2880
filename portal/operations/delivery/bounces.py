"""Bounced mail: what it says of the message, and of the address."""

from sqlmodel import col, select

from portal.messaging.email.bounces import failure_rule
from portal.messaging.email.delivery_report import DeliveryReport
from portal.messaging.wording.delivery_reasons import message_reason
from portal.models import (
    Channel,
    DeliveryReason,
    Direction,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
)
from portal.operations.delivery.channel_fallback import fall_back, invalidate_address
from portal.operations.dropped_balls.resolution import message_subject, raise_dropped_ball
from portal.operations.unit_of_work import UnitOfWork

OUTGOING_MAIL = (
    select(Message)
    .where(col(Message.channel) == Channel.EMAIL, col(Message.direction) == Direction.OUT)
    .with_for_update()
)
SENT_STATUSES = frozenset(
    {
        MessageStatus.SENDING,
        MessageStatus.UNKNOWN,
        MessageStatus.ACCEPTED,
        MessageStatus.SENT,
        MessageStatus.DELIVERED,
    }
)
"""A mail that may have been returned; DELIVERED, because a mailbox may return it afterwards."""


async def record_bounce(
    uow: UnitOfWork, report: DeliveryReport, signed_message_id: int | None
) -> None:
    """Record that a mail was not delivered; a repeated report changes nothing.

    A report is trusted by the signed address that it was sent to (``signed_message_id`` is the
    message in it), or where it returns a mail of ours and names the recipient of that mail.
    Any other report, and one of a delay, changes nothing.
    """
    if report.action != "failed":
        return
    message = await _find(uow, report, signed_message_id)
    if message is None or not message.apply_status(
        MessageStatus.UNDELIVERED, uow.now, report.status
    ):
        return
    rule = failure_rule(report)
    message.reason = rule.reason
    # Where the mail was forwarded and the other address bounced, the known address stays valid.
    if rule.action == "bad_address" and _speaks_of(report, message):
        await invalidate_address(uow, Channel.EMAIL, message.to_address)
    await fall_back(uow, message)
    if message.request_id is not None:
        uow.changed_requests.add(message.request_id)
    await uow.session.flush()


async def record_unreadable_bounce(uow: UnitOfWork, signed_message_id: int) -> None:
    """Put a returned mail before a person where the report that returns it cannot be read.

    ``signed_message_id`` is the message in the signed address that the report was sent to. Its
    status stays, since the report may be of a delay. Nothing changes where the report repeats,
    where the message has ended, where it is resolved, or where it is a notice or a code.
    """
    message = await _find_signed(uow, signed_message_id)
    if message is None or _needs_no_person(message):
        return
    message.reason = DeliveryReason.MAIL_REPORT_UNREADABLE
    await raise_dropped_ball(
        uow, DroppedBallKind.MESSAGE_UNDELIVERED, message_subject(message), message_reason(message),
        request_id=message.request_id,
    )  # fmt: skip
    if message.request_id is not None:
        uow.changed_requests.add(message.request_id)


def _needs_no_person(message: Message) -> bool:
    return (
        message.status not in SENT_STATUSES
        or message.reason == DeliveryReason.MAIL_REPORT_UNREADABLE
        or message.handled_at is not None
        or message.kind in (MessageKind.NOTICE, MessageKind.CODE, MessageKind.ADDRESS)
    )


async def _find(
    uow: UnitOfWork, report: DeliveryReport, signed_message_id: int | None
) -> Message | None:
    if signed_message_id is not None:
        return await _find_signed(uow, signed_message_id)
    found = OUTGOING_MAIL.where(col(Message.provider_sid).in_(report.message_ids))
    message = (await uow.session.exec(found.limit(1))).first()
    return message if message is not None and _speaks_of(report, message) else None


async def _find_signed(uow: UnitOfWork, message_id: int) -> Message | None:
    query = OUTGOING_MAIL.where(col(Message.id) == message_id)
    return (await uow.session.exec(query)).one_or_none()


def _speaks_of(report: DeliveryReport, message: Message) -> bool:
    """Whether the report names the recipient of that mail."""
    return message.to_address.lower() in report.recipients
