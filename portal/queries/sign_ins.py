"""Finds who is signed in, the sign-ins of a person, and what happened to their account."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    AccountEvent,
    Membership,
    StaffMember,
    StaffSignIn,
    hash_sign_in_token,
)

MAX_LISTED = 50


async def find_sign_in(
    session: AsyncSession, token: str
) -> tuple[StaffSignIn, StaffMember, frozenset[int]] | None:
    """The sign-in with this token, its person and their departments, in one query.

    None where it has ended, whatever the clock says; the caller checks that it has not expired.
    """
    query = (
        select(StaffSignIn, StaffMember, Membership.department_id)
        .join(StaffMember, col(StaffMember.id) == col(StaffSignIn.staff_id))
        .outerjoin(Membership, col(Membership.staff_member_id) == col(StaffMember.id))
        .where(
            col(StaffSignIn.token_hash) == hash_sign_in_token(token),
            col(StaffSignIn.ended_at).is_(None),
        )
    )
    rows: Sequence[tuple[StaffSignIn, StaffMember, int | None]] = (await session.exec(query)).all()
    if not rows:
        return None
    sign_in, staff, _ = rows[0]
    # Without a department the outer join gives one row without an id.
    return sign_in, staff, frozenset(row[2] for row in rows if row[2] is not None)


async def sign_ins_of(session: AsyncSession, staff_id: int) -> Sequence[StaffSignIn]:
    """The newest sign-ins of a person that have not ended; expired ones too."""
    query = (
        select(StaffSignIn)
        .where(col(StaffSignIn.staff_id) == staff_id, col(StaffSignIn.ended_at).is_(None))
        .order_by(col(StaffSignIn.id).desc())
        .limit(MAX_LISTED)
    )
    return (await session.exec(query)).all()


async def account_events_of(session: AsyncSession, staff_id: int) -> Sequence[AccountEvent]:
    """The newest events of a person's account."""
    query = (
        select(AccountEvent)
        .where(col(AccountEvent.staff_id) == staff_id)
        .order_by(col(AccountEvent.at).desc(), col(AccountEvent.id).desc())
        .limit(MAX_LISTED)
    )
    return (await session.exec(query)).all()
