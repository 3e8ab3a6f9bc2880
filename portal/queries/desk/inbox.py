"""The inbox: what customers wait for, the oldest promise first, and what made them ask."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    Attachment,
    Contact,
    ContactReason,
    Customer,
    DroppedBall,
    DroppedBallKind,
    Message,
    MessageKind,
    Promise,
    ServiceRequest,
)
from portal.queries.conversations import says_something
from portal.queries.desk.board import REPLY_PROMISE_KINDS, PageCursor
from portal.queries.paging import WorkScope

MAX_CONTACTS = 2_000
"""The newest that are counted, so that the count always costs little."""
MAX_UNKNOWN_SENDERS = 20
MESSAGE_SUBJECT_PREFIX = "message:"


DueReply = tuple[Promise, ServiceRequest, str]


async def list_due_replies(
    session: AsyncSession, scope: WorkScope, after: PageCursor | None, limit: int
) -> Sequence[DueReply]:
    """Open promises of an answer or a call with request and customer's name; soonest due first."""
    query = (
        sa.select(Promise, ServiceRequest, col(Customer.name))
        .join(ServiceRequest, col(ServiceRequest.id) == col(Promise.request_id))
        .join(Customer, col(Customer.id) == col(ServiceRequest.customer_id))
        .where(*_waited_for(scope))
        .order_by(col(Promise.due_at), col(Promise.id))
        .limit(limit)
    )
    if after is not None:
        # As one value, so that the index is entered where the last page ended.
        place = sa.tuple_(col(Promise.due_at), col(Promise.id))
        query = query.where(place > sa.tuple_(after.at, after.id))
    connection: Any = session
    found: Sequence[DueReply] = (await connection.exec(query)).all()
    return found


async def count_due_replies(
    session: AsyncSession, scope: WorkScope, now: datetime
) -> tuple[int, int]:
    """How many there are, and how many of them are late."""
    late = sa.func.count(sa.case((col(Promise.due_at) < now, 1)))
    query = sa.select(sa.func.count(), late).select_from(Promise).where(*_waited_for(scope))
    everything, behind = (await (await session.connection()).execute(query)).one()
    return everything, behind


async def last_customer_messages(
    session: AsyncSession, requests: Iterable[int]
) -> dict[int, Message]:
    """The message that each of these requests' customers wrote last, by the request's id."""
    newest = (
        sa.select(sa.func.max(col(Message.id)))
        .where(
            col(Message.request_id).in_(set(requests)),
            col(Message.kind) == MessageKind.CUSTOMER,
            says_something(),
        )
        .group_by(col(Message.request_id))
    )
    query = select(Message).where(col(Message.id).in_(newest))
    return {item.request_id or 0: item for item in (await session.exec(query)).all()}


async def count_attachments(session: AsyncSession, messages: Iterable[int]) -> dict[int, int]:
    """How many files came with each of these messages, by the message's id."""
    query = (
        sa.select(col(Attachment.message_id), sa.func.count())
        .where(col(Attachment.message_id).in_(set(messages)))
        .group_by(col(Attachment.message_id))
    )
    rows = await (await session.connection()).execute(query)
    return {message_id: number for message_id, number in rows}  # noqa: C416 (rows are no pairs to mypy)


async def count_contact_reasons(
    session: AsyncSession, departments: Collection[int] | None, since: datetime
) -> dict[ContactReason, int]:
    """The number of contacts since then, by reason, the most frequent first.

    Counts at most the newest ``MAX_CONTACTS`` of the organisation; by the department that has the
    request now, or all with None.
    """
    newest = select(Contact).order_by(col(Contact.id).desc()).limit(MAX_CONTACTS).subquery()
    query = (
        sa.select(newest.c.reason, sa.func.count())
        .where(newest.c.at >= since)
        .group_by(newest.c.reason)
        .order_by(sa.func.count().desc(), newest.c.reason)
    )
    if departments is not None:
        query = query.join(ServiceRequest, col(ServiceRequest.id) == newest.c.request_id).where(
            col(ServiceRequest.department_id).in_(departments)
        )
    rows = await (await session.connection()).execute(query)
    return {ContactReason(reason): number for reason, number in rows}


async def list_unknown_sender_texts(session: AsyncSession) -> Sequence[Message]:
    """Texts from numbers that no customer has, and that nobody has seen to; the oldest first."""
    raised = (
        select(DroppedBall.subject)
        .where(
            col(DroppedBall.kind) == DroppedBallKind.UNKNOWN_SENDER,
            col(DroppedBall.resolved_at).is_(None),
        )
        .order_by(col(DroppedBall.id))
        .limit(MAX_UNKNOWN_SENDERS)
    )
    subjects = (await session.exec(raised)).all()
    ids = [int(subject.removeprefix(MESSAGE_SUBJECT_PREFIX)) for subject in subjects]
    query = select(Message).where(col(Message.id).in_(ids)).order_by(col(Message.id))
    return (await session.exec(query)).all() if ids else []


def _waited_for(scope: WorkScope) -> list[Any]:
    conditions: list[Any] = [
        col(Promise.closed_at).is_(None),
        col(Promise.kind).in_(REPLY_PROMISE_KINDS),
    ]
    if scope.person_id is not None:
        conditions.append(col(Promise.owner_id) == scope.person_id)
    if scope.departments is not None:
        conditions.append(col(Promise.department_id).in_(scope.departments))
    return conditions
