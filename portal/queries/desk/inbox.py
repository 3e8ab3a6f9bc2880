"""The inbox: what customers wait for, the oldest promise first, and what made them ask."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    Attachment,
    BallKind,
    Contact,
    ContactReason,
    Customer,
    DroppedBall,
    Message,
    MessageKind,
    Promise,
    ServiceRequest,
)
from portal.queries.desk.board import WAITED_FOR, Place

MOST_CONTACTS = 2_000
"""The newest that are counted, so that the count always costs little."""
MOST_STRANGERS = 20
ABOUT_A_MESSAGE = "message:"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose promises: those one person owns, those of some departments, or with neither all."""

    owner_id: int | None = None
    departments: Collection[int] | None = None


Waiting = tuple[Promise, ServiceRequest, str]


async def waiting(
    session: AsyncSession, whose: Whose, after: Place | None, limit: int
) -> Sequence[Waiting]:
    """Open promises of an answer or a call with request and customer's name; soonest due first."""
    query = (
        sa.select(Promise, ServiceRequest, col(Customer.name))
        .join(ServiceRequest, col(ServiceRequest.id) == col(Promise.request_id))
        .join(Customer, col(Customer.id) == col(ServiceRequest.customer_id))
        .where(*_waited_for(whose))
        .order_by(col(Promise.due_at), col(Promise.id))
        .limit(limit)
    )
    if after is not None:
        # As one value, so that the index is entered where the last page ended.
        place = sa.tuple_(col(Promise.due_at), col(Promise.id))
        query = query.where(place > sa.tuple_(after.at, after.id))
    connection: Any = session
    found: Sequence[Waiting] = (await connection.exec(query)).all()
    return found


async def count_waiting(session: AsyncSession, whose: Whose, now: datetime) -> tuple[int, int]:
    """How many there are, and how many of them are late."""
    late = sa.func.count(sa.case((col(Promise.due_at) < now, 1)))
    query = sa.select(sa.func.count(), late).select_from(Promise).where(*_waited_for(whose))
    everything, behind = (await (await session.connection()).execute(query)).one()
    return everything, behind


async def last_words(session: AsyncSession, requests: Iterable[int]) -> dict[int, Message]:
    """The message that each of these requests' customers wrote last, by the request's id."""
    newest = (
        sa.select(sa.func.max(col(Message.id)))
        .where(
            col(Message.request_id).in_(set(requests)), col(Message.kind) == MessageKind.CUSTOMER
        )
        .group_by(col(Message.request_id))
    )
    query = select(Message).where(col(Message.id).in_(newest))
    return {one.request_id or 0: one for one in (await session.exec(query)).all()}


async def count_files(session: AsyncSession, messages: Iterable[int]) -> dict[int, int]:
    """How many files came with each of these messages, by the message's id."""
    query = (
        sa.select(col(Attachment.message_id), sa.func.count())
        .where(col(Attachment.message_id).in_(set(messages)))
        .group_by(col(Attachment.message_id))
    )
    rows = await (await session.connection()).execute(query)
    return {message_id: number for message_id, number in rows}  # noqa: C416 (rows are no pairs to mypy)


async def what_made_them_ask(
    session: AsyncSession, departments: Collection[int] | None, since: datetime
) -> dict[ContactReason, int]:
    """How often customers came to us since then, by reason, the commonest first.

    Counted are the newest ``MOST_CONTACTS`` of the house at most; by the department that has the
    request now, or with None all.
    """
    newest = select(Contact).order_by(col(Contact.id).desc()).limit(MOST_CONTACTS).subquery()
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


async def texts_of_strangers(session: AsyncSession) -> Sequence[Message]:
    """Texts from numbers that no customer has, and that nobody has seen to; the oldest first."""
    raised = (
        select(DroppedBall.subject)
        .where(
            col(DroppedBall.kind) == BallKind.UNKNOWN_SENDER,
            col(DroppedBall.resolved_at).is_(None),
        )
        .order_by(col(DroppedBall.id))
        .limit(MOST_STRANGERS)
    )
    subjects = (await session.exec(raised)).all()
    ids = [int(one.removeprefix(ABOUT_A_MESSAGE)) for one in subjects]
    query = select(Message).where(col(Message.id).in_(ids)).order_by(col(Message.id))
    return (await session.exec(query)).all() if ids else []


def _waited_for(whose: Whose) -> list[Any]:
    conditions: list[Any] = [
        col(Promise.closed_at).is_(None),
        col(Promise.kind).in_(WAITED_FOR),
    ]
    if whose.owner_id is not None:
        conditions.append(col(Promise.owner_id) == whose.owner_id)
    if whose.departments is not None:
        conditions.append(col(Promise.department_id).in_(whose.departments))
    return conditions
