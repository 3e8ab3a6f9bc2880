"""The sentence of each delivery reason, as staff and the API read it."""

from portal.models import DeliveryReason, Message, SendAttempt

REASON_PHRASES = {
    # Before it is sent.
    DeliveryReason.NO_ADDRESS: "there is no phone number or e-mail address to write to",
    DeliveryReason.CONSENT_WITHDRAWN: "they asked us not to write here",
    DeliveryReason.NO_QUESTIONS: "they asked us for no questions",
    DeliveryReason.EXPIRED: "it could not be sent in time, and later it would only confuse",
    DeliveryReason.SUPERSEDED: "there was newer news about this request before this could be sent",
    DeliveryReason.QUESTION_ANSWERED: "they had answered before this could be sent",
    DeliveryReason.QUESTION_CLOSED: "the question was closed before this could be sent",
    DeliveryReason.REMINDER_TOO_EARLY: "the question itself had to wait, so this reminder would have come right after it",
    DeliveryReason.MONTHLY_LIMIT: "this month's ceiling on texts is reached",
    DeliveryReason.NUMBER_LIMIT: "this number has had {count} texts in a day; more wait",
    DeliveryReason.REQUEST_LIMIT: "this request has had {count} texts. Please look why before it gets more",
    DeliveryReason.NOT_WRITTEN: "this e-mail could not be written. That is our mistake",
    DeliveryReason.UNREADABLE: "something stored about this message or its customer cannot be read, such as the time zone. Please have it corrected, or call",
    # The outcome is unknown.
    DeliveryReason.OUTCOME_UNKNOWN: "we do not know yet whether this was sent",
    DeliveryReason.WORKER_STOPPED: "the worker stopped while it was being sent",
    DeliveryReason.SENT_AGAIN: "sent once more: we could not find out whether the first arrived",
    DeliveryReason.NEVER_KNOWN: "we could not find out whether this was sent",
    DeliveryReason.ASK_CUSTOMER: "we could not find out whether this was sent. Please ask the customer",
    # The provider refuses our account or our number.
    DeliveryReason.CREDENTIALS_REFUSED: "Twilio does not accept our sign-in. Check the account's sid and token",
    DeliveryReason.ACCOUNT_FORBIDDEN: "Twilio does not let this account do that",
    DeliveryReason.ACCOUNT_UNKNOWN: "Twilio does not know this account. Check the account's sid",
    DeliveryReason.ACCOUNT_INACTIVE: "our Twilio account is not active",
    DeliveryReason.ACCOUNT_SUSPENDED: "our Twilio account is suspended",
    DeliveryReason.ACCOUNT_QUEUE_FULL: "Twilio has too many of our texts waiting",
    DeliveryReason.SENDER_INVALID: "our sending number is not valid",
    DeliveryReason.SENDER_MISSING: "no sending number was given",
    DeliveryReason.SENDER_CANNOT_TEXT: "our sending number cannot send texts",
    DeliveryReason.SENDER_NOT_OURS: "our sending number does not belong to our account",
    DeliveryReason.SENDER_OF_ANOTHER_ACCOUNT: "our sending number belongs to another account",
    DeliveryReason.SENDER_QUEUE_FULL: "our sending number has too many texts waiting",
    DeliveryReason.SENDER_NOT_VERIFIED: "our toll-free sending number has not been verified",
    DeliveryReason.SENDER_NOT_REGISTERED: "our sending number is not registered for texts to the United States",
    DeliveryReason.SERVICE_MISSING: "our messaging service does not exist",
    DeliveryReason.SERVICE_WITHOUT_SENDER: "our messaging service has no sending number",
    DeliveryReason.COUNTRY_NOT_ENABLED: "texts to this country are not switched on in our Twilio account",
    DeliveryReason.MAIL_SERVER_REFUSES_US: "our mail server refuses us. Check SMTP_URL",
    DeliveryReason.PROVIDER_DOWN: "the provider does not answer properly",
    # The customer's number or address.
    DeliveryReason.NUMBER_INVALID: "this is not a valid phone number",
    DeliveryReason.NUMBER_MALFORMED: "this does not look like a phone number",
    DeliveryReason.NUMBER_CANNOT_TEXT: "this number cannot receive texts",
    DeliveryReason.NUMBER_GONE: "this number does not exist or is no longer in service",
    DeliveryReason.NUMBER_UNREACHABLE: "our sending number cannot reach this number",
    DeliveryReason.LANDLINE: "this is a landline, or its carrier takes no texts",
    DeliveryReason.PHONE_OFF: "the phone is off or out of reach",
    DeliveryReason.CARRIER_OPT_OUT: "the customer has told the carrier to stop our texts",
    DeliveryReason.BLOCKED: "the carrier or the customer blocks our texts",
    DeliveryReason.ADDRESS_UNKNOWN: "there is no such mail address",
    DeliveryReason.MAIL_DOMAIN_UNKNOWN: "there is no mail server for this address",
    DeliveryReason.MAILBOX_CLOSED: "the mailbox is closed",
    DeliveryReason.MAILBOX_FULL: "the mailbox is full",
    DeliveryReason.MAILBOX_REFUSES: "the mailbox does not take our mail",
    # WhatsApp does not take it.
    DeliveryReason.WHATSAPP_WINDOW_CLOSED: "they had not written on WhatsApp within a day, so it went by SMS",
    DeliveryReason.WHATSAPP_UNREACHABLE: "this number cannot be reached on WhatsApp, so it went by SMS",
    DeliveryReason.WHATSAPP_BLOCKED: "the customer blocks us on WhatsApp, which counts as a stop",
    DeliveryReason.WHATSAPP_TEMPLATE: "WhatsApp did not take the template, so it went by SMS. Check KEPT_WHATSAPP_TEMPLATES",
    DeliveryReason.WHATSAPP_SENDER: "our messaging service has no working WhatsApp sender, so it went by SMS",
    DeliveryReason.WHATSAPP_LIMIT: "WhatsApp limits what we may send there, so it went by SMS",
    DeliveryReason.WHATSAPP_DOWN: "WhatsApp did not work, so it went by SMS",
    DeliveryReason.WHATSAPP_REFUSED: "WhatsApp did not take it, so it went by SMS",
    # The content.
    DeliveryReason.BODY_EMPTY: "the text had no words",
    DeliveryReason.BODY_TOO_LONG: "the text is longer than 1,600 characters",
    DeliveryReason.FILTERED: "the carrier filtered this text as unwanted; its words must change",
    DeliveryReason.TOO_LATE: "the text was too late: its time to be delivered had passed",
    DeliveryReason.MAIL_CONTENT_REFUSED: "the mail's content was refused",
    DeliveryReason.MAIL_TOO_LONG: "the mail was too long for the mailbox",
    DeliveryReason.MAIL_CONTENT_UNSUPPORTED: "their mail server could not take the mail's content",
    # On the way.
    DeliveryReason.CARRIER_GAVE_NO_REASON: "the carrier did not say why it failed",
    DeliveryReason.CARRIER_CODE_UNKNOWN: "the carrier refused this text for a reason we do not know",
    DeliveryReason.MAIL_RETURNED: "the mail was returned for good",
    DeliveryReason.MAIL_GIVEN_UP: "their mail server tried for a while and gave up",
    DeliveryReason.MAIL_REPORT_UNREADABLE: "the mail was returned, and the report that says why cannot be read",
    DeliveryReason.MAIL_SENDER_REFUSED: "their mail server does not accept our address",
    DeliveryReason.MAIL_SERVER_FAILED: "their mail server could not take it",
    DeliveryReason.MAIL_UNWANTED: "their mail server does not want our mail",
    # What came in.
    DeliveryReason.AUTOMATIC_REPLY: "an automatic reply: nobody waits for an answer",
    DeliveryReason.FOREIGN_SENDER: "sent from {sender}, which is not an address of theirs",
    DeliveryReason.UNPROVEN_SENDER: "answers our e-mail, but not to its reply address: it may not be theirs",
    DeliveryReason.REQUEST_UNCLEAR: "it may be about another request of theirs: they were asked which",
}
"""Each as a part of a sentence: without its full stop, its first letter small."""


