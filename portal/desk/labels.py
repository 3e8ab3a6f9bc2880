"""Facts as staff read them: what happened, how a request stands, by when."""

from datetime import datetime
from zoneinfo import ZoneInfo

from portal.desk.widgets import When
from portal.messaging.intents.classifier import IntentKind
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    ActorKind,
    Channel,
    ContactReason,
    Direction,
    Event,
    EventKind,
    Message,
    RequestStatus,
)
from portal.workflows import WorkflowDefinition

STATUS_LABELS = {
    RequestStatus.OPEN: "In work",
    RequestStatus.WAITING_ON_CUSTOMER: "Waiting for the customer",
    RequestStatus.ON_HOLD: "On hold",
    RequestStatus.AWAITING_CONFIRMATION: "Done, the customer has not said so yet",
    RequestStatus.COMPLETED: "Completed",
    RequestStatus.DECLINED: "Declined",
    RequestStatus.CANCELLED: "Cancelled",
}
CHANNEL_LABELS = {Channel.SMS: "by text", Channel.EMAIL: "by e-mail", Channel.WEB: "on their page"}
REASON_LABELS = {
    ContactReason.WHERE_IS_IT: "Where it is",
    ContactReason.QUESTION: "A question",
    ContactReason.CHANGE: "A change",
    ContactReason.COMPLAINT: "A complaint",
    ContactReason.OTHER: "Something else",
}


INTENT_LABELS = {
    IntentKind.STATUS: "Where is it?",
    IntentKind.YES: "Yes",
    IntentKind.NO: "No",
    IntentKind.CALL_ME: "Call me",
    IntentKind.TIME: "A date or a time",
    IntentKind.THANKS: "Thanks",
    IntentKind.REOPEN: "Open it again",
    IntentKind.STOP: "No more messages",
    IntentKind.START: "Messages again",
    IntentKind.HELP: "Who are you?",
    IntentKind.OTHER: "Something for a person",
}
"""What a customer's words may be taken to mean, as staff read it."""


def since(words: TimeFormatter, at: datetime) -> When:
    """A moment that has been."""
    return When(iso(at), words.stamp(at))


def due(words: TimeFormatter, at: datetime, *, late: bool) -> When:
    """A moment to be kept; once it is late it says so in words."""
    return When(iso(at), f"late since {words.stamp(at)}" if late else words.stamp(at), late)


def iso(at: datetime) -> str:
    """For machines: UTC, to the minute."""
    return f"{at:%Y-%m-%dT%H:%MZ}"


def timezone_label(timezone: str) -> str:
    """A zone as people call it: "New York time"."""
    city = timezone.rpartition("/")[2].replace("_", " ")
    return f"{city} time" if "/" in timezone else city


def parse_local_time(words: str, timezone: str) -> datetime:
    """What a ``datetime-local`` field says, on the clocks of that zone. Raises ValueError."""
    local = datetime.fromisoformat(words)
    if local.tzinfo is not None:
        raise ValueError(words)
    return local.replace(tzinfo=ZoneInfo(timezone))


def author_label(message: Message, first_name: str) -> str:
    """The author, and the way the words came or went."""
    author = first_name if message.direction == Direction.IN else message.author
    return f"{author}, {CHANNEL_LABELS[message.channel]}"


def intent_label(message: Message) -> str:
    """What their words were taken to mean, and by whom; empty where nobody asked."""
    if message.direction == Direction.OUT or not message.intent:
        return ""
    said = INTENT_LABELS[IntentKind(message.intent)]
    return f"Taken as “{said}”, {f'by {message.intent_corrected_by}' if message.intent_corrected_by else 'by rule'}"


