"""Twilio's message statuses and error codes, mapped to ours.

Sources: Twilio's Message resource (status values) and its error and warning dictionary.
"""

from portal.messaging.send_errors import FailureRule
from portal.models import DeliveryReason, MessageStatus, Transport

READ = "read"
"""Twilio's status of what the customer has read, on WhatsApp and RCS: after "delivered"."""

MESSAGE_STATUSES: dict[str, MessageStatus] = {
    "accepted": MessageStatus.ACCEPTED,
    "scheduled": MessageStatus.ACCEPTED,
    "queued": MessageStatus.ACCEPTED,
    "sending": MessageStatus.ACCEPTED,
    "sent": MessageStatus.SENT,
    "partially_delivered": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    READ: MessageStatus.DELIVERED,
    "undelivered": MessageStatus.UNDELIVERED,
    "failed": MessageStatus.FAILED,
    "canceled": MessageStatus.FAILED,
}
"""Twilio's status → ours. Twilio's "queued" is queued at Twilio, so it has been accepted."""


def status(word: str | None) -> MessageStatus:
    """Our status for Twilio's; an unknown one still means that Twilio has the text."""
    return MESSAGE_STATUSES.get((word or "").lower(), MessageStatus.ACCEPTED)


def verdict(code: int) -> FailureRule:
    """What an error code asks of us; a code that we do not know is failed and put before staff."""
    return FAILURE_RULES.get(code, UNKNOWN)


def whatsapp_verdict(code: int) -> FailureRule:
    """What an error code asks of us for a text by WhatsApp: mostly that it goes by SMS.

    Only what is wrong with the whole account waits, and only an opt-out counts for the number.
    A code about senders is about the WhatsApp sender alone: SMS may work.
    """
    rule = verdict(code)
    if rule.action in ("opted_out", "by_sms") or rule.reason in ACCOUNT_REASONS:
        return rule
    is_sender = rule.action == "pause_queue"
    return _sms(DeliveryReason.WHATSAPP_SENDER if is_sender else DeliveryReason.WHATSAPP_REFUSED)


def transport_verdict(code: int, transport: Transport | None) -> FailureRule:
    """What an error code asks of us for a text by this transport."""
    return whatsapp_verdict(code) if transport == Transport.WHATSAPP else verdict(code)


def _account(reason: DeliveryReason) -> FailureRule:
    return FailureRule(permanent=False, action="pause_queue", reason=reason)


def _number(reason: DeliveryReason) -> FailureRule:
    return FailureRule(permanent=True, action="bad_number", reason=reason)


def _person(reason: DeliveryReason) -> FailureRule:
    return FailureRule(permanent=True, action="person", reason=reason)


def _words(reason: DeliveryReason) -> FailureRule:
    return FailureRule(permanent=True, action="never_resend", reason=reason)


def _later(reason: DeliveryReason, retries: int | None) -> FailureRule:
    return FailureRule(permanent=False, action="retry_later", reason=reason, retries=retries)


def _sms(reason: DeliveryReason) -> FailureRule:
    return FailureRule(permanent=True, action="by_sms", reason=reason)


ACCOUNT_REASONS = frozenset(
    {
        DeliveryReason.CREDENTIALS_REFUSED,
        DeliveryReason.ACCOUNT_FORBIDDEN,
        DeliveryReason.ACCOUNT_UNKNOWN,
        DeliveryReason.ACCOUNT_INACTIVE,
        DeliveryReason.ACCOUNT_SUSPENDED,
    }
)
"""Nothing at all is sent by such an account."""

UNKNOWN = _person(DeliveryReason.CARRIER_CODE_UNKNOWN)

