"""Sign-ins at the desk: begun, seen, and ended."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    LAST_SEEN_INTERVAL,
    AccountEventKind,
    SignInEnd,
    StaffMember,
    StaffSignIn,
    hash_sign_in_token,
    new_sign_in_token,
)
from portal.models.columns import saved_id
from portal.operations.accounts.record import NO_CLIENT, Client, record_account_event
from portal.operations.unit_of_work import UnitOfWork


async def start_sign_in(
    uow: UnitOfWork, staff_id: int, password_hash: str | None, client: Client, *, notify: bool
) -> tuple[StaffMember, str] | None:
    """Begin a sign-in; returns the person and the token for their browser.

    ``password_hash`` is the hash that the password was verified against. None where it changed
    meanwhile or the person was disabled. With ``notify`` the person gets an e-mail.
    """
    staff = await lock_account(uow, staff_id)
    if staff.disabled_at or staff.password_hash != password_hash:
        return None
    token = new_sign_in_token()
    uow.session.add(
        StaffSignIn(
            staff_id=staff_id,
            token_hash=hash_sign_in_token(token),
            created_at=uow.now,
            last_seen_at=uow.now,
            browser=client.browser,
            network=client.network,
        )
    )
    await record_account_event(uow, staff, AccountEventKind.SIGNED_IN, client=client, notify=notify)
    return staff, token


async def lock_account(uow: UnitOfWork, staff_id: int) -> StaffMember:
    """The person, locked until the transaction ends."""
    query = select(StaffMember).where(col(StaffMember.id) == staff_id).with_for_update()
    return (await uow.session.exec(query)).one()


async def change_password(
    uow: UnitOfWork, staff: StaffMember, password_hash: str, client: Client
) -> None:
    """Set a new password (an argon2id hash); every sign-in ends, and the person gets an e-mail."""
    staff.set_password(password_hash)
    uow.session.add(staff)
    await record_account_event(
        uow, staff, AccountEventKind.PASSWORD_CHANGED, client=client, notify=True
    )
    await end_all_sign_ins(uow, staff, SignInEnd.PASSWORD_CHANGED, client)


async def end_sign_in(uow: UnitOfWork, token: str, client: Client) -> None:
    """End the sign-in with this token, whoever it is of: its browser signs out."""
    query = select(StaffSignIn).where(col(StaffSignIn.token_hash) == hash_sign_in_token(token))
    sign_in = (await uow.session.exec(query)).one_or_none()
    if sign_in is not None:
        staff = await lock_account(uow, sign_in.staff_id)
        await _end(uow, staff, SignInEnd.SIGNED_OUT, client, sign_in)


async def end_all_sign_ins(
    uow: UnitOfWork, staff: StaffMember, reason: SignInEnd, client: Client = NO_CLIENT
) -> None:
    """End every sign-in of the person, also one that another transaction is about to commit."""
    await _end(uow, await lock_account(uow, saved_id(staff)), reason, client)


async def mark_seen(session: AsyncSession, sign_in_id: int, now: datetime) -> None:
    """Note that the sign-in is in use, at most once in LAST_SEEN_INTERVAL."""
    connection = await session.connection()
    await connection.execute(
        sa.update(StaffSignIn)
        .where(
            col(StaffSignIn.id) == sign_in_id,
            col(StaffSignIn.last_seen_at) <= now - LAST_SEEN_INTERVAL,
        )
        .values(last_seen_at=now)
    )


async def _end(
    uow: UnitOfWork,
    staff: StaffMember,
    reason: SignInEnd,
    client: Client,
    only: StaffSignIn | None = None,
) -> None:
    query = select(StaffSignIn).where(
        col(StaffSignIn.staff_id) == saved_id(staff), col(StaffSignIn.ended_at).is_(None)
    )
    if only is not None:
        query = query.where(col(StaffSignIn.id) == only.id)
    sign_ins = (await uow.session.exec(query.with_for_update())).all()
    limits = uow.settings.sign_in_idle, uow.settings.sign_in_longest
    had_not_expired = False
    for sign_in in sign_ins:
        had_not_expired |= sign_in.expires_at(*limits) > uow.now
        sign_in.end(reason, uow.now)
        uow.session.add(sign_in)
    await uow.session.flush()
    if had_not_expired:
        await record_account_event(
            uow, staff, AccountEventKind.SIGN_IN_ENDED, client=client, end_reason=reason
        )
