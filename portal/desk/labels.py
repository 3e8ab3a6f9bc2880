"""Labels of the desk: states, channels, reasons, intents and times, as staff read them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from portal.desk.widgets import When
from portal.messaging.intents.classifier import IntentKind
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    Channel,
    ContactReason,
    Direction,
    Message,
    RequestStatus,
    Transport,
)

MAX_QUOTE_LENGTH = 240
STATUS_LABELS = {
    RequestStatus.OPEN: "In progress",
    RequestStatus.WAITING_ON_CUSTOMER: "Waiting for the customer",
    RequestStatus.ON_HOLD: "On hold",
    RequestStatus.AWAITING_CONFIRMATION: "Awaiting confirmation",
    RequestStatus.COMPLETED: "Completed",
    RequestStatus.DECLINED: "Declined",
    RequestStatus.CANCELLED: "Cancelled",
}
CHANNEL_LABELS = {
    Channel.SMS: "by SMS",
    Channel.EMAIL: "by e-mail",
    Channel.WEB: "on the status page",
}
TRANSPORT_LABELS = {Transport.WHATSAPP: "by WhatsApp", Transport.RCS: "by RCS"}
REASON_LABELS = {
    ContactReason.WHERE_IS_IT: "Status question",
    ContactReason.QUESTION: "Question",
    ContactReason.CHANGE: "Change request",
    ContactReason.COMPLAINT: "Complaint",
    ContactReason.OTHER: "Other",
}


INTENT_LABELS = {
    IntentKind.STATUS: "Status question",
    IntentKind.YES: "Yes",
    IntentKind.NO: "No",
    IntentKind.CALL_ME: "Call-back request",
    IntentKind.TIME: "Date or time",
    IntentKind.THANKS: "Thanks",
    IntentKind.REOPEN: "Reopen",
    IntentKind.LINK: "Lost link",
    IntentKind.CHOICE: "Choice of request",
    IntentKind.REACTION: "Reaction",
    IntentKind.ASK_BACK: "Unclear answer",
    IntentKind.STOP_PARTIAL: "Fewer messages",
    IntentKind.STOP: "Opt out",
    IntentKind.START: "Opt in",
    IntentKind.HELP: "Help",
    IntentKind.OTHER: "Needs reply",
}
"""The intents of a customer's message, as staff read them."""


def since(times: TimeFormatter, at: datetime) -> When:
    """A past time."""
    return When(iso(at), times.stamp(at))


def due(times: TimeFormatter, at: datetime, *, late: bool) -> When:
    """A due time; its text includes "overdue" once it is."""
    return When(iso(at), f"overdue since {times.stamp(at)}" if late else times.stamp(at), late)


def iso(at: datetime) -> str:
    """ISO 8601 in UTC, to the minute."""
    return f"{at:%Y-%m-%dT%H:%MZ}"


def timezone_label(timezone: str) -> str:
    """A zone as people call it: "New York time"."""
    city = timezone.rpartition("/")[2].replace("_", " ")
    return f"{city} time" if "/" in timezone else city


def parse_local_time(text: str, timezone: str) -> datetime:
    """The time of a ``datetime-local`` field in that zone. Raises ValueError."""
    local = datetime.fromisoformat(text)
    if local.tzinfo is not None:
        raise ValueError(text)
    return local.replace(tzinfo=ZoneInfo(timezone))


def author_label(message: Message, first_name: str) -> str:
    """The author and the channel."""
    author = first_name if message.direction == Direction.IN else message.author
    return f"{author}, {way_label(message)}"


def way_label(message: Message) -> str:
    """How a message came or goes: "by SMS", "by WhatsApp"."""
    label = CHANNEL_LABELS[message.channel]
    return TRANSPORT_LABELS.get(message.transport, label) if message.transport else label


def intent_label(message: Message) -> str:
    """The intent of a customer's message, and why or who corrected it; empty for other messages."""
    if message.direction == Direction.OUT or not message.intent:
        return ""
    label = INTENT_LABELS[IntentKind(message.intent)].lower()
    if message.intent_corrected_by:
        return f"Corrected intent: {label} ({message.intent_corrected_by})"
    if message.because:
        return f"Read as {label.upper()} because: '{message.because}'"
    return f"Detected intent: {label}"


def join_names(names: list[str]) -> str:
    """Names joined by commas and "and", each once."""
    unique = list(dict.fromkeys(names))
    return " and ".join([", ".join(unique[:-1]), unique[-1]]) if len(unique) > 1 else unique[0]


def truncate_quote(text: str) -> str:
    """A message cut to what a row has room for."""
    return text if len(text) <= MAX_QUOTE_LENGTH else f"{text[:MAX_QUOTE_LENGTH].rstrip()}…"
