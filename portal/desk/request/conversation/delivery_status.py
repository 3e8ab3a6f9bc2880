"""Delivery details as staff read them: status, cost and attempts of a message."""

from datetime import timedelta

from portal.desk.request.conversation.view_models import AttemptLine
from portal.messaging.sms import segments
from portal.messaging.sms.twilio_codes import transport_verdict
from portal.messaging.wording.delivery_reasons import (
    attempt_reason_phrase,
    message_reason,
    message_reason_phrase,
    reason_phrase,
)
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    SendAttempt,
    Transport,
)

NOT_DELIVERED = frozenset(
    {
        MessageStatus.UNDELIVERED,
        MessageStatus.FAILED,
        MessageStatus.SUPPRESSED,
        MessageStatus.EXPIRED,
        MessageStatus.UNKNOWN,
        MessageStatus.REVIEW,
    }
)
"""Not delivered, or delivery unknown."""

KIND_LABELS = {
    MessageKind.MILESTONE: "Stage update",
    MessageKind.FOLLOW_UP: "Question",
    MessageKind.REMINDER: "Question reminder",
    MessageKind.HOLD: "On hold",
    MessageKind.RESUMED: "Resumed",
    MessageKind.CANCELLED: "Cancelled",
    MessageKind.COMPLETED: "Completed",
    MessageKind.DECLINED: "Declined",
    MessageKind.PROMISE: "Commitment",
    MessageKind.DELAY: "Delay notice",
    MessageKind.UPDATE: "Progress update",
    MessageKind.VISIT: "Visit",
    MessageKind.LINK: "Status link",
    MessageKind.STAFF: "Staff message",
    MessageKind.ACKNOWLEDGEMENT: "Acknowledgement",
    MessageKind.ANSWER: "Status answer",
    MessageKind.WHICH_REQUEST: "Request choice",
    MessageKind.CONSENT: "Consent notice",
    MessageKind.CODE: "Access code",
    MessageKind.REOPEN_OFFER: "Reopen offer",
    MessageKind.CUSTOMER: "Customer message",
    MessageKind.AUTOMATIC: "Automatic reply",
    MessageKind.NOTICE: "Staff notice",
    MessageKind.ADDRESS: "New address",
    MessageKind.DOCUMENT: "Document",
}

PROVIDER_NAMES = {
    Channel.SMS: "the carrier",
    Channel.EMAIL: "the mail server",
    Channel.WEB: "the status page",
}

DEFAULT_REASONS = {
    MessageStatus.UNDELIVERED: "the carrier did not say why",
    MessageStatus.FAILED: "no reason was given",
    MessageStatus.SUPPRESSED: "the customer opted out of this channel",
    MessageStatus.EXPIRED: "it could not be sent in time",
}
FAILURE_LABELS = {
    MessageStatus.UNDELIVERED: "Not delivered",
    MessageStatus.FAILED: "Not delivered",
    MessageStatus.SUPPRESSED: "Held back",
    MessageStatus.EXPIRED: "Not sent",
}


def delivery_status(message: Message, times: TimeFormatter, timezone: str) -> str:
    """The delivery status of a message, or the note on an incoming one.

    Empty for what is visible on the status page.
    ``times`` has the reader's zone; ``timezone`` is the customer's.
    """
    if message.direction == Direction.IN:
        return message_reason(message)
    if message.channel == Channel.WEB and message.status == MessageStatus.DELIVERED:
        return ""
    status = _status_text(message, times, timezone)
    if message.possible_duplicate:
        status += "; it may have been sent twice"
    if message.handled_at is not None and message.handled_by != SYSTEM_ACTOR.name:
        status += f"; handled by {message.handled_by}, {times.stamp(message.handled_at)}"
    return status


