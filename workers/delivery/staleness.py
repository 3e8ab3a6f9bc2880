"""Messages that waited long are checked again: one that is superseded is not sent.

Quiet hours, or a worker that was down, may leave several messages about one request.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    SYSTEM_ACTOR,
    DeliveryReason,
    Event,
    FollowUp,
    FollowUpState,
    Message,
    MessageKind,
    MessageStatus,
    RunState,
    ServiceRequest,
    StageRun,
)

STALE_AFTER = timedelta(minutes=15)
"""Messages that waited no longer are all sent: quick steps by day are separate news."""

END_KINDS = frozenset({MessageKind.COMPLETED, MessageKind.DECLINED, MessageKind.CANCELLED})
STATUS_KINDS = END_KINDS | {MessageKind.MILESTONE, MessageKind.HOLD, MessageKind.RESUMED}
"""Messages about the state of a request. Questions, promises and answers are never superseded."""

STAGE_UPDATE_KINDS = frozenset({MessageKind.DELAY, MessageKind.UPDATE})
"""Messages about one stage while it is open; they supersede each other only."""

QUESTION_KINDS = frozenset({MessageKind.FOLLOW_UP, MessageKind.REMINDER})

PENDING_OR_SENT = frozenset(
    {
        MessageStatus.QUEUED,
        MessageStatus.SENDING,
        MessageStatus.UNKNOWN,
        MessageStatus.ACCEPTED,
        MessageStatus.SENT,
        MessageStatus.DELIVERED,
    }
)
"""It has been sent, or still may be."""


async def find_stale(
    session: AsyncSession, now: datetime, found: Iterable[Any]
) -> dict[int, dict[str, Any]]:
    """The columns to set on those of the messages (by id) that would only confuse by now.

    One query however many they are, and none while they are fresh.
    """
    doubted = [row for row in found if _may_be_stale(row, now)]
    if not doubted:
        return {}
    about: dict[int, list[Any]] = defaultdict(list)
    for row in await (await session.connection()).execute(_said_about(doubted)):
        about[row.request_id].append(row)
    dropped = {}
    for row in doubted:
        said = about[row.request_id]
        doubtful = next(message for message in said if message.id == row.id)
        reason = _why_ended(doubtful) or _why_stale(doubtful, said)
        if reason:
            dropped[row.id] = {
                "status": MessageStatus.EXPIRED, "reason": reason,
                # Nothing is lost by it, so it is before nobody.
                "handled_at": now, "handled_by": SYSTEM_ACTOR.name,
            }  # fmt: skip
    return dropped


def _may_be_stale(row: Any, now: datetime) -> bool:
    # What was held is no quick step, also where the quiet hours were ended soon after.
    has_waited = now - row.created_at > STALE_AFTER or row.due_at > row.created_at
    return row.kind in QUESTION_KINDS or (
        row.kind in STATUS_KINDS | STAGE_UPDATE_KINDS and has_waited
    )


def _said_about(doubted: Sequence[Any]) -> sa.Select[Any]:
    """All messages sent or waiting about these requests, with their stage and question."""
    return (
        sa.select(
            *(getattr(Message, name) for name in MESSAGE_COLUMNS),
            col(Event.run_id),
            col(ServiceRequest.closed_at),
            col(StageRun.state).label("run_state"),
            col(FollowUp.id).label("question_id"),
            col(FollowUp.state).label("question_state"),
        )
        .join(ServiceRequest, col(ServiceRequest.id) == col(Message.request_id))
        .outerjoin(Event, col(Event.id) == col(Message.event_id))
        .outerjoin(StageRun, col(StageRun.id) == col(Event.run_id))
        .outerjoin(
            FollowUp,
            col(FollowUp.id) == _question_of_message(),
        )
        .where(
            col(Message.request_id).in_({row.request_id for row in doubted}),
            col(Message.kind).in_(STATUS_KINDS | STAGE_UPDATE_KINDS | QUESTION_KINDS),
            col(Message.status).in_(PENDING_OR_SENT),
        )
    )


def _question_of_message() -> Any:
    """The id of the question that a message asks: of a repeated one, the newest at that time."""
    asked = aliased(FollowUp)
    return (
        sa.select(sa.func.max(col(asked.id)))
        .where(
            col(asked.run_id) == col(Event.run_id),
            col(asked.key) == col(Event.data)["key"].as_string(),
            col(asked.planned_at) <= col(Message.created_at),
        )
        .correlate(Event, Message)
        .scalar_subquery()
    )


MESSAGE_COLUMNS = ("id", "request_id", "event_id", "kind", "created_at", "sent_at")


def _why_ended(row: Any) -> DeliveryReason | None:
    """The reason of a message about work that has ended since.

    The end may have been told by a reply to the customer, so that no message of its own did.
    """
    is_of_open = row.kind in (STATUS_KINDS - END_KINDS) | STAGE_UPDATE_KINDS
    has_ended = row.closed_at is not None and row.closed_at > row.created_at
    return DeliveryReason.SUPERSEDED if is_of_open and has_ended else None


def _why_stale(row: Any, said: Sequence[Any]) -> DeliveryReason | None:
    """Why the message is not sent any more; None where it may be sent."""
    if row.kind in STATUS_KINDS:
        # By the event, not by id: the same news may be written anew, for another channel.
        newer = [
            message
            for message in said
            if message.kind in STATUS_KINDS and message.event_id > row.event_id
        ]
        return (
            DeliveryReason.SUPERSEDED
            if any(_overtakes(message, row) for message in newer)
            else None
        )
    if row.kind in STAGE_UPDATE_KINDS:
        newer = [
            message
            for message in said
            if message.kind in STATUS_KINDS | STAGE_UPDATE_KINDS and message.event_id > row.event_id
        ]
        gone = row.run_state != RunState.OPEN or any(_overtakes(message, row) for message in newer)
        return DeliveryReason.SUPERSEDED if gone else None
    if row.question_id is None:
        return None
    if row.question_state != FollowUpState.ASKED:
        return (
            DeliveryReason.QUESTION_ANSWERED
            if row.question_state == FollowUpState.ANSWERED
            else DeliveryReason.QUESTION_CLOSED
        )
    if row.kind == MessageKind.REMINDER and any(
        message.kind == MessageKind.FOLLOW_UP
        and message.question_id == row.question_id
        and (message.sent_at is None or message.sent_at >= row.created_at)
        for message in said
    ):
        return DeliveryReason.REMINDER_TOO_EARLY
    return None


def _overtakes(newer: Any, row: Any) -> bool:
    """Whether the newer message supersedes this one: an end, or the same stage later.

    Parallel stages do not supersede each other while they run.
    """
    return (
        bool({newer.kind, row.kind} & END_KINDS)
        or newer.run_id == row.run_id
        or row.run_state != RunState.OPEN
    )
