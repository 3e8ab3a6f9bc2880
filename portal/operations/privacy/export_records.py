"""The records of an export: plain names, codes as text, times in UTC (ISO 8601)."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from portal.models import (
    Attachment,
    Consent,
    Contact,
    ContactPoint,
    Customer,
    Event,
    FollowUp,
    Handoff,
    Message,
    Need,
    PersonRequest,
    Promise,
    PushSubscription,
    ServiceRequest,
    ShareLink,
    StageRun,
    TrustedDevice,
    VerificationCode,
)

Record = dict[str, Any]

MASKED_LINK = "[link]"


def person(customer: Customer) -> Record:
    """Name, language, time zone and preference."""
    return _pick(
        customer, "name", "locale", "timezone", "preferred_channel", "quiet_hours",
        "takes_questions", known_since="created_at",
    )  # fmt: skip


def contact_point(point: ContactPoint) -> Record:
    """A phone number or e-mail address."""
    return _pick(point, "channel", "address", "verified_at", "valid_until")


def consent(line: Consent) -> Record:
    """One line of the consent ledger."""
    return _pick(line, "channel", "address", "granted", "source", "evidence", "at")


def service_request(request: ServiceRequest) -> Record:
    """A request, without its stages and history."""
    return {
        **_pick(
            request, "reference", "title", "external_id", "fields", "status", "opened_at",
            "updated_at", "closed_at", "close_reason", note_about_the_customer="customer_note",
        ),
        "workflow": request.workflow.name,
    }  # fmt: skip


def stage_run(run: StageRun) -> Record:
    """One passage through a stage."""
    return _pick(
        run, "state", "opened_at", "reached_at", "completed_at", "due_at", "completed_by", "note",
        "hold_reason", "hold_until", "delay_reason", "fields", "correction", "third_party", "tracking_number",
        stage="stage_key",
    )  # fmt: skip


def handoff(row: Handoff) -> Record:
    """One transfer between departments."""
    return _pick(row, "sent_at", "accepted_at", "refused_at", "refused_reason", "note")


def promise(row: Promise) -> Record:
    """One commitment."""
    return _pick(
        row, "text", "made_at", "due_at", "kept_at", "closed_at", "moved_reason", "closed_reason",
        call_from="not_before_at", call_window="call_window",
    )  # fmt: skip


def follow_up(question: FollowUp) -> Record:
    """One question and its answer."""
    return _pick(
        question, "state", "question", "fields", "asked_at", "reminded_at", "closed_at", "answer",
        "answered_via", answer_in_own_words="answer_words", time_named="answer_at",
    )  # fmt: skip


def need(row: Need) -> Record:
    """One item that was needed from the person."""
    return _pick(row, "key", "state", "reason", "asked_at", "sent_at", "accepted_at")


def appointment(question: FollowUp) -> Record:
    """A time that the customer named."""
    return _pick(question, "question", at="answer_at")


def contact(row: Contact) -> Record:
    """One time that the customer contacted us."""
    return _pick(row, "channel", "reason", "note", "at", "logged_by")


def event(row: Event) -> Record:
    """One fact of the history."""
    return _pick(row, "at", "kind", stage="stage_key", by="actor_name", details="data")


def message(row: Message) -> Record:
    """One message, in or out."""
    return _pick(
        row, "id", "direction", "channel", "transport", "kind", "subject", "body", "author", "status", "reason",
        "created_at", "sent_at", "delivered_at", "read_at", sent_from="from_address", sent_to="to_address",
        sent_from_on_whatsapp="whatsapp_number", read_by_these_words="because",
    )  # fmt: skip


def attachment(row: Attachment) -> Record:
    """One file: its metadata, and its name in this export where it is stored."""
    return {
        **_pick(row, "name", "media_type", "size", "state", "created_at", message="message_id"),
        "file": file_name(row) if row.digest else None,
        "sha256": row.digest,
    }


def file_name(row: Attachment) -> str:
    """The name of a stored file within the export. Two files of one name do not meet."""
    return f"files/{row.id}-{row.name}"


def device(row: TrustedDevice) -> Record:
    """A browser that showed a code; its secret is not stored."""
    return _pick(row, "channel", "address", "created_at", "expires_at")


def code(row: VerificationCode) -> Record:
    """A code that was sent; its digits are not stored."""
    return _pick(row, "channel", "address", "created_at", "used_at")


def share_link(row: ShareLink) -> Record:
    """A link that was shared with a family; its token is a secret."""
    return _pick(row, "created_at", "ended_at")


def notified_browser(row: PushSubscription) -> Record:
    """A browser that gets notifications; its endpoint is a secret."""
    return _pick(row, "created_at")


def person_request(row: PersonRequest) -> Record:
    """A request of the person about their data."""
    return _pick(row, "kind", "received_at", "due_at", "done_at", "done_by")


def mask(document: Record, tokens: Sequence[str]) -> Record:
    """The document without the tokens of tracking links."""
    text = json.dumps(document)
    for token in tokens:
        text = text.replace(token, MASKED_LINK)
    masked: Record = json.loads(text)
    return masked


def _pick(row: object, *names: str, **renamed: str) -> Record:
    fields = {name: name for name in names} | renamed
    return {label: _plain(getattr(row, name)) for label, name in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return value.value if isinstance(value, Enum) else value
