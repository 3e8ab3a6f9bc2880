"""Resolves failed messages: sent again, replaced, or told by phone.

A message that has ended stays ended, with its attempts on record. Its replacement is a message
of its own, whose cause names the first: late receipts cannot confuse the two, and two people at
once cannot send it twice.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.twilio_codes import FAILURE_RULES, transport_verdict
from portal.messaging.wording.delivery_reasons import reason_sentence
from portal.models import (
    EDITED_SUFFIX,
    Channel,
    Direction,
    DroppedBallKind,
    EventKind,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations.authorization import authorize
from portal.operations.conversation.staff_messages import check_message_body, put_request_link
from portal.operations.dropped_balls.resolution import message_subject, resolve_dropped_balls
from portal.operations.outbox import MESSAGE_LIFETIME, Draft
from portal.operations.privacy.classification import ERASED
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import may_write
from portal.queries.requests import lock_by_id
from portal.rules.authorization import Act

FAILED_STATUSES = frozenset(
    {
        MessageStatus.FAILED,
        MessageStatus.UNDELIVERED,
        MessageStatus.EXPIRED,
        MessageStatus.REVIEW,
    }
)
"""The message was not delivered, or nobody could find out."""

FAILED_OR_UNKNOWN = FAILED_STATUSES | {MessageStatus.UNKNOWN}
"""The same, and messages whose outcome is still being found out."""

CHANGE_THE_TEXT = "The same words would fare no better: change them, or call."
NEVER_RESEND_CODES = frozenset(
    str(code) for code, rule in FAILURE_RULES.items() if rule.action == "never_resend"
)
"""Error codes of texts that must not be sent to the same number again."""
CHANNEL_NAMES = {Channel.SMS: "text", Channel.EMAIL: "e-mail"}


@dataclass(frozen=True)
class FailedMessage:
    """A message that needs a person, and its request (a stranger's has none), both locked."""

    message: Message
    request: ServiceRequest | None


async def lock_failed_message(uow: UnitOfWork, message_id: int) -> FailedMessage:
    """Lock one of our messages and its request until the transaction ends.

    Raises NotFound where there is none, and for mail to staff: nobody else handles it.
    """
    # In the order in which receipts lock them.
    query = select(Message).where(col(Message.id) == message_id).with_for_update()
    message = (await uow.session.exec(query)).one_or_none()
    if message is None or message.direction == Direction.IN or message.kind == MessageKind.NOTICE:
        raise NotFound(f"We have written no message {message_id}.")
    if message.request_id is None:
        return FailedMessage(message, None)
    return FailedMessage(message, await lock_by_id(uow.session, message.request_id))


async def retry_message(
    uow: UnitOfWork, failed_message: FailedMessage, *, to: str | None = None
) -> Message:
    """Send the same text again; return the new message.

    It is sent to the same address, or where that is not valid to the customer's newest; ``to``
    names another of theirs. Where nobody knows whether the first was sent, the new one is marked
    as a possible duplicate. Raises Conflict where it was resolved already, where the address has
    opted out or is gone, and where this text must not be sent again or has been erased.
    """
    await authorize(uow, failed_message.request, Act.RESOLVE_MESSAGE)
    message = failed_message.message
    _must_have_ended(message)
    if message.body == ERASED:
        raise Conflict("The text of this message has been erased, so there is nothing to send.")
    if why := never_resend_reason(message):
        raise Conflict(why)
    again = message.retry_copy(uow.now, timedelta())
    again.to_address = _address(uow, failed_message, to)
    again.attempts = 0
    again.expires_at = uow.now + MESSAGE_LIFETIME
    again.possible_duplicate = may_have_been_sent(message)
    await _must_be_welcome(uow, again)
    uow.session.add(again)
    uow.outbox.written.append(again)
    await _settle(uow, failed_message)
    await _record(uow, failed_message, EventKind.MESSAGE_RETRIED)
    return again


async def resend_message(
    uow: UnitOfWork, failed_message: FailedMessage, body: str, *, channel: Channel | None = None
) -> Message:
    """Send another text instead, by the same channel or by ``channel``; return the new message.

    Raises BadInput for a text that cannot be sent, and Conflict as ``retry_message`` does.
    """
    await authorize(uow, failed_message.request, Act.RESOLVE_MESSAGE)
    message, request = failed_message.message, failed_message.request
    channel = channel or message.channel
    if request is not None:
        body = await put_request_link(uow, request, body)
    body = check_message_body(body)
    _must_have_ended(message)
    if request is None:
        raise Conflict("Nobody's request is behind it: there is nobody to write to.")
    if (
        never_resend_reason(message)
        and channel == message.channel
        and to_gsm7(body) == message.body
    ):
        raise BadInput(
            "The carrier refused just these words. Please change them.", fields={"body": "others"}
        )
    address = request.customer.address(channel, uow.now)
    if address is None:
        raise Conflict(f"There is no address of theirs to write to by {CHANNEL_NAMES[channel]}.")
    if not await may_write(uow.session, channel, address, request.id):
        raise Conflict(_stopped(channel))
    written = await uow.outbox.queue(request, Draft(message.kind, f"message:{message.id}{EDITED_SUFFIX}", body, subject=message.subject, author=uow.actor.name, author_id=uow.actor.staff_id, event_id=message.event_id, urgent=message.urgent), channels=[channel])  # fmt: skip
    await _settle(uow, failed_message)
    await _record(uow, failed_message, EventKind.MESSAGE_OUT)
    return written


async def mark_told_by_phone(
    uow: UnitOfWork, failed_message: FailedMessage, *, note: str = ""
) -> Message:
    """A person has told the customer, by phone or otherwise: nothing more is sent.

    Also for a message with an unknown outcome, and for one that may have been sent twice. Raises
    Conflict where it was resolved already, or is on its way.
    """
    await authorize(uow, failed_message.request, Act.RESOLVE_MESSAGE)
    message = failed_message.message
    note = check_text("note", note, required=False)
    if message.status not in FAILED_OR_UNKNOWN and not message.possible_duplicate:
        raise Conflict(_under_way(message))
    _must_be_unsettled(message)
    if message.status == MessageStatus.UNKNOWN:
        # Whatever is found out, it is not sent again automatically.
        message.status = MessageStatus.REVIEW
    await _settle(uow, failed_message)
    await _record(uow, failed_message, EventKind.MESSAGE_TOLD_BY_PHONE, note)
    return message


def never_resend_reason(message: Message) -> str:
    """Why this text must not be sent to this address again; empty where it may."""
    code = message.error_code or ""
    if message.channel != Channel.SMS or not code.isdecimal():
        return ""
    judged = transport_verdict(int(code), message.transport)
    if judged.action != "never_resend":
        return ""
    return f"{reason_sentence(judged.reason)} {CHANGE_THE_TEXT}"


def may_have_been_sent(message: Message) -> bool:
    """Whether it may have been sent after all; a message held before any attempt was not."""
    return message.status == MessageStatus.REVIEW and message.claimed_at is not None


def _must_have_ended(message: Message) -> None:
    _must_be_unsettled(message)
    if message.status == MessageStatus.UNKNOWN:
        raise Conflict(
            "We are still finding out whether this was sent, so it does not go again yet. "
            "Please look again in a few minutes, or call."
        )
    if message.status not in FAILED_STATUSES:
        raise Conflict(_under_way(message))


def _must_be_unsettled(message: Message) -> None:
    if message.handled_at is not None:
        raise Conflict(f"{message.handled_by} has seen to this already, so nothing was done.")


def _under_way(message: Message) -> str:
    if message.status == MessageStatus.DELIVERED:
        return "This has been delivered, so nothing was done."
    if message.status == MessageStatus.SUPPRESSED:
        return "They asked us not to write there, so nothing was done. You may call."
    return "This is on its way, so nothing was done."


def _address(uow: UnitOfWork, failed_message: FailedMessage, wanted: str | None) -> str:
    """The address to send to. Raises BadInput for one not theirs, Conflict where none is valid."""
    message = failed_message.message
    if failed_message.request is None:
        return message.to_address
    valid = failed_message.request.customer.addresses(message.channel, uow.now)
    if wanted is not None:
        if wanted not in valid:
            raise BadInput(
                "Please choose one of their own addresses.", fields={"to": "one of theirs"}
            )
        return wanted
    if message.to_address in valid:
        return message.to_address
    if not valid:
        raise Conflict(
            f"There is no address of theirs left to write to by {CHANNEL_NAMES[message.channel]}."
        )
    return valid[-1]


async def _must_be_welcome(uow: UnitOfWork, message: Message) -> None:
    if message.request_id is not None and not await may_write(
        uow.session, message.channel, message.to_address, message.request_id
    ):
        raise Conflict(_stopped(message.channel))


def _stopped(channel: Channel) -> str:
    return f"They asked us not to write by {CHANNEL_NAMES[channel]}, so nothing was sent. You may call."


async def _settle(uow: UnitOfWork, failed_message: FailedMessage) -> None:
    """Mark it as resolved; should its replacement fail too, a new ball is raised."""
    message = failed_message.message
    message.mark_handled(uow.actor.name, uow.now)
    await resolve_dropped_balls(
        uow, message_subject(message),
        DroppedBallKind.MESSAGE_UNDELIVERED, DroppedBallKind.OUTCOME_UNKNOWN, DroppedBallKind.SENT_TWICE,
    )  # fmt: skip
    if failed_message.request is not None and failed_message.request.id is not None:
        uow.changed_requests.add(failed_message.request.id)
    await uow.session.flush()


async def _record(
    uow: UnitOfWork, failed_message: FailedMessage, kind: EventKind, note: str = ""
) -> None:
    """Record it on the timeline; the customer sees only a new text."""
    if failed_message.request is None:
        return
    failed_message.request.record(
        kind, uow.actor, uow.now,
        visible=kind == EventKind.MESSAGE_OUT, bumps_version=False, message_id=failed_message.message.id, note=note,
    )  # fmt: skip
    await uow.finish(failed_message.request)
