"""Bounced mail: what it says of the message, and of the address."""

from sqlmodel import col, select

from portal.messaging.email.bounces import failure_rule
from portal.messaging.email.delivery_report import DeliveryReport
from portal.models import Channel, Direction, Message, MessageStatus
from portal.operations.delivery.channel_fallback import fall_back, invalidate_address
from portal.operations.unit_of_work import UnitOfWork


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


async def _find(
    uow: UnitOfWork, report: DeliveryReport, signed_message_id: int | None
) -> Message | None:
    query = (
        select(Message)
        .where(col(Message.channel) == Channel.EMAIL, col(Message.direction) == Direction.OUT)
        .with_for_update()
    )
    if signed_message_id is not None:
        return (
            await uow.session.exec(query.where(col(Message.id) == signed_message_id))
        ).one_or_none()
    found = query.where(col(Message.provider_sid).in_(report.message_ids))
    message = (await uow.session.exec(found.limit(1))).first()
    return message if message is not None and _speaks_of(report, message) else None


def _speaks_of(report: DeliveryReport, message: Message) -> bool:
    """Whether the report names the recipient of that mail."""
    return message.to_address.lower() in report.recipients
