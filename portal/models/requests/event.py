"""The timeline of a request: what happened, when, by whose hand; only ever added to."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Relationship, SQLModel

from portal.models.columns import document, moment, primary_key, refers_to, word, words
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
    EXPECTED = "expected"
    DELAYED = "delayed"
    STILL_ON_IT = "still_on_it"
    THIRD_PARTY_HEARD = "third_party_heard"
    QUESTION_PLANNED = "question_planned"
    QUESTION_ASKED = "question_asked"
    QUESTION_REMINDED = "question_reminded"
    QUESTION_ANSWERED = "question_answered"
    QUESTION_CLOSED = "question_closed"
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
    MESSAGE_IN = "message_in"
    MESSAGE_OUT = "message_out"
    MESSAGE_RETRIED = "message_retried"
    MESSAGE_TOLD = "message_told"
    MEANING_CORRECTED = "meaning_corrected"
    CONTACT_LOGGED = "contact_logged"
    PREFERENCES_CHANGED = "preferences_changed"
    LINK_REPLACED = "link_replaced"
    BALL_DISMISSED = "ball_dismissed"
    MINDS_NOTED = "minds_noted"


class Event(SQLModel, table=True):
    """One thing that happened. ``visible`` ones are what the customer's page shows or reflects.

    Its id is the id of the event that the live page receives, so a page that was away asks for
    everything visible after the last id it saw.
    """

    __tablename__ = "event"
    __table_args__ = (
        # Serves: one request's timeline in order, and what a page missed (id > last seen).
        sa.Index("ix_event_request", "request_id", "id"),
    )

    id: int | None = primary_key()
    request_id: int = refers_to("service_request.id")
    at: datetime = moment()
    kind: EventKind = word(EventKind)
    visible: bool = False
    stage_key: str | None = words(64, default=None, nullable=True)
    run_id: int | None = refers_to("stage_run.id", nullable=True)
    department_id: int | None = refers_to("department.id", nullable=True)
    actor_kind: ActorKind = word(ActorKind, ActorKind.SYSTEM)
    actor_name: str = words(120)
    actor_id: int | None = refers_to("staff_member.id", nullable=True)
    data: dict[str, Any] = document()

    run: StageRun | None = Relationship(
        sa_relationship_kwargs={"lazy": "raise_on_sql", "foreign_keys": "Event.run_id"}
    )
