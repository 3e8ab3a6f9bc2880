"""What became of a message, as staff read it: where it is, what it cost, each try at sending it."""

from datetime import timedelta

from portal.desk.request.conversation_view import AttemptLine
from portal.messaging.sms import segments
from portal.messaging.sms.twilio_codes import verdict
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
"""The customer does not have it, or nobody knows."""

KIND_LABELS = {
    MessageKind.MILESTONE: "A stage was reached",
    MessageKind.FOLLOW_UP: "A question",
    MessageKind.REMINDER: "The question once more",
    MessageKind.HOLD: "It was put on hold",
    MessageKind.RESUMED: "It goes on",
    MessageKind.CANCELLED: "It was cancelled",
    MessageKind.COMPLETED: "It was completed",
    MessageKind.DECLINED: "It was declined",
    MessageKind.PROMISE: "A promise",
    MessageKind.DELAY: "A delay",
    MessageKind.UPDATE: "Still on it",
    MessageKind.LINK: "The link to their page",
    MessageKind.STAFF: "Written by a colleague",
    MessageKind.ACKNOWLEDGEMENT: "We have what they wrote",
    MessageKind.ANSWER: "An answer about where it stands",
    MessageKind.WHICH_REQUEST: "Which request do they mean?",
    MessageKind.CONSENT: "About stopping and starting",
    MessageKind.CODE: "A code for their page",
    MessageKind.REOPEN_OFFER: "Shall it be opened again?",
    MessageKind.CUSTOMER: "From the customer",
    MessageKind.AUTOMATIC: "From a mail program",
    MessageKind.NOTICE: "A notice to staff",
}

PROVIDER_NAMES = {
    Channel.SMS: "the carrier",
    Channel.EMAIL: "the mail server",
    Channel.WEB: "the page",
}

DEFAULT_REASONS = {
    MessageStatus.UNDELIVERED: "the carrier did not say why",
    MessageStatus.FAILED: "we were not told why",
    MessageStatus.SUPPRESSED: "they asked us not to write here",
    MessageStatus.EXPIRED: "it could not go in time, and later it would only confuse",
}
FAILURE_LABELS = {
    MessageStatus.UNDELIVERED: "Not delivered",
    MessageStatus.FAILED: "Not delivered",
    MessageStatus.SUPPRESSED: "Held back",
    MessageStatus.EXPIRED: "Not sent",
}


def delivery_status(message: Message, words: TimeFormatter, theirs: str) -> str:
    """What became of a message, or what to know of one that came in.

    Nothing of what stands on the customer's own page.
    ``words`` says times as the reader counts them, ``theirs`` is the customer's zone.
    """
    if message.direction == Direction.IN:
        return message_reason(message)
    if message.channel == Channel.WEB and message.status == MessageStatus.DELIVERED:
        return ""
    told = _where_it_is(message, words, theirs)
    if message.possible_duplicate:
        told += "; it may have been sent twice"
    if message.handled_at is not None and message.handled_by != SYSTEM_ACTOR.name:
        told += f"; {message.handled_by} saw to it {words.stamp(message.handled_at)}"
    return told


def cost(message: Message) -> str:
    """What a text costs, and what made it dearer: "2 texts, because of “ş”". Empty for the rest."""
    if message.channel != Channel.SMS or message.direction == Direction.IN:
        return ""
    counted = segments.count_segments(message.body)
    number = message.segments or counted.segments
    texts = "1 text" if number == 1 else f"{number} texts"
    non_gsm_characters = ", ".join(f"“{one}”" for one in counted.non_gsm_characters[:5])
    return f"{texts}, because of {non_gsm_characters}" if non_gsm_characters else texts


def tries(message: Message, attempts: list[SendAttempt], words: TimeFormatter) -> list[AttemptLine]:
    """Each try at sending it, the first on top."""
    return [
        AttemptLine(words.stamp(one.claimed_at), _tried(one, message.channel)) for one in attempts
    ]


def _where_it_is(message: Message, words: TimeFormatter, theirs: str) -> str:
    status = message.status
    if status in FAILURE_LABELS:
        reason = _reason(message)
        return f"{FAILURE_LABELS[status]}: {reason}"
    if status == MessageStatus.REVIEW and message.claimed_at is None and message.reason:
        return f"Held back before it was sent: {message_reason_phrase(message)}"
    if message.has_no_receipt(words.now):
        return f"Sent {words.stamp(message.sent_at or message.created_at)}, no receipt has come"
    return {
        MessageStatus.QUEUED: _waiting(message, words, theirs),
        MessageStatus.SENDING: "Being sent",
        MessageStatus.ACCEPTED: f"Sent {words.stamp(message.sent_at or message.created_at)}",
        MessageStatus.SENT: f"Sent {words.stamp(message.sent_at or message.created_at)}",
        MessageStatus.DELIVERED: f"Delivered {words.stamp(message.delivered_at or words.now)}",
        MessageStatus.UNKNOWN: "We are finding out whether this was sent",
        MessageStatus.REVIEW: "Nobody could find out whether this was sent",
        MessageStatus.RECEIVED: "",
    }[status]


def _waiting(message: Message, words: TimeFormatter, theirs: str) -> str:
    """Why it has not gone, and when it goes. A moment's wait is not worth a time."""
    again = "Waits to be sent again" if message.attempts else "Waits to be sent"
    why = f": {message_reason_phrase(message)}" if message.reason else ""
    if message.due_at - words.now < timedelta(minutes=1):
        return again + why
    local = TimeFormatter(words.locale, theirs, words.now)
    when = local.by(message.due_at)
    if when != words.by(message.due_at):
        when += " their time"
    if message.attempts:
        return f"{again} until {when}{why}"
    return f"Waits until {when}{why or ': quiet hours'}"


def _reason(message: Message) -> str:
    if message.reason is not None:
        return message_reason_phrase(message)
    if message.channel == Channel.SMS and (message.error_code or "").isdecimal():
        return reason_phrase(verdict(int(message.error_code or 0)).reason)
    return DEFAULT_REASONS[message.status]


def _tried(attempt: SendAttempt, channel: Channel) -> str:
    carrier = PROVIDER_NAMES[channel]
    if attempt.status == MessageStatus.FAILED:
        reason = attempt_reason_phrase(attempt) or "without a reason"
        return f"refused, {reason} ({attempt.error_code})"
    return {
        MessageStatus.SENDING: "being sent",
        MessageStatus.QUEUED: f"it did not get as far as {carrier}, so nothing was sent",
        MessageStatus.UNKNOWN: f"no clear answer from {carrier}",
        MessageStatus.ACCEPTED: f"{carrier} took it",
        MessageStatus.SENT: f"{carrier} took it",
        MessageStatus.DELIVERED: "delivered",
        MessageStatus.UNDELIVERED: "not delivered",
    }.get(attempt.status, f"given to {carrier}")
