"""Finds what has been kept long enough."""

from datetime import datetime
from typing import Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Attachment, Message, MessageStatus, ServiceRequest

UNSENT = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)


async def find_requests_to_erase(
    session: AsyncSession, closed_before: datetime, *, after_id: int, limit: int
) -> list[tuple[int, str, int]]:
    """Id, reference and customer id of requests closed before this, by id."""
    query = (
        select(ServiceRequest.id, ServiceRequest.reference, ServiceRequest.customer_id)
        .where(
            col(ServiceRequest.closed_at) < closed_before,
            col(ServiceRequest.erased_at).is_(None),
            col(ServiceRequest.id) > after_id,
        )
        .order_by(col(ServiceRequest.id))
        .limit(limit)
    )
    rows = (await session.exec(query)).all()
    return [(id_ or 0, reference, customer_id) for id_, reference, customer_id in rows]


async def has_requests_to_keep(
    session: AsyncSession, customer_id: int, closed_before: datetime
) -> bool:
    """Whether the customer has a request that is open, or was not closed before this."""
    query = select(ServiceRequest.id).where(
        col(ServiceRequest.customer_id) == customer_id,
        or_(
            col(ServiceRequest.closed_at).is_(None),
            col(ServiceRequest.closed_at) >= closed_before,
        ),
    )
    return (await session.exec(query.limit(1))).first() is not None


async def find_message_bodies(
    session: AsyncSession, created_before: datetime, erased: str, *, after_id: int, limit: int
) -> list[int]:
    """The ids of settled messages of closed requests, or of none, that still have a text."""
    query = (
        _old_messages(select(Message.id), created_before)
        .where(
            col(Message.body) != erased,
            col(Message.body) != "",
            col(Message.status).not_in(UNSENT),
            col(Message.id) > after_id,
        )
        .order_by(col(Message.id))
        .limit(limit)
    )
    return [id_ or 0 for id_ in (await session.exec(query)).all()]


async def find_attachments(
    session: AsyncSession, created_before: datetime, *, after_id: int, limit: int
) -> list[int]:
    """The ids of files of such messages."""
    query = (
        _old_messages(
            select(Attachment.id).join(Message, col(Attachment.message_id) == col(Message.id)),
            created_before,
        )
        .where(col(Attachment.id) > after_id)
        .order_by(col(Attachment.id))
        .limit(limit)
    )
    return [id_ or 0 for id_ in (await session.exec(query)).all()]


def _old_messages(query: Any, created_before: datetime) -> Any:
    return query.join(
        ServiceRequest, col(Message.request_id) == col(ServiceRequest.id), isouter=True
    ).where(
        col(Message.created_at) < created_before,
        or_(col(Message.request_id).is_(None), col(ServiceRequest.closed_at).is_not(None)),
    )