FAILURE_RULES: dict[int, FailureRule] = {
    # Our own account or sender: every text would meet the same, so the queue waits.
    401: _account(DeliveryReason.CREDENTIALS_REFUSED),
    403: _account(DeliveryReason.ACCOUNT_FORBIDDEN),
    404: _account(DeliveryReason.ACCOUNT_UNKNOWN),
    20003: _account(DeliveryReason.CREDENTIALS_REFUSED),
    20005: _account(DeliveryReason.ACCOUNT_INACTIVE),
    20404: _account(DeliveryReason.ACCOUNT_UNKNOWN),
    21212: _account(DeliveryReason.SENDER_INVALID),
    21603: _account(DeliveryReason.SENDER_MISSING),
    21606: _account(DeliveryReason.SENDER_CANNOT_TEXT),
    21659: _account(DeliveryReason.SENDER_NOT_OURS),
    21660: _account(DeliveryReason.SENDER_OF_ANOTHER_ACCOUNT),
    21701: _account(DeliveryReason.SERVICE_MISSING),
    21703: _account(DeliveryReason.SERVICE_WITHOUT_SENDER),
    30002: _account(DeliveryReason.ACCOUNT_SUSPENDED),
    # The number.
    21211: _number(DeliveryReason.NUMBER_INVALID),
    21217: _number(DeliveryReason.NUMBER_MALFORMED),
    21614: _number(DeliveryReason.NUMBER_CANNOT_TEXT),
    30005: _number(DeliveryReason.NUMBER_GONE),
    # The customer's opt-out.
    21610: FailureRule(
        permanent=True,
        action="opted_out",
        reason=DeliveryReason.CARRIER_OPT_OUT,
    ),
    # The content.
    21602: _words(DeliveryReason.BODY_EMPTY),
    21617: _words(DeliveryReason.BODY_TOO_LONG),
    30006: _words(DeliveryReason.LANDLINE),
    30007: _words(DeliveryReason.FILTERED),
    30036: _words(DeliveryReason.TOO_LATE),
    # Passing trouble.
    21611: _later(DeliveryReason.SENDER_QUEUE_FULL, None),
    30001: _later(DeliveryReason.ACCOUNT_QUEUE_FULL, None),
    30003: _later(DeliveryReason.PHONE_OFF, 1),
    30008: _later(DeliveryReason.CARRIER_GAVE_NO_REASON, 1),
    # Somebody must decide.
    21408: _person(DeliveryReason.COUNTRY_NOT_ENABLED),
    21612: _person(DeliveryReason.NUMBER_UNREACHABLE),
    30004: _person(DeliveryReason.BLOCKED),
    30032: _person(DeliveryReason.SENDER_NOT_VERIFIED),
    30034: _person(DeliveryReason.SENDER_NOT_REGISTERED),
    # WhatsApp. A customer who has blocked us there wants nothing more from us.
    63014: FailureRule(permanent=True, action="opted_out", reason=DeliveryReason.WHATSAPP_BLOCKED),
    63016: _sms(DeliveryReason.WHATSAPP_WINDOW_CLOSED),
    63003: _sms(DeliveryReason.WHATSAPP_UNREACHABLE),
    63005: _sms(DeliveryReason.WHATSAPP_REFUSED),
    63024: _sms(DeliveryReason.WHATSAPP_UNREACHABLE),
    63021: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    63027: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    63028: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    63029: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    63040: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    63041: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    63042: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    21654: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    21655: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    21656: _sms(DeliveryReason.WHATSAPP_TEMPLATE),
    63007: _sms(DeliveryReason.WHATSAPP_SENDER),
    63020: _sms(DeliveryReason.WHATSAPP_SENDER),
    21910: _sms(DeliveryReason.WHATSAPP_SENDER),
    63010: _sms(DeliveryReason.WHATSAPP_DOWN),
    63012: _sms(DeliveryReason.WHATSAPP_DOWN),
    63018: _sms(DeliveryReason.WHATSAPP_LIMIT),
    63032: _sms(DeliveryReason.WHATSAPP_LIMIT),
    63038: _sms(DeliveryReason.WHATSAPP_LIMIT),
    63049: _sms(DeliveryReason.WHATSAPP_LIMIT),
}
