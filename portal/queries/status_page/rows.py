"""All that stands on a customer's page as one row: whole, and of one moment.

Each kind of row that belongs to the request comes as a JSON array of arrays, so that one statement
is enough; the databases differ only in the names of the two functions that make them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel, col

from portal.models import (
    Attachment,
    Customer,
    Department,
    Event,
    EventKind,
    FollowUp,
    Handoff,
    Message,
    Promise,
    PromiseKind,
    ServiceRequest,
    StaffMember,
    Stage,
    StageRun,
    TrackingLink,
    Workflow,
)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A StageRun as the page needs it."""

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
    delay_reason: str
    note: str
    waits_on_customer: bool
    held_at: datetime | None
    hold_reason: str
    hold_until: datetime | None
    paused_at: datetime | None


@dataclass(frozen=True, slots=True)
class HandoffRow:
    """A Handoff that waits to be taken up."""

    id: int
    run_id: int
    from_department_id: int
    sent_at: datetime
    accept_by: datetime | None


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """A Promise that the customer knows of, with its owner's name: still to keep, kept or missed.

    That we have answered stands in the conversation.
    """

    id: int
    kind: str
    wording: str
    text: str
    department_id: int
    due_at: datetime
    moved_reason: str
    moved_by_customer: bool
    kept_at: datetime | None
    closed_at: datetime | None
    owner: str


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """A FollowUp: a question put, or to be put, to the customer."""

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


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A Message of the conversation."""

    id: int
    direction: str
    channel: str
    kind: str
    cause: str
    event_id: int | None
    status: str
    body: str
    author: str
    author_id: int | None
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
    """What a third party said of a StageRun; ``data`` is the event's, as JSON."""

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
    """A request as its customer may see it, at one moment. Rows stand in the order of their ids."""

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
    name: str
    locale: str
    timezone: str
    runs: tuple[RunRow, ...]
    handoffs: tuple[HandoffRow, ...]
    promises: tuple[PromiseRow, ...]
    follow_ups: tuple[FollowUpRow, ...]
    messages: tuple[MessageRow, ...]
    attachments: tuple[AttachmentRow, ...]
    heard: tuple[ThirdPartyUpdateRow, ...]
    departments: tuple[DepartmentRow, ...]


ROWS: dict[str, Any] = {
    "runs": RunRow,
    "handoffs": HandoffRow,
    "promises": PromiseRow,
    "follow_ups": FollowUpRow,
    "messages": MessageRow,
    "attachments": AttachmentRow,
    "heard": ThirdPartyUpdateRow,
    "departments": DepartmentRow,
}

THIRD_PARTY_UPDATED_KIND = EventKind.THIRD_PARTY_UPDATED


