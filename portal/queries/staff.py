"""Finds members of staff, their departments and photos, and who has a request open."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    Department,
    Membership,
    Presence,
    RunState,
    StaffMember,
    StaffPhoto,
    StageRun,
    hash_token,
)
from portal.models.columns import saved_id
from portal.models.people.contact_address import without_invisible
from portal.models.people.presence import PRESENCE_TIMEOUT
from portal.queries.paging import PageRequest, read_page
from portal.rules.colleague import Colleague


async def find_staff_by_email(session: AsyncSession, email: str) -> StaffMember | None:
    """The person with this e-mail address, in any case."""
    address = without_invisible(email).strip().lower()[:254]
    query = select(StaffMember).where(col(StaffMember.email) == address)
    return (await session.exec(query)).one_or_none()


async def find_by_invitation(session: AsyncSession, secret: str) -> StaffMember | None:
    """The person with this unused invitation, locked until the transaction ends."""
    query = select(StaffMember).where(col(StaffMember.invitation_hash) == hash_token(secret))
    return (await session.exec(query.with_for_update())).one_or_none()


async def all_memberships(session: AsyncSession) -> Sequence[tuple[int, str, bool]]:
    """Every membership: the person's id, the department's key, whether they lead it."""
    query = (
        select(Membership.staff_member_id, Department.key, Membership.is_lead)
        .join(Department, col(Department.id) == col(Membership.department_id))
        .order_by(col(Department.key))
    )
    return (await session.exec(query)).all()


async def department_ids(session: AsyncSession, staff_id: int) -> frozenset[int]:
    """The departments in which this person works."""
    query = select(Membership.department_id).where(col(Membership.staff_member_id) == staff_id)
    return frozenset((await session.exec(query)).all())


async def led_departments(session: AsyncSession, staff_id: int) -> frozenset[int]:
    """The departments that this person leads."""
    query = select(Membership.department_id).where(
        col(Membership.staff_member_id) == staff_id, col(Membership.is_lead)
    )
    return frozenset((await session.exec(query)).all())


async def load_colleague(session: AsyncSession, person: StaffMember) -> Colleague:
    """The person as the authorization rule sees them."""
    staff_id = saved_id(person)
    return Colleague(
        staff_id=staff_id,
        name=person.name,
        manages_all=person.manages_all,
        departments=await department_ids(session, staff_id),
        leads=await led_departments(session, staff_id),
    )


async def staff_by_id(session: AsyncSession, ids: Iterable[int]) -> dict[int, StaffMember]:
    """These people, by id."""
    query = select(StaffMember).where(col(StaffMember.id).in_(set(ids)))
    return {saved_id(person): person for person in (await session.exec(query)).all()}


async def list_staff(
    session: AsyncSession, page: PageRequest
) -> tuple[list[StaffMember], int | None]:
    """Members of staff by id, and the id after which the next page starts."""
    return await read_page(session, select(StaffMember), col(StaffMember.id), page)


async def find_present_colleagues(
    session: AsyncSession, request_id: int, except_staff_id: int, now: datetime
) -> Sequence[tuple[str, bool]]:
    """The names of the others who have this request open, and whether they are writing."""
    query = (
        sa.select(col(StaffMember.name), col(Presence.is_writing))
        .join(StaffMember, col(StaffMember.id) == col(Presence.staff_id))
        .where(
            col(Presence.request_id) == request_id,
            col(Presence.staff_id) != except_staff_id,
            col(Presence.seen_at) >= now - PRESENCE_TIMEOUT,
        )
        .order_by(col(StaffMember.name))
    )
    rows = await (await session.connection()).execute(query)
    return [(name, is_writing) for name, is_writing in rows]


async def find_photo(session: AsyncSession, staff_id: int) -> StaffPhoto | None:
    """The photo of this person; None where they have none."""
    return await session.get(StaffPhoto, staff_id)


async def find_photo_of_request(
    session: AsyncSession, request_id: int, digest: str
) -> StaffPhoto | None:
    """The photo with this digest, of somebody who has an open stage of the request."""
    query = (
        select(StaffPhoto)
        .join(StageRun, col(StageRun.assignee_id) == col(StaffPhoto.staff_member_id))
        .where(
            col(StageRun.request_id) == request_id,
            col(StageRun.state) == RunState.OPEN,
            col(StaffPhoto.digest) == digest,
        )
        .limit(1)
    )
    return (await session.exec(query)).first()
