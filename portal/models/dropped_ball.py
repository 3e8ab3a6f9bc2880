"""Something that has slipped, with a named person, until it is put right."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import SQLModel

from portal.models.columns import moment, primary_key, refers_to, word, words


class BallKind(StrEnum):
    """The ways in which a request can slip."""

    STAGE_OVERDUE = "stage_overdue"
    HANDOFF_UNACCEPTED = "handoff_unaccepted"
    PROMISE_DUE = "promise_due"
    MESSAGE_UNANSWERED = "message_unanswered"
    MESSAGE_UNDELIVERED = "message_undelivered"
    FOLLOW_UP_UNANSWERED = "follow_up_unanswered"
    SENT_TWICE = "sent_twice"
    OUTCOME_UNKNOWN = "outcome_unknown"
    UNKNOWN_SENDER = "unknown_sender"
    SENDING_PAUSED = "sending_paused"
    CEILING = "ceiling"
    FLOOD = "flood"
    NO_OWNER = "no_owner"


class DroppedBall(SQLModel, table=True):
    """Raised once per kind and subject: ``subject`` is what slipped, such as ``message:17``."""

    __tablename__ = "dropped_ball"
    __table_args__ = (
        # Serves: raising once, and resolving by the fact.
        sa.Index(
            "ux_dropped_ball_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        ),
        # Serves: what has slipped and is still open, newest first.
        sa.Index(
            "ix_dropped_ball_list",
            "id",
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        ),
    )

    id: int | None = primary_key()
    kind: BallKind = word(BallKind)
    subject: str = words(64)
    request_id: int | None = refers_to("service_request.id", index=True, nullable=True)
    owner_id: int | None = refers_to("staff_member.id", index=True, nullable=True)
    detail: str = words()
    raised_at: datetime = moment()
    escalated_at: datetime | None = moment(nullable=True)
    resolved_at: datetime | None = moment(nullable=True)
