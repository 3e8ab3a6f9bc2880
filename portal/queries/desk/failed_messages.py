"""Messages that need a person: not delivered, or of unknown delivery, and not handled."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    NEEDS_ATTENTION,
    DroppedBall,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.queries.requests import CUSTOMER_OPTIONS

RECONCILE_GRACE = timedelta(minutes=5)
"""How long an unknown outcome is reconciled before a person is asked to help."""

TIME_BOUND_KINDS = (
    MessageKind.ACKNOWLEDGEMENT,
    MessageKind.WHICH_REQUEST,
    MessageKind.CONSENT,
    MessageKind.CODE,
    MessageKind.REMINDER,
)
"""Kinds that are of no use once they have expired."""

MAX_COUNTED = 100

FAILED_MESSAGE_OPTIONS: Sequence[ORMOption] = (
    selectinload(ServiceRequest.runs),  # type: ignore[arg-type]
    selectinload(ServiceRequest.handoffs),  # type: ignore[arg-type]
    selectinload(ServiceRequest.customer).options(CUSTOMER_OPTIONS),  # type: ignore[arg-type]
)


@dataclass(frozen=True, slots=True)
class FailedMessageScope:
    """Whose messages: those of a person's own requests, and of these departments'.

    Neither is everybody's.
    """

    owner_id: int | None = None
    departments: Collection[int] | None = None


ALL_FAILED_MESSAGES = FailedMessageScope()


async def list_failed_messages(
    session: AsyncSession,
    now: datetime,
    scope: FailedMessageScope,
    *,
    limit: int,
    after: int | None = None,
) -> tuple[list[Message], int | None]:
    """A page of them, oldest first, and the id of the next page."""
    query = _in_scope(select(Message), now, scope)
    if after is not None:
        query = query.where(col(Message.id) > after)
    query = query.order_by(col(Message.id)).limit(limit + 1)
    messages = list((await session.exec(query)).all())
    return messages[:limit], messages[limit - 1].id if len(messages) > limit else None


async def count_failed_messages(
    session: AsyncSession, now: datetime, scope: FailedMessageScope
) -> int:
    """How many there are; no further than ``MAX_COUNTED``, so that it always costs little."""
    counted = _in_scope(select(col(Message.id)), now, scope).limit(MAX_COUNTED).subquery()
    return (await session.exec(select(sa.func.count()).select_from(counted))).one()


async def requests_by_id(
    session: AsyncSession, ids: Iterable[int | None]
) -> dict[int, ServiceRequest]:
    """These requests with their customers' addresses and who has them: a few queries."""
    known_ids = {id_ for id_ in ids if id_ is not None}
    query = (
        select(ServiceRequest)
        .where(col(ServiceRequest.id).in_(known_ids))
        .options(*FAILED_MESSAGE_OPTIONS)
    )
    return (
        {saved_id(request): request for request in (await session.exec(query)).all()}
        if known_ids
        else {}
    )


async def sending_alerts(session: AsyncSession) -> Sequence[str]:
    """What stops or limits all sending at present, a sentence each, the oldest first."""
    query = (
        select(DroppedBall.detail)
        .where(
            col(DroppedBall.kind).in_(
                (DroppedBallKind.SENDING_PAUSED, DroppedBallKind.SENDING_LIMIT)
            ),
            col(DroppedBall.request_id).is_(None),
            col(DroppedBall.resolved_at).is_(None),
        )
        .order_by(col(DroppedBall.id))
    )
    return (await session.exec(query)).all()


def _in_scope(query: Any, now: datetime, scope: FailedMessageScope) -> Any:
    query = query.where(
        # Written as in the partial index, so that the database uses it.
        col(Message.id).in_(select(Message.id).where(sa.text(NEEDS_ATTENTION))),
        sa.or_(
            col(Message.status) != MessageStatus.UNKNOWN,
            col(Message.claimed_at) < now - RECONCILE_GRACE,
        ),
        sa.or_(
            col(Message.status) != MessageStatus.EXPIRED,
            col(Message.kind).not_in(TIME_BOUND_KINDS),
        ),
    )
    if scope == ALL_FAILED_MESSAGES:
        return query
    in_scope = [col(ServiceRequest.owner_id) == scope.owner_id]
    if scope.departments is not None:
        in_scope.append(col(ServiceRequest.department_id).in_(scope.departments))
    return query.join(ServiceRequest, col(ServiceRequest.id) == col(Message.request_id)).where(
        sa.or_(*in_scope)
    )
