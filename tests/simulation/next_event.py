"""When a worker next has something to do, by one query.

In production each round runs every few seconds. The simulation skips the rounds that would find
nothing: a month passes in minutes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from portal.database import Database
from portal.models import (
    Channel,
    DroppedBall,
    FollowUp,
    Handoff,
    Message,
    MessageStatus,
    Promise,
    RunState,
    ServiceRequest,
    StaffMember,
    StageRun,
)
from portal.models.columns import UtcDateTime
from portal.models.requests.dropped_ball import NOTIFICATION_PENDING
from workers.reconcile import CLAIM_LOST_AFTER, FIRST_CHECK_AFTER


class Round(StrEnum):
    """The rounds of the workers, in their order."""

    SWEEP = "sweep"
    WATCH = "watch"
    TEXTS = "texts"
    MAILS = "mails"
    RECONCILE = "reconcile"
    INQUIRE = "inquire"


STAFF_EMAIL_DELAY = timedelta(seconds=60)
"""How much later staff notices that wait are looked for again."""


@dataclass(frozen=True, slots=True)
class NextWork:
    """When each round is next due, and what else the query answers.

    ``next_drop`` is when the next row passes its time, whatever the product has planned.
    """

    due: dict[Round, datetime]
    newest_ball: int = 0
    ownerless: int = 0
    next_drop: datetime | None = None


async def find_next_work(
    database: Database, now: datetime, reconcile_seconds: timedelta
) -> NextWork:
    """The earliest moment for each round; a round without any is left out."""
    async with database.connection() as connection:
        rows = (await connection.execute(_query(), {"now": now})).all()
    due: dict[Round, datetime] = {}
    newest_ball = ownerless = 0
    drops: list[datetime] = []
    waits = {
        "sending": CLAIM_LOST_AFTER,
        "doubtful": FIRST_CHECK_AFTER,
        "looked": reconcile_seconds,
    }
    for what, at, number in rows:
        if what == "balls":
            newest_ball = number or 0
        elif what == "ownerless":
            ownerless = number or 0
        elif what == "drop" and at is not None:
            drops.append(at)
        elif at is not None:
            name, _, part = what.partition(":")
            # A second more: those rounds select what is older than that.
            moment = at + waits[part] + timedelta(seconds=1) if part in waits else at
            moment = moment + STAFF_EMAIL_DELAY if part == "unmailed" else moment
            round_ = Round(name)
            due[round_] = min(moment, due.get(round_, moment))
    return NextWork(due, newest_ball, ownerless, min(drops, default=None))


@cache
def _query() -> sa.CompoundSelect[Any]:
    now = sa.bindparam("now", type_=UtcDateTime())
    runs = col(StageRun.state) == RunState.OPEN, col(StageRun.paused_at).is_(None)
    return sa.union_all(
        _waiting("texts", Channel.SMS),
        _waiting("mails", Channel.EMAIL),
        _first("sweep", FollowUp.next_at, col(FollowUp.next_at).is_not(None)),
        _first("sweep", StageRun.hold_until, col(StageRun.hold_until).is_not(None)),
        _first("sweep", ServiceRequest.next_update_at, col(ServiceRequest.next_update_at).is_not(None)),
        _first("watch", ServiceRequest.next_check_at, col(ServiceRequest.next_check_at).is_not(None)),
        _first(
            "watch", DroppedBall.escalates_at, col(DroppedBall.resolved_at).is_(None),
            col(DroppedBall.escalates_at).is_not(None),
        ),
        _first("watch:unmailed", DroppedBall.raised_at, sa.text(NOTIFICATION_PENDING)),
        _first(
            "reconcile:sending", Message.claimed_at, col(Message.status) == MessageStatus.SENDING
        ),
        _first(
            "reconcile:doubtful", Message.claimed_at,
            col(Message.status) == MessageStatus.UNKNOWN, col(Message.reconciled_at).is_(None),
        ),
        _first(
            "reconcile:looked", Message.reconciled_at,
            col(Message.status) == MessageStatus.UNKNOWN, col(Message.reconciled_at).is_not(None),
        ),
        _first("inquire", Message.poll_at, col(Message.poll_at).is_not(None)),
        _first("drop", StageRun.overdue_at, *runs, col(StageRun.overdue_at) > now),
        _first("drop", StageRun.silence_overdue_at, *runs, col(StageRun.silence_overdue_at) > now),
        _first(
            "drop", Handoff.accept_by, col(Handoff.closed_at).is_(None),
            col(Handoff.accept_by) > now,
        ),
        _first(
            "drop", Promise.due_at, col(Promise.closed_at).is_(None), col(Promise.due_at) > now
        ),
        _number("balls", sa.select(sa.func.max(col(DroppedBall.id)))),
        _number("ownerless", _ownerless()),
    )  # fmt: skip


def _first(name: str, moment: Any, *where: Any) -> sa.Select[Any]:
    return sa.select(
        sa.literal(name).label("what"),
        sa.func.min(moment).label("at"),
        # The cast is for PostgreSQL, which takes a null without a type for text.
        sa.cast(sa.null(), sa.BigInteger()).label("number"),
    ).where(*where)


def _waiting(name: str, channel: Channel) -> sa.Select[Any]:
    return _first(
        name, Message.due_at,
        col(Message.status) == MessageStatus.QUEUED, col(Message.channel) == channel,
    )  # fmt: skip


def _number(name: str, query: sa.Select[Any]) -> sa.Select[Any]:
    return sa.select(sa.literal(name), sa.null(), query.scalar_subquery())


def _ownerless() -> sa.Select[Any]:
    """Open requests whose owner is not a colleague, or has left."""
    needs_system = sa.exists().where(
        col(StaffMember.id) == col(ServiceRequest.owner_id), col(StaffMember.disabled_at).is_(None)
    )
    return (
        sa.select(sa.func.count())
        .select_from(ServiceRequest)
        .where(col(ServiceRequest.closed_at).is_(None), ~needs_system)
    )