def cost(message: Message) -> str:
    """The segments of an SMS, and the characters that add some: "2 SMS, because of “ş”".

    Empty for other channels, for WhatsApp, and for incoming messages.
    """
    if message.channel != Channel.SMS or message.direction == Direction.IN:
        return ""
    if message.transport == Transport.WHATSAPP:
        return ""
    counted = segments.count_segments(message.body)
    number = message.segments or counted.segments
    texts = f"{number} SMS"
    non_gsm_characters = ", ".join(f"“{character}”" for character in counted.non_gsm_characters[:5])
    return f"{texts}, because of {non_gsm_characters}" if non_gsm_characters else texts


def present_attempts(
    message: Message, attempts: list[SendAttempt], times: TimeFormatter
) -> list[AttemptLine]:
    """Each attempt at sending it, the first on top."""
    return [
        AttemptLine(times.stamp(attempt.claimed_at), _attempt_text(attempt, message.channel))
        for attempt in attempts
    ]


def _status_text(message: Message, times: TimeFormatter, timezone: str) -> str:
    status = message.status
    if status in FAILURE_LABELS:
        reason = _reason(message)
        return f"{FAILURE_LABELS[status]}: {reason}"
    if status == MessageStatus.REVIEW and message.claimed_at is None and message.reason:
        return f"Held back before it was sent: {message_reason_phrase(message)}"
    if message.read_at is not None:
        return f"Read {times.stamp(message.read_at)}"
    if message.has_no_receipt(times.now):
        return f"Sent {times.stamp(message.sent_at or message.created_at)}, no delivery receipt"
    return {
        MessageStatus.QUEUED: _queued_text(message, times, timezone),
        MessageStatus.SENDING: "Being sent",
        MessageStatus.ACCEPTED: f"Sent {times.stamp(message.sent_at or message.created_at)}",
        MessageStatus.SENT: f"Sent {times.stamp(message.sent_at or message.created_at)}",
        MessageStatus.DELIVERED: f"Delivered {times.stamp(message.delivered_at or times.now)}",
        MessageStatus.UNKNOWN: "Checking whether this was sent",
        MessageStatus.REVIEW: "Unknown whether this was sent",
        MessageStatus.RECEIVED: "",
    }[status]


def _queued_text(message: Message, times: TimeFormatter, timezone: str) -> str:
    """Why it is queued, and until when; no time for less than a minute."""
    label = "Queued for retry" if message.attempts else "Queued"
    reason = f": {message_reason_phrase(message)}" if message.reason else ""
    if message.due_at - times.now < timedelta(minutes=1):
        return label + reason
    local = TimeFormatter(times.locale, timezone, times.now)
    time = local.by(message.due_at)
    if time != times.by(message.due_at):
        time += " their time"
    if message.attempts:
        return f"{label} until {time}{reason}"
    return f"Queued until {time}{reason or ': quiet hours'}"


def _reason(message: Message) -> str:
    if message.reason is not None:
        return message_reason_phrase(message)
    if message.channel == Channel.SMS and (message.error_code or "").isdecimal():
        code = int(message.error_code or 0)
        return reason_phrase(transport_verdict(code, message.transport).reason)
    return DEFAULT_REASONS[message.status]


def _attempt_text(attempt: SendAttempt, channel: Channel) -> str:
    provider = PROVIDER_NAMES[channel]
    if attempt.status == MessageStatus.FAILED:
        reason = attempt_reason_phrase(attempt) or "without a reason"
        return f"refused, {reason} ({attempt.error_code})"
    return {
        MessageStatus.SENDING: "being sent",
        MessageStatus.QUEUED: f"{provider} was not reached, nothing was sent",
        MessageStatus.UNKNOWN: f"no clear answer from {provider}",
        MessageStatus.ACCEPTED: f"accepted by {provider}",
        MessageStatus.SENT: f"accepted by {provider}",
        MessageStatus.DELIVERED: "delivered",
        MessageStatus.UNDELIVERED: "not delivered",
    }.get(attempt.status, f"passed to {provider}")