def describe_event(event: Event, definition: WorkflowDefinition, words: TimeFormatter) -> str:
    """What happened, in one line."""
    stage = _stage_name(event, definition)
    data = event.data
    told = {
        EventKind.OPENED: "Opened the request",
        EventKind.STAGE_REACHED: f"{stage} began{' again' if data.get('again') else ''}",
        EventKind.STAGE_COMPLETED: f"Completed {stage}",
        EventKind.STAGE_SUPERSEDED: f"Set {stage} aside",
        EventKind.HANDOFF_SENT: f"Passed to {data.get('to', 'the next department')} for {stage}",
        EventKind.HANDOFF_ACCEPTED: f"Took up {stage}",
        EventKind.HANDOFF_REFUSED: f"Refused {stage}",
        EventKind.HANDOFF_RECALLED: f"Took {stage} back before anybody had taken it up",
        EventKind.SENT_BACK: f"Sent back to {stage}",
        EventKind.ASSIGNED: f"Given to {data.get('to', 'a colleague')}",
        EventKind.HELD: "Put on hold",
        EventKind.RESUMED: "Resumed",
        EventKind.DUE_DATE_CHANGED: "Gave a new date",
        EventKind.DELAYED: "Told the customer of a delay",
        EventKind.PROGRESS_UPDATE: "Told the customer that we are still on it",
        EventKind.THIRD_PARTY_UPDATED: f"Heard from {data.get('from') or 'the third party'}",
        EventKind.QUESTION_PLANNED: "A question to the customer is planned",
        EventKind.QUESTION_ASKED: "Asked the customer",
        EventKind.QUESTION_REMINDED: "Asked the customer once more",
        EventKind.QUESTION_ANSWERED: f"The customer answered {str(data.get('answer', '')).upper()}",
        EventKind.QUESTION_CLOSED: "No answer came, the question is closed",
        EventKind.AWAITING_CONFIRMATION: "The work is done; the customer has the last word",
        EventKind.COMPLETED: "Completed",
        EventKind.DECLINED: "Closed as declined",
        EventKind.CANCELLED: "Cancelled",
        EventKind.REOPENED: "Opened again",
        EventKind.PROMISE_MADE: f"Promised: {data.get('text', '')}",
        EventKind.PROMISE_KEPT: f"Kept a promise{' late' if data.get('late') else ''}{_which(data)}",
        EventKind.PROMISE_MOVED: f"Moved a promise{_which(data)}",
        EventKind.PROMISE_MISSED: f"Missed a promise{_which(data)}",
        EventKind.PROMISE_WITHDRAWN: f"Took back a promise{_which(data)}",
        EventKind.MESSAGE_IN: "The customer wrote",
        EventKind.MESSAGE_OUT: "Wrote to the customer",
        EventKind.MESSAGE_RETRIED: "Sent a message once more",
        EventKind.MESSAGE_TOLD_BY_PHONE: "Told the customer what a message could not",
        EventKind.INTENT_CORRECTED: _meaning(data),
        EventKind.CONTACT_LOGGED: _contact(data),
        EventKind.PREFERENCES_CHANGED: _preferences(event),
        EventKind.LINK_REPLACED: "Changed the customer's link",
        EventKind.BALL_DISMISSED: "Set aside what had slipped",
        EventKind.CUSTOMER_NOTE_CHANGED: "Noted what the customer minds about",
    }[event.kind]
    if data.get("due_at"):
        told += f", by {words.by(datetime.fromisoformat(data['due_at']))}"
    if data.get("at"):
        told += f", {words.since(datetime.fromisoformat(data['at']))}"
    more = data.get("reason") or data.get("note")
    return f"{told}: {more}" if more else told


def join_names(names: list[str]) -> str:
    """Names as a sentence lists them, each once."""
    unique = list(dict.fromkeys(names))
    return " and ".join([", ".join(unique[:-1]), unique[-1]]) if len(unique) > 1 else unique[0]


def _stage_name(event: Event, definition: WorkflowDefinition) -> str:
    if event.stage_key is None:
        return "it"
    try:
        return definition.stage(event.stage_key).name
    except KeyError:
        return event.stage_key


def _which(data: dict[str, str]) -> str:
    """Which promise, where there are its words."""
    return f" (“{data['text']}”)" if data.get("text") else ""


def _preferences(event: Event) -> str:
    if event.actor_kind != ActorKind.STAFF:
        return "The customer changed how they hear from us"
    called = {"sms": "texts", "email": "e-mail"}.get(event.data.get("channel", ""), "messages")
    about = " about this request" if "request" in event.data.values() else ""
    wish = f"no more {called}" if event.data.get("stop") else f"{called} again"
    return f"The customer told us: {wish}{about}"


def _meaning(data: dict[str, str]) -> str:
    said = {kind.value: words for kind, words in INTENT_LABELS.items()}
    return f"Took a message for “{said.get(data.get('label', ''), 'something else')}”"


def _contact(data: dict[str, str]) -> str:
    how = {"call": "The customer called", "visit": "The customer came by"}
    reason = data.get("reason", "other")
    about = {reason_.value: said for reason_, said in REASON_LABELS.items()}.get(reason, reason)
    return f"{how.get(data.get('channel', ''), 'The customer asked')} ({about.lower()})"