def reason_phrase(reason: DeliveryReason, *, count: int = 0, sender: str = "") -> str:
    """The reason as a part of a sentence.

    ``count`` is the number of texts that reached a limit, ``sender`` the address of a foreign mail.
    """
    return REASON_PHRASES[reason].format(count=count, sender=sender or "nobody")


def reason_sentence(reason: DeliveryReason, *, count: int = 0, sender: str = "") -> str:
    """The reason as a sentence; the parameters are those of ``reason_phrase``."""
    return _sentence(reason_phrase(reason, count=count, sender=sender))


def message_reason_phrase(message: Message) -> str:
    """Why this message was not sent, not delivered or waits, as a part of a sentence."""
    if message.reason is None:
        return ""
    return reason_phrase(message.reason, count=message.reason_count, sender=message.from_address)


def message_reason(message: Message) -> str:
    """The same as whole sentences, with what to know of a message that came in; empty for none."""
    phrase = message_reason_phrase(message)
    sentences = [_sentence(phrase)] if phrase else []
    if message.is_shortened:
        sentences.append("It was longer than this.")
    return " ".join(sentences)


def attempt_reason_phrase(attempt: SendAttempt) -> str:
    """Why the provider refused this attempt, as a part of a sentence; empty for none."""
    return reason_phrase(attempt.reason) if attempt.reason is not None else ""


def _sentence(phrase: str) -> str:
    return f"{phrase[:1].upper()}{phrase[1:]}."