class StatusPageStatements:
    """The statements as this database's driver takes them, each with one parameter.

    ``group`` and ``array`` are the names of its JSON functions.
    """

    def __init__(self, engine: AsyncEngine, group: str, array: str) -> None:
        self._engine = engine
        self._group = getattr(sa.func, group)
        self._array = getattr(sa.func, array)
        token = sa.bindparam("token", type_=sa.String())
        opened = (col(TrackingLink.token) == token, col(TrackingLink.revoked_at).is_(None))
        columns = [col(ServiceRequest.id), col(ServiceRequest.page_version), col(Customer.locale)]
        self.version = self._compiled(self._behind_link(*columns).where(*opened))
        self.snapshot = self._compiled(self._behind_link(*self._page()).where(*opened))
        workflow_id = sa.bindparam("workflow_id", type_=sa.BigInteger())
        self.workflow = self._compiled(
            sa.select(col(Workflow.document)).where(col(Workflow.id) == workflow_id)
        )

    def _behind_link(self, *columns: Any) -> sa.Select[Any]:
        return (
            sa.select(*columns)
            .select_from(TrackingLink)
            .join(ServiceRequest, col(ServiceRequest.id) == col(TrackingLink.request_id))
            .join(Customer, col(Customer.id) == col(ServiceRequest.customer_id))
        )

    def _page(self) -> list[Any]:
        request = (
            "id", "page_version", "workflow_id", "reference", "title", "status", "department_id",
            "closed_at", "close_reason", "closed_unconfirmed",
        )  # fmt: skip
        customer = ("name", "locale", "timezone")
        owner = (
            sa.select(col(StaffMember.name))
            .where(col(StaffMember.id) == col(Promise.owner_id))
            .scalar_subquery()
        )
        in_workflow = (
            sa.select(col(Stage.department_id))
            .where(col(Stage.workflow_id) == col(ServiceRequest.workflow_id))
            .correlate(ServiceRequest)
        )
        in_conversation = (
            sa.select(col(Message.id))
            .where(col(Message.request_id) == col(ServiceRequest.id))
            .correlate(ServiceRequest)
        )
        return [
            *(sa.cast(getattr(ServiceRequest, name), sa.Text) if name.endswith("_at")
              else getattr(ServiceRequest, name) for name in request),
            *(getattr(Customer, name) for name in customer),
            self._rows(StageRun, RunRow),
            self._rows(Handoff, HandoffRow, col(Handoff.closed_at).is_(None)),
            self._rows(Promise, PromiseRow, *_told_promises(), owner=owner),
            self._rows(FollowUp, FollowUpRow),
            self._rows(Message, MessageRow),
            self._rows(
                Attachment, AttachmentRow, col(Attachment.message_id).in_(in_conversation), own=False
            ),
            self._rows(
                # Spelled out: the statement takes the token and nothing else.
                Event, ThirdPartyUpdateRow, col(Event.kind) == sa.literal_column(f"'{THIRD_PARTY_UPDATED_KIND.value}'"),
                data=sa.cast(col(Event.data), sa.Text),
            ),
            self._rows(Department, DepartmentRow, col(Department.id).in_(in_workflow), own=False),
        ]  # fmt: skip

    def _rows(
        self, noun: type[SQLModel], row: Any, *where: Any, own: bool = True, **other: Any
    ) -> Any:
        """The noun's rows that belong to the request (``own``) as one JSON array of arrays."""
        columns = [other.get(name, getattr(noun, name, None)) for name in row.__slots__]
        query = sa.select(self._group(self._array(*columns))).select_from(noun).where(*where)
        if own:
            query = query.where(noun.request_id == col(ServiceRequest.id))  # type: ignore[attr-defined]
        return query.correlate(ServiceRequest).scalar_subquery()

    def _compiled(self, query: sa.Select[Any]) -> str:
        return str(query.compile(dialect=self._engine.dialect))


def _told_promises() -> tuple[Any, ...]:
    # Spelled out, for the same reason as what was heard.
    nothing: sa.ColumnElement[str] = sa.literal_column("''")
    answer: sa.ColumnElement[str] = sa.literal_column(f"'{PromiseKind.ANSWER.value}'")
    is_open = col(Promise.closed_at).is_(None)
    return (
        col(Promise.is_told),
        col(Promise.closed_reason) == nothing,
        is_open | (col(Promise.kind) != answer),
    )


def read_status_page_row(row: Sequence[Any]) -> StatusPageRow:
    """A row of the snapshot statement."""
    told = dict(zip(StatusPageRow.__slots__, row, strict=True))
    told["closed_at"] = _moment(told["closed_at"])
    told |= {name: _read(kind, told[name]) for name, kind in ROWS.items()}
    return StatusPageRow(**told)


def _read(kind: Any, text: str | None) -> Any:
    """Rows of this kind, by id: JSON keeps no order and no moments."""
    if not text:
        return ()
    at = [place for place, name in enumerate(kind.__slots__) if name.endswith(("_at", "_by"))
          or name == "hold_until"]  # fmt: skip
    rows = json.loads(text)
    rows.sort(key=lambda row: row[0])
    for row in rows:
        for place in at:
            if row[place] is not None:
                row[place] = _moment(row[place])
    return tuple(kind(*row) for row in rows)


def _moment(text: str | None) -> datetime | None:
    """Both databases are asked in UTC; SQLite does not say so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
