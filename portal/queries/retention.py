"""Finds what has been kept long enough."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import Attachment, Message, MessageKind, MessageStatus, Promise, ServiceRequest

UNSENT = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)


async def find_requests_to_erase(
    session: AsyncSession, closed_before: datetime, *, after_id: int, limit: int
) -> list[tuple[int, str, int]]:
    """Id, reference and customer id of requests closed before this, by id.

    One on which something is still to do stays: an unanswered message, a promise that is open, or
    something dropped.
    """
    query = (
        select(ServiceRequest.id, ServiceRequest.reference, ServiceRequest.customer_id)
        .where(
            col(ServiceRequest.closed_at) < closed_before,
            sa.not_(_needs_work()),
            col(ServiceRequest.erased_at).is_(None),
            col(ServiceRequest.id) > after_id,
        )
        .order_by(col(ServiceRequest.id))
        .limit(limit)
    )
    rows = (await session.exec(query)).all()
    return [(id_ or 0, reference, customer_id) for id_, reference, customer_id in rows]


async def find_requests_to_keep(
    session: AsyncSession, request_ids: Sequence[int], closed_before: datetime
) -> set[int]:
    """Those of these requests that are open, were not closed before this, or need work."""
    query = select(ServiceRequest.id).where(
        col(ServiceRequest.id).in_(request_ids),
        col(ServiceRequest.erased_at).is_(None),
        or_(
            col(ServiceRequest.closed_at).is_(None),
            col(ServiceRequest.closed_at) >= closed_before,
            _needs_work(),
        ),
    )
    return {id_ or 0 for id_ in (await session.exec(query)).all()}


def _needs_work() -> Any:
    """Something is to do on a request, open or closed. It is never NULL."""
    open_promise = sa.exists().where(
        col(Promise.request_id) == col(ServiceRequest.id), col(Promise.closed_at).is_(None)
    )
    return or_(
        col(ServiceRequest.unanswered_since).is_not(None),
        col(ServiceRequest.has_open_ball),
        open_promise,
    )


async def find_message_bodies(
    session: AsyncSession, created_before: datetime, erased: str, *, after_id: int, limit: int
) -> list[int]:
    """The ids of settled messages of closed requests, or of none, that still have a text.

    Also of those of none, mail to staff apart, that still have an address.
    """
    has_text = [
        and_(column != erased, column != "") for column in (col(Message.body), col(Message.subject))
    ]
    has_address = and_(
        col(Message.request_id).is_(None),
        col(Message.kind) != MessageKind.NOTICE,
        or_(col(Message.from_address) != "", col(Message.to_address) != ""),
    )
    query = (
        _old_messages(select(Message.id), created_before)
        .where(
            or_(*has_text, has_address),
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
