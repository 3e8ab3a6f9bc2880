"""The rows of the status page, read from the result of one statement.

Each kind of row comes as a JSON array of arrays, in the order of the columns of its class.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TIMES = ("accept_by", "hold_until", "answer_until")
"""Columns that are times, beside those that end in ``_at``."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A StageRun as the page needs it, with the whole name and the photo of its assignee."""

    id: int
    stage_key: str
    department_id: int
    state: str
    passage: int
    opened_at: datetime
    reached_at: datetime | None
    completed_at: datetime | None
    closed_at: datetime | None
    due_at: datetime
    last_promised_at: datetime
    p50_at: datetime | None
    previous_due_at: datetime | None
    delay_reason: str
    note: str
    correction: str
    correction_by: str | None
    waits_on_customer: bool
    waits_on_third_party: bool
    held_at: datetime | None
    hold_reason: str
    hold_until: datetime | None
    paused_at: datetime | None
    assignee: str
    assignee_photo: str | None
    third_party_code: str | None
    third_party_code_at: datetime | None


@dataclass(frozen=True, slots=True)
class HandoffRow:
    """A Handoff that is not accepted yet."""

    id: int
    run_id: int
    from_department_id: int
    sent_at: datetime
    accept_by: datetime | None


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """A Promise that the customer knows of, with its owner's name: open, kept or missed.

    Without the kept promises to answer: the conversation shows the answers.
    """

    id: int
    kind: str
    wording: str
    text: str
    department_id: int
    made_at: datetime
    due_at: datetime
    moved_reason: str
    moved_by_customer: bool
    kept_at: datetime | None
    closed_at: datetime | None
    owner: str
    not_before_at: datetime | None
    call_window: str


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """A FollowUp: a question to the customer, asked or planned; ``fields`` as JSON."""

    id: int
    run_id: int
    key: str
    during_stage: bool
    state: str
    question: str
    next_at: datetime | None
    asked_at: datetime | None
    closed_at: datetime | None
    answer: str | None
    expects: str
    answer_at: datetime | None
    fields: str
    read_back_at: datetime | None
    answer_until: datetime | None
    on_the_way_at: datetime | None
    is_for_visit: bool


@dataclass(frozen=True, slots=True)
class BookedRow:
    """A visit of the department whose visit the customer may book now."""

    id: int
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class NeedRow:
    """A Need: an item that the customer sends.

    ``owner`` checks it by ``due_at``; ``file`` is the name of the first file that came for it.
    """

    id: int
    stage_key: str
    key: str
    state: str
    reason: str
    asked_by: str | None
    sent_at: datetime | None
    owner: str | None
    due_at: datetime | None
    file: str | None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A Message of the conversation."""

    id: int
    direction: str
    channel: str
    transport: str | None
    kind: str
    cause: str
    event_id: int | None
    status: str
    body: str
    author: str
    author_id: int | None
    because: str
    reason: str | None
    reacted_to_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An Attachment of one of the messages."""

    id: int
    message_id: int
    state: str
    name: str
    media_type: str
    digest: str
    size: int
    width: int
    height: int
    refusal_code: str | None
    max_megabytes: int


@dataclass(frozen=True, slots=True)
class ThirdPartyUpdateRow:
    """A third party's update of a StageRun; ``data`` is the event's, as JSON."""

    id: int
    run_id: int
    data: str


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A Department of the request's workflow, with its hours."""

    id: int
    key: str
    name: str
    hours: str
    timezone: str
    holidays: str


@dataclass(frozen=True, slots=True)
class StatusPageRow:
    """A request as its customer may see it, with its owner's name. Its rows are ordered by id.

    ``answered_at`` is when the last promise of an answer was kept.
    """

    request_id: int
    page_version: int
    workflow_id: int
    reference: str
    title: str
    status: str
    department_id: int
    closed_at: datetime | None
    close_reason: str
    closed_unconfirmed: bool
    closed_by_customer: bool
    name: str
    locale: str
    timezone: str
    owner: str
    runs: tuple[RunRow, ...]
    handoffs: tuple[HandoffRow, ...]
    promises: tuple[PromiseRow, ...]
    follow_ups: tuple[FollowUpRow, ...]
    needs: tuple[NeedRow, ...]
    messages: tuple[MessageRow, ...]
    attachments: tuple[AttachmentRow, ...]
    third_party_updates: tuple[ThirdPartyUpdateRow, ...]
    departments: tuple[DepartmentRow, ...]
    booked: tuple[BookedRow, ...]
    answered_at: datetime | None


ROWS: dict[str, Any] = {
    "runs": RunRow,
    "handoffs": HandoffRow,
    "promises": PromiseRow,
    "follow_ups": FollowUpRow,
    "needs": NeedRow,
    "messages": MessageRow,
    "attachments": AttachmentRow,
    "third_party_updates": ThirdPartyUpdateRow,
    "departments": DepartmentRow,
    "booked": BookedRow,
}


def read_status_page_row(row: Sequence[Any]) -> StatusPageRow:
    """The result of the page statement as rows."""
    values = dict(zip(StatusPageRow.__slots__, row, strict=True))
    values |= {name: _parse_time(values[name]) for name in ("closed_at", "answered_at")}
    values |= {name: _read_rows(row_type, values[name]) for name, row_type in ROWS.items()}
    return StatusPageRow(**values)


def _read_rows(row_type: Any, text: str | None) -> Any:
    """Rows of this type by id. The order of a JSON aggregate is undefined, its times are text."""
    if not text:
        return ()
    times = [
        index
        for index, name in enumerate(row_type.__slots__)
        if name.endswith("_at") or name in TIMES
    ]
    rows = json.loads(text)
    rows.sort(key=lambda row: row[0])
    for row in rows:
        for index in times:
            if row[index] is not None:
                row[index] = _parse_time(row[index])
    return tuple(row_type(*row) for row in rows)


def _parse_time(text: str | None) -> datetime | None:
    """Both databases answer in UTC; only SQLite's text has no offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
