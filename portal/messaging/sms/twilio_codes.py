"""What Twilio's words mean to us: its message statuses and its error codes.

Sources: Twilio's Message resource (status values) and its error and warning dictionary.
"""

from portal.messaging.send_errors import FailureRule
from portal.models.messages.message import MessageStatus

MESSAGE_STATUSES: dict[str, MessageStatus] = {
    "accepted": MessageStatus.ACCEPTED,
    "scheduled": MessageStatus.ACCEPTED,
    "queued": MessageStatus.ACCEPTED,
    "sending": MessageStatus.ACCEPTED,
    "sent": MessageStatus.SENT,
    "partially_delivered": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.DELIVERED,
    "undelivered": MessageStatus.UNDELIVERED,
    "failed": MessageStatus.FAILED,
    "canceled": MessageStatus.FAILED,
}
"""Twilio's word → ours. Twilio's "queued" is queued at Twilio, so it has been accepted."""


def status(word: str | None) -> MessageStatus:
    """Our status for Twilio's word; a word we do not know still means that Twilio has it."""
    return MESSAGE_STATUSES.get((word or "").lower(), MessageStatus.ACCEPTED)


def verdict(code: int) -> FailureRule:
    """What an error code asks of us; a code that we do not know is failed and put before staff."""
    return FAILURE_RULES.get(code, UNKNOWN)


def _account(reason: str) -> FailureRule:
    return FailureRule(permanent=False, action="pause_queue", reason=reason)


def _number(reason: str) -> FailureRule:
    return FailureRule(permanent=True, action="bad_number", reason=reason)


def _person(reason: str) -> FailureRule:
    return FailureRule(permanent=True, action="person", reason=reason)


def _words(reason: str) -> FailureRule:
    return FailureRule(permanent=True, action="never_resend", reason=reason)


def _later(reason: str, retries: int | None) -> FailureRule:
    return FailureRule(permanent=False, action="retry_later", reason=reason, retries=retries)


UNKNOWN = _person("The carrier refused this text for a reason we do not know.")

FAILURE_RULES: dict[int, FailureRule] = {
    # Our own account or sender: every text would meet the same, so the queue waits.
    401: _account("Twilio does not accept our sign-in. Check the account's sid and token."),
    403: _account("Twilio does not let this account do that."),
    404: _account("Twilio does not know this account. Check the account's sid."),
    20003: _account("Twilio does not accept our sign-in. Check the account's sid and token."),
    20005: _account("Our Twilio account is not active."),
    20404: _account("Twilio does not know this account. Check the account's sid."),
    21212: _account("Our sending number is not valid."),
    21603: _account("No sending number was given."),
    21606: _account("Our sending number cannot send texts."),
    21659: _account("Our sending number does not belong to our account."),
    21660: _account("Our sending number belongs to another account."),
    21701: _account("Our messaging service does not exist."),
    21703: _account("Our messaging service has no sending number."),
    30002: _account("Our Twilio account is suspended."),
    # The number.
    21211: _number("This is not a valid phone number."),
    21217: _number("This does not look like a phone number."),
    21614: _number("This number cannot receive texts."),
    30005: _number("This number does not exist or is no longer in service."),
    # The customer's wish.
    21610: FailureRule(
        permanent=True,
        action="opted_out",
        reason="The customer has told the carrier to stop our texts.",
    ),
    # The words.
    21602: _words("The text had no words."),
    21617: _words("The text is longer than 1,600 characters."),
    30006: _words("This is a landline, or its carrier takes no texts."),
    30007: _words("The carrier filtered this text as unwanted; its words must change."),
    30036: _words("The text was too late: its time to be delivered had passed."),
    # Passing trouble.
    21611: _later("Our sending number has too many texts waiting.", None),
    30001: _later("Twilio has too many of our texts waiting.", None),
    30003: _later("The phone is off or out of reach.", 1),
    30008: _later("The carrier did not say why it failed.", 1),
    # Somebody must decide.
    21408: _person("Texts to this country are not switched on in our Twilio account."),
    21612: _person("Our sending number cannot reach this number."),
    30004: _person("The carrier or the customer blocks our texts."),
    30032: _person("Our toll-free sending number has not been verified."),
    30034: _person("Our sending number is not registered for texts to the United States."),
}
