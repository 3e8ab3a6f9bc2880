"""The timeline of a request: what happened, when and by which actor. Rows are only added."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Relationship, SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    json_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.actor import ActorKind
from portal.models.requests.stage_run import StageRun


class EventKind(StrEnum):
    """Everything that can happen to a request."""

    OPENED = "opened"
    STAGE_REACHED = "stage_reached"
    STAGE_COMPLETED = "stage_completed"
    STAGE_SUPERSEDED = "stage_superseded"
    HANDOFF_SENT = "handoff_sent"
    HANDOFF_ACCEPTED = "handoff_accepted"
    HANDOFF_REFUSED = "handoff_refused"
    HANDOFF_RECALLED = "handoff_recalled"
    SENT_BACK = "sent_back"
    ASSIGNED = "assigned"
    HELD = "held"
    RESUMED = "resumed"
    DUE_DATE_CHANGED = "expected"
    DELAYED = "delayed"
    PROGRESS_UPDATE = "still_on_it"
    THIRD_PARTY_UPDATED = "third_party_heard"
    QUESTION_PLANNED = "question_planned"
    QUESTION_ASKED = "question_asked"
    QUESTION_REMINDED = "question_reminded"
    QUESTION_ANSWERED = "question_answered"
    QUESTION_CLOSED = "question_closed"
    QUESTION_READ_BACK = "question_read_back"
    NEED_SENT = "need_sent"
    NEED_ACCEPTED = "need_accepted"
    CORRECTION_ASKED = "correction_asked"
    VISIT_MOVED = "visit_moved"
    VISIT_CANCELLED = "visit_cancelled"
    VISIT_REMINDED = "visit_reminded"
    VISIT_ON_THE_WAY = "visit_on_the_way"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    REOPENED = "reopened"
    PROMISE_MADE = "promise_made"
    PROMISE_KEPT = "promise_kept"
    PROMISE_MOVED = "promise_moved"
    PROMISE_MISSED = "promise_missed"
    PROMISE_WITHDRAWN = "promise_withdrawn"
    DOCUMENT_GIVEN = "document_given"
    MESSAGE_IN = "message_in"
    MESSAGE_OUT = "message_out"
    MESSAGE_RETRIED = "message_retried"
    MESSAGE_TOLD_BY_PHONE = "message_told"
    INTENT_CORRECTED = "meaning_corrected"
    CONTACT_LOGGED = "contact_logged"
    PREFERENCES_CHANGED = "preferences_changed"
    LINK_REPLACED = "link_replaced"
    LINK_SHARED = "link_shared"
    BALL_DISMISSED = "ball_dismissed"
    CUSTOMER_NOTE_CHANGED = "minds_noted"


class Event(SQLModel, table=True):
    """One event of a request. The customer's page shows or reflects those that are ``visible``.

    Its id is that of the server-sent event, so a page that was disconnected asks for everything
    visible after its last id.
    """

    __tablename__ = "event"
    __table_args__ = (
        # Serves: a request's timeline in order, and the events that a page missed (id > last).
        sa.Index("ix_event_request", "request_id", "id"),
    )

    id: int | None = primary_key()
    request_id: int = foreign_key_column("service_request.id")
    at: datetime = timestamp_column()
    kind: EventKind = enum_column(EventKind)
    visible: bool = False
    stage_key: str | None = text_column(64, default=None, nullable=True)
    run_id: int | None = foreign_key_column("stage_run.id", nullable=True)
    department_id: int | None = foreign_key_column("department.id", nullable=True)
    actor_kind: ActorKind = enum_column(ActorKind, ActorKind.SYSTEM)
    actor_name: str = text_column(120)
    actor_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    # The API key by which a member of staff has acted.
    via_key: str = text_column(120)
    data: dict[str, Any] = json_column()

    run: StageRun | None = Relationship(
        sa_relationship_kwargs={"lazy": "raise_on_sql", "foreign_keys": "Event.run_id"}
    )
