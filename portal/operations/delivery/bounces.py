"""Mail of ours that was returned: what that says of the message, and of the address."""

from sqlmodel import col, select

from portal.messaging.email.bounces import DeliveryReport
from portal.models import Channel, Direction, Message, MessageStatus
from portal.operations.delivery.channel_fallback import fall_back, invalidate_address
from portal.operations.unit_of_work import UnitOfWork


async def record_bounce(
    uow: UnitOfWork, report: DeliveryReport, signed_message_id: int | None
) -> None:
    """Take a mail server's word that a mail did not arrive; told again, nothing happens.

    It is believed by the seal of the address that it was returned to (``signed_message_id``, the message
    that it names), or where it returns a mail of ours and speaks of the one whom that went to.
    Anything else changes nothing, and so does news of a delay.
    """
    if report.action != "failed":
        return
    message = await _find(uow, report, signed_message_id)
    if message is None or not message.apply_status(
        MessageStatus.UNDELIVERED, uow.now, report.status
    ):
        return
    verdict = report.verdict
    message.reason = verdict.reason
    # Whoever forwards mail to a place that returns it still has the address that we know.
    if verdict.action == "bad_address" and _speaks_of(report, message):
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
    """Whether it is about the one to whom that mail went."""
    return message.to_address.lower() in report.recipients
