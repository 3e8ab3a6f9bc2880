"""The activity log: what happened to a request, each event as one line for staff."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from portal.desk.labels import INTENT_LABELS, REASON_LABELS
from portal.messaging.wording.third_parties import report_text
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import ActorKind, ContactChannel, Event, EventKind
from portal.workflows import WorkflowDefinition

Description = Callable[[Event, str], str]
"""A line of one kind, from the event and the name of its stage."""

CONTACT_LABELS = {
    ContactChannel.CALL.value: "The customer called",
    ContactChannel.VISIT.value: "The customer came by",
}


def describe_event(event: Event, definition: WorkflowDefinition, times: TimeFormatter) -> str:
    """What happened, in one line: the event by its kind, its due date and time, and its reason."""
    line = DESCRIPTIONS[event.kind](event, _stage_name(event, definition))
    data = event.data
    if data.get("due_at"):
        line += f", due {times.by(datetime.fromisoformat(data['due_at']))}"
    if data.get("at"):
        line += f", {times.since(datetime.fromisoformat(data['at']))}"
    # The reason of a contact is a code, which its line already names.
    reason = "" if event.kind == EventKind.CONTACT_LOGGED else data.get("reason")
    details = reason or data.get("note")
    return f"{line}: {details}" if details else line


def _stage_name(event: Event, definition: WorkflowDefinition) -> str:
    if event.stage_key is None:
        return "the request"
    try:
        return definition.stage(event.stage_key).name
    except KeyError:
        return event.stage_key


def _always(line: str) -> Description:
    """The same line for every event of a kind."""
    return lambda event, stage: line  # noqa: ARG005


def _of_stage(template: str) -> Description:
    """A line that names the stage."""
    return lambda event, stage: template.format(stage)  # noqa: ARG005


def _of_promise(line: str) -> Description:
    """A line that quotes the commitment, where the event has its text."""
    return lambda event, stage: f"{line}{_quoted_text(event.data)}"  # noqa: ARG005


def _of_item(template: str) -> Description:
    """A line that names the item which is needed from the customer."""
    return lambda event, stage: template.format(f"“{event.data.get('item', '')}”")  # noqa: ARG005


def _quoted_text(data: Mapping[str, Any]) -> str:
    return f" (“{data['text']}”)" if data.get("text") else ""


def _stage_reached(event: Event, stage: str) -> str:
    return f"Started {stage}{' again' if event.data.get('again') else ''}"


def _handed_off(event: Event, stage: str) -> str:
    return f"Handed off to {event.data.get('to', 'the next department')} for {stage}"


def _assigned(event: Event, stage: str) -> str:
    del stage
    return f"Assigned to {event.data.get('to', 'a colleague')}"


def _third_party_updated(event: Event, stage: str) -> str:
    del stage
    said = report_text(event.data)
    return (
        f"Update from {event.data.get('from') or 'the third party'}{f' (“{said}”)' if said else ''}"
    )


def _answered(event: Event, stage: str) -> str:
    del stage
    agreed = ", ".join(dict(event.data.get("fields") or {}).values())
    return f"The customer answered {str(event.data.get('answer', '')).upper()}" + (
        f" to {agreed}" if agreed else ""
    )


def _promised(event: Event, stage: str) -> str:
    del stage
    return f"New commitment: {str(event.data.get('text', '')).rstrip('.')}"


def _promise_kept(event: Event, stage: str) -> str:
    del stage
    late = " late" if event.data.get("late") else ""
    return f"Completed a commitment{late}{_quoted_text(event.data)}"


def _intent_corrected(event: Event, stage: str) -> str:
    del stage
    labels = {kind.value: label for kind, label in INTENT_LABELS.items()}
    return f"Corrected an intent to “{labels.get(event.data.get('label', ''), 'Other')}”"


def _contact_logged(event: Event, stage: str) -> str:
    del stage
    contact = CONTACT_LABELS.get(event.data.get("channel", ""), "The customer asked")
    labels = {reason.value: label for reason, label in REASON_LABELS.items()}
    reason = event.data.get("reason", "other")
    return f"{contact} ({labels.get(reason, reason).lower()})"


WISHES = {
    ("quiet_hours", True): "no messages at night",
    ("quiet_hours", False): "messages at any hour",
    ("takes_questions", True): "follow-up questions",
    ("takes_questions", False): "no follow-up questions",
}


def _wish_of(event: Event) -> set[tuple[str, bool]]:
    names = ("quiet_hours", "takes_questions")
    return {(name, bool(event.data[name])) for name in names if event.data.get(name) is not None}


def _preferences_changed(event: Event, stage: str) -> str:
    del stage
    if event.actor_kind != ActorKind.STAFF:
        changed = {"sms": "phone number", "email": "e-mail address"}.get(
            event.data.get("address", "")
        )
        return f"The customer changed their {changed or 'contact preferences'}"
    wish = next((label for key, label in WISHES.items() if key in _wish_of(event)), None)
    if wish is not None:
        return f"Customer asked for: {wish}"
    channel = {"sms": "SMS", "email": "e-mail"}.get(event.data.get("channel", ""), "messages")
    choice = f"opt out of {channel}" if event.data.get("stop") else f"opt in to {channel}"
    scope = " (this request)" if "request" in event.data.values() else ""
    return f"Customer asked for: {choice}{scope}"


def _link_shared(event: Event, stage: str) -> str:
    del stage
    return (
        "The customer ended the share link"
        if event.data.get("is_ended")
        else "The customer made a share link"
    )


def _visit(by_us: str, by_customer: str) -> Description:
    def describe(event: Event, stage: str) -> str:
        del stage
        return by_customer if event.actor_kind == ActorKind.CUSTOMER else by_us

    return describe


DESCRIPTIONS: Mapping[EventKind, Description] = {
    EventKind.OPENED: _always("Opened the request"),
    EventKind.STAGE_REACHED: _stage_reached,
    EventKind.STAGE_COMPLETED: _of_stage("Completed {}"),
    EventKind.STAGE_SUPERSEDED: _of_stage("Superseded {}"),
    EventKind.HANDOFF_SENT: _handed_off,
    EventKind.HANDOFF_ACCEPTED: _of_stage("Accepted {}"),
    EventKind.HANDOFF_REFUSED: _of_stage("Declined {}"),
    EventKind.HANDOFF_RECALLED: _of_stage("Recalled the handoff of {}"),
    EventKind.SENT_BACK: _of_stage("Returned to {}"),
    EventKind.ASSIGNED: _assigned,
    EventKind.HELD: _always("Put on hold"),
    EventKind.RESUMED: _always("Resumed"),
    EventKind.DUE_DATE_CHANGED: _always("Changed the due date"),
    EventKind.DELAYED: _always("Notified the customer of a delay"),
    EventKind.PROGRESS_UPDATE: _always("Sent the customer a progress update"),
    EventKind.THIRD_PARTY_UPDATED: _third_party_updated,
    EventKind.QUESTION_PLANNED: _always("Planned a question to the customer"),
    EventKind.QUESTION_ASKED: _always("Asked the customer"),
    EventKind.QUESTION_REMINDED: _always("Reminded the customer of the question"),
    EventKind.QUESTION_ANSWERED: _answered,
    EventKind.QUESTION_CLOSED: _always("Closed the question without an answer"),
    EventKind.QUESTION_READ_BACK: _always("Read a YES back to the customer"),
    EventKind.NEED_SENT: _of_item("The customer sent {}"),
    EventKind.NEED_ACCEPTED: _of_item("Accepted {}"),
    EventKind.CORRECTION_ASKED: _of_item("Asked the customer to correct {}"),
    EventKind.VISIT_MOVED: _visit("Moved the visit", "The customer moved the visit"),
    EventKind.VISIT_CANCELLED: _visit("Cancelled the visit", "The customer cancelled the visit"),
    EventKind.VISIT_REMINDED: _always("Reminded the customer of the visit"),
    EventKind.VISIT_ON_THE_WAY: _always("Told the customer that somebody is on the way"),
    EventKind.AWAITING_CONFIRMATION: _always("Work done, awaiting confirmation by the customer"),
    EventKind.COMPLETED: _always("Completed"),
    EventKind.DECLINED: _always("Closed as declined"),
    EventKind.CANCELLED: _always("Cancelled"),
    EventKind.REOPENED: _always("Reopened"),
    EventKind.PROMISE_MADE: _promised,
    EventKind.PROMISE_KEPT: _promise_kept,
    EventKind.PROMISE_MOVED: _of_promise("Rescheduled a commitment"),
    EventKind.PROMISE_MISSED: _of_promise("Missed a commitment"),
    EventKind.PROMISE_WITHDRAWN: _of_promise("Withdrew a commitment"),
    EventKind.MESSAGE_IN: _always("Message from the customer"),
    EventKind.MESSAGE_OUT: _always("Message to the customer"),
    EventKind.MESSAGE_RETRIED: _always("Sent a message again"),
    EventKind.MESSAGE_TOLD_BY_PHONE: _always("Marked the customer as informed"),
    EventKind.INTENT_CORRECTED: _intent_corrected,
    EventKind.CONTACT_LOGGED: _contact_logged,
    EventKind.PREFERENCES_CHANGED: _preferences_changed,
    EventKind.LINK_REPLACED: _always("Changed the status link"),
    EventKind.DOCUMENT_GIVEN: _always("Put a document on the status page"),
    EventKind.LINK_SHARED: _link_shared,
    EventKind.BALL_DISMISSED: _always("Dismissed an item that needed attention"),
    EventKind.CUSTOMER_NOTE_CHANGED: _always("Changed the customer note"),
}
"""Each kind of event and what builds its line; only the line of the event shown is built."""
