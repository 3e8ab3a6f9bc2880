"""A dropped ball: something overdue or failed, with an assignee, until it is resolved."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    partial_index,
    primary_key,
    text_column,
    timestamp_column,
)


class DroppedBallKind(StrEnum):
    """The kinds of dropped ball."""

    STAGE_OVERDUE = "stage_overdue"
    HANDOFF_UNACCEPTED = "handoff_unaccepted"
    PROMISE_DUE = "promise_due"
    MESSAGE_UNANSWERED = "message_unanswered"
    MESSAGE_UNDELIVERED = "message_undelivered"
    FOLLOW_UP_UNANSWERED = "follow_up_unanswered"
    FIELD_MISSING = "field_missing"
    SENT_TWICE = "sent_twice"
    OUTCOME_UNKNOWN = "outcome_unknown"
    UNKNOWN_SENDER = "unknown_sender"
    SENDING_PAUSED = "sending_paused"
    SENDING_LIMIT = "ceiling"
    FLOOD = "flood"
    NO_OWNER = "no_owner"
    RETURNED_REPEATEDLY = "bouncing"
    AGEING = "ageing"
    OWNER_ABSENT = "owner_absent"
    CUSTOMER_UNREACHABLE = "customer_unreachable"
    THIRD_PARTY_SILENT = "third_party_silent"
    THIRD_PARTY_PROBLEM = "third_party_problem"
    UNREADABLE = "unreadable"
    URGENT = "urgent"
    SAME_PERSON = "same_person"


NOTIFICATION_PENDING = "resolved_at IS NULL AND (notified_level IS NULL OR notified_level <> level)"
"""Open, and its assignee has had no e-mail about it; as SQL."""


class EscalationLevel(StrEnum):
    """Who a ball is assigned to: its owner, the department's lead, or a manager."""

    OWNER = "owner"
    LEAD = "lead"
    MANAGER = "manager"


class DroppedBall(SQLModel, table=True):
    """Raised once for each kind and subject; ``subject`` is such as ``message:17``."""

    __tablename__ = "dropped_ball"
    __table_args__ = (
        # Serves: raising once, and resolving by the fact.
        partial_index(
            "ux_dropped_ball_open", "kind", "subject", where="resolved_at IS NULL", unique=True
        ),
        # Serves: balls that escalate now.
        partial_index(
            "ix_dropped_ball_escalates",
            "escalates_at",
            where="resolved_at IS NULL AND escalates_at IS NOT NULL",
        ),
        # Serves: balls whose assignee has had no e-mail yet.
        partial_index("ix_dropped_ball_notification_pending", "id", where=NOTIFICATION_PENDING),
        # Serves: open balls, newest first.
        partial_index("ix_dropped_ball_list", "id", where="resolved_at IS NULL"),
    )

    id: int | None = primary_key()
    kind: DroppedBallKind = enum_column(DroppedBallKind)
    subject: str = text_column(64)
    request_id: int | None = foreign_key_column("service_request.id", index=True, nullable=True)
    owner_id: int | None = foreign_key_column("staff_member.id", index=True, nullable=True)
    # The department whose rule sets when it escalates to the lead and to a manager.
    department_id: int | None = foreign_key_column("department.id", nullable=True)
    detail: str = text_column()
    # When it was dropped; detection may have raised it a little later.
    dropped_at: datetime = timestamp_column()
    raised_at: datetime = timestamp_column()
    # Who it is assigned to: its owner, then the lead, then a manager.
    level: EscalationLevel = enum_column(EscalationLevel, EscalationLevel.OWNER)
    escalates_at: datetime | None = timestamp_column(nullable=True)
    escalated_at: datetime | None = timestamp_column(nullable=True)
    escalated_to_id: int | None = foreign_key_column("staff_member.id", nullable=True)
    # The highest level that has had mail about it.
    notified_level: EscalationLevel | None = enum_column(EscalationLevel, nullable=True)
    resolved_at: datetime | None = timestamp_column(nullable=True)
    dismissed_by: str = text_column(120)
    dismissed_reason: str = text_column()

    @property
    def assignee_id(self) -> int | None:
        """The person who has to resolve it now."""
        return self.owner_id if self.level == EscalationLevel.OWNER else self.escalated_to_id
