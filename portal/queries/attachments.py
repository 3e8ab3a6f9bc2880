"""Finds attachments: those of messages, and one by its id."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import selectinload
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import NotFound
from portal.i18n.lazy_string import LazyString
from portal.models import (
    Attachment,
    AttachmentRead,
    Direction,
    Message,
    MessageKind,
    ServiceRequest,
    StaffMember,
)
from portal.models.columns import UtcDateTime

MAX_ID = 2**63 - 1


async def attachments_by_message(
    session: AsyncSession, messages: Iterable[Message]
) -> dict[int, list[Attachment]]:
    """The files of these messages by the message's id, in the order in which they came."""
    ids = [message.id for message in messages if message.kind in KINDS_WITH_ATTACHMENTS]
    attachments: defaultdict[int, list[Attachment]] = defaultdict(list)
    if ids:
        query = select(Attachment).where(col(Attachment.message_id).in_(ids))
        for attachment in (await session.exec(query.order_by(col(Attachment.id)))).all():
            attachments[attachment.message_id].append(attachment)
    return dict(attachments)


async def get_attachment(session: AsyncSession, attachment_id: int) -> Attachment:
    """One file. Raises NotFound."""
    attachment = await session.get(Attachment, attachment_id) if attachment_id <= MAX_ID else None
    if attachment is None:
        raise NotFound(LazyString("This file is not here."))
    return attachment


async def find_recent_document(
    session: AsyncSession, request_id: int, digest: str, since: datetime
) -> Message | None:
    """The newest message by which these bytes were given to the customer since then."""
    query = (
        select(Message)
        .join(Attachment, col(Attachment.message_id) == col(Message.id))
        .where(
            col(Message.request_id) == request_id,
            col(Message.kind) == MessageKind.DOCUMENT,
            col(Message.created_at) > since,
            col(Attachment.digest) == digest,
        )
        .order_by(col(Message.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).one_or_none()


async def find_request_of_attachment(
    session: AsyncSession, attachment: Attachment
) -> ServiceRequest | None:
    """The request of this file, with what says who has a part in it; None for a stranger's."""
    message = await session.get_one(Message, attachment.message_id)
    if message.request_id is None:
        return None
    options = (selectinload(ServiceRequest.runs), selectinload(ServiceRequest.handoffs))  # type: ignore[arg-type]
    query = select(ServiceRequest).where(col(ServiceRequest.id) == message.request_id)
    return (await session.exec(query.options(*options))).one()


async def was_read_on(session: AsyncSession, attachment_id: int, staff_id: int, day: date) -> bool:
    """Whether the read of this file by this person is recorded for that day (UTC)."""
    return await session.get(AttachmentRead, (attachment_id, staff_id, day)) is not None


async def reads_by_attachment(
    session: AsyncSession, attachments: Iterable[Attachment]
) -> dict[int, list[tuple[str, datetime]]]:
    """The name and the last time of each person who has read these files, the latest first."""
    ids = [attachment.id for attachment in attachments]
    reads: defaultdict[int, list[tuple[str, datetime]]] = defaultdict(list)
    if ids:
        last = func.max(col(AttachmentRead.read_at), type_=UtcDateTime())
        query = (
            select(AttachmentRead.attachment_id, StaffMember.name, last)
            .join(StaffMember, col(StaffMember.id) == col(AttachmentRead.staff_id))
            .where(col(AttachmentRead.attachment_id).in_(ids))
            .group_by(col(AttachmentRead.attachment_id), col(StaffMember.id), col(StaffMember.name))
            .order_by(last.desc())
        )
        for attachment_id, name, read_at in (await session.exec(query)).all():
            reads[attachment_id].append((name, read_at))
    return dict(reads)


async def get_customer_attachment(
    session: AsyncSession, request_id: int, attachment_id: int
) -> Attachment:
    """A file that the customer sent about this request, or that is given to them.

    Raises NotFound for any other.
    """
    attachment = await get_attachment(session, attachment_id)
    message = await session.get_one(Message, attachment.message_id)
    if message.request_id != request_id or message.kind not in KINDS_ON_PAGE:
        raise NotFound(LazyString("This file is not here."))
    return attachment


async def bytes_received(session: AsyncSession, request_id: int, now: datetime) -> int:
    """The bytes of the files that have come with messages about this request in 24 hours."""
    query = (
        select(sa.func.coalesce(sa.func.sum(Attachment.size), 0))
        .join(Message, col(Message.id) == col(Attachment.message_id))
        .where(
            col(Message.request_id) == request_id,
            col(Message.direction) == Direction.IN,
            col(Attachment.created_at) > now - timedelta(days=1),
        )
    )
    return int((await session.exec(query)).one())


KINDS_ON_PAGE = (MessageKind.CUSTOMER, MessageKind.DOCUMENT)
"""Of these the status page shows the files."""
KINDS_WITH_ATTACHMENTS = (MessageKind.CUSTOMER, MessageKind.AUTOMATIC, MessageKind.DOCUMENT)
"""What comes in, and what staff give to the customer."""
