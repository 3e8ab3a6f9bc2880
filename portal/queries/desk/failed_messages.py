"""Messages that need a person: they did not get through, or nobody knows, and nobody saw to it.

Mail to staff is not among them: what it says of an account is for its recipient and for admins,
and what else it is about stands at the desk.
"""

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
    Channel,
    DeliveryReason,
    DroppedBall,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.queries.paging import (
    EVERYTHING,
    PageRequest,
    WorkScope,
    count_at_most,
    read_page,
)
from portal.queries.requests import CUSTOMER_OPTIONS

RECONCILE_GRACE = timedelta(minutes=5)
"""How long an unknown outcome is reconciled before a person is asked to help."""

TIME_BOUND_KINDS = (
    MessageKind.ACKNOWLEDGEMENT,
    MessageKind.WHICH_REQUEST,
    MessageKind.CONSENT,
    MessageKind.CODE,
    MessageKind.ADDRESS,
    MessageKind.REMINDER,
)
"""Kinds that nobody misses once it is too late for them."""

FAILED_MESSAGE_OPTIONS: Sequence[ORMOption] = (
    selectinload(ServiceRequest.runs),  # type: ignore[arg-type]
    selectinload(ServiceRequest.handoffs),  # type: ignore[arg-type]
    selectinload(ServiceRequest.customer).options(CUSTOMER_OPTIONS),  # type: ignore[arg-type]
)


@dataclass(frozen=True, slots=True)
class RetryFilter:
    """Which failed messages to send again; ``since`` is when they were written.

    Texts with an error code of ``never_codes`` are left out.
    """

    scope: WorkScope = EVERYTHING
    since: datetime | None = None
    reason: DeliveryReason | None = None
    limit: int | None = None
    never_codes: Collection[str] = ()


async def list_failed_messages(
    session: AsyncSession, now: datetime, scope: WorkScope, page: PageRequest
) -> tuple[list[Message], int | None]:
    """A page of them, oldest first, and the id of the next page.

    The scope of a person has the messages about their own requests; with departments, about
    those of the departments too.
    """
    return await read_page(
        session, _needing_a_person(select(Message), now, scope), col(Message.id), page
    )


async def count_failed_messages(session: AsyncSession, now: datetime, scope: WorkScope) -> int:
    """How many there are, as ``count_at_most`` counts."""
    return await count_at_most(session, _needing_a_person(select(col(Message.id)), now, scope))


async def list_retriable(
    session: AsyncSession, now: datetime, chosen: RetryFilter
) -> Sequence[Any]:
    """The id and reason of the failed messages that have ended, oldest first: they may be retried."""
    query = _needing_a_person(sa.select(col(Message.id), col(Message.reason)), now, chosen.scope)
    query = query.where(col(Message.status) != MessageStatus.UNKNOWN)
    if chosen.since is not None:
        query = query.where(col(Message.created_at) >= chosen.since)
    if chosen.reason is not None:
        query = query.where(col(Message.reason) == chosen.reason)
    if chosen.never_codes:
        query = query.where(
            sa.or_(
                col(Message.channel) != Channel.SMS,
                col(Message.error_code).is_(None),
                col(Message.error_code).not_in(chosen.never_codes),
            )
        )
    connection = await session.connection()
    query = query.order_by(col(Message.id)).limit(chosen.limit)
    return (await connection.execute(query)).all()


async def requests_by_id(
    session: AsyncSession, ids: Iterable[int | None]
) -> dict[int, ServiceRequest]:
    """These requests with their customers' addresses and who has them: a few queries."""
    wanted = {item for item in ids if item is not None}
    query = (
        select(ServiceRequest)
        .where(col(ServiceRequest.id).in_(wanted))
        .options(*FAILED_MESSAGE_OPTIONS)
    )
    return {saved_id(item): item for item in (await session.exec(query)).all()} if wanted else {}


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


def _needing_a_person(query: Any, now: datetime, scope: WorkScope) -> Any:
    query = query.where(
        # Written as in the partial index, so that the database uses it.
        col(Message.id).in_(select(Message.id).where(sa.text(NEEDS_ATTENTION))),
        col(Message.kind) != MessageKind.NOTICE,
        sa.or_(
            col(Message.status) != MessageStatus.UNKNOWN,
            col(Message.claimed_at) < now - RECONCILE_GRACE,
        ),
        sa.or_(
            col(Message.status) != MessageStatus.EXPIRED,
            col(Message.kind).not_in(TIME_BOUND_KINDS),
        ),
    )
    if scope == EVERYTHING:
        return query
    mine = [col(ServiceRequest.owner_id) == scope.person_id]
    if scope.departments is not None:
        mine.append(col(ServiceRequest.department_id).in_(scope.departments))
    return query.join(ServiceRequest, col(ServiceRequest.id) == col(Message.request_id)).where(
        sa.or_(*mine)
    )
