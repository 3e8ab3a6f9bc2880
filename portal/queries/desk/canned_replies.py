"""Canned replies."""

from collections.abc import Collection, Sequence

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import CannedReply, Contact, ContactReason


async def list_canned_replies(
    session: AsyncSession, departments: Collection[int] | None = None
) -> Sequence[CannedReply]:
    """The replies of everybody and of these departments (None: of all), by title."""
    query = (
        select(CannedReply)
        .where(col(CannedReply.archived_at).is_(None))
        .order_by(col(CannedReply.title), col(CannedReply.id))
    )
    if departments is not None:
        in_departments = col(CannedReply.department_id).in_(departments)
        query = query.where(or_(in_departments, col(CannedReply.department_id).is_(None)))
    return (await session.exec(query)).all()


async def last_contact_reason(session: AsyncSession, request_id: int) -> ContactReason | None:
    """Why the customer came to us last about this request; None where they never did."""
    query = (
        select(Contact.reason)
        .where(col(Contact.request_id) == request_id)
        .order_by(col(Contact.id).desc())
        .limit(1)
    )
    reason = (await session.exec(query)).first()
    return ContactReason(reason) if reason else None
