"""Requests of persons about their data: recorded with their due date, done by an admin."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import BadInput, Conflict, NotFound
from portal.models import (
    Customer,
    Message,
    MessageKind,
    PersonRequest,
    PersonRequestKind,
    Role,
    StaffMember,
    one_month_after,
)
from portal.models.people.person_request import REMINDER_BEFORE
from portal.operations.privacy.admins import require_admin
from portal.operations.privacy.digests import address_digest, get_address_key
from portal.operations.unit_of_work import Operations, UnitOfWork
from portal.queries.person import PersonScope, find_person, parse_address

MAX_LISTED = 200
REMINDER_SUBJECT = "Requests about personal data are due"
REMINDER_BODY = (
    "{count} of people about their own data must be answered by law within a month. The next is "
    "due on {due_at:%d %B %Y}. {url}/desk/personal-data"
)


async def record_person_request(
    uow: UnitOfWork, kind: str, address: str, names: Collection[str] = ()
) -> PersonRequest:
    """Record that a person asks for a copy of their data ("export") or its erasure ("erase").

    It is due a month from now. Raises as ``find_person`` does, BadInput for another kind, and
    Conflict where the same is open already.
    """
    await require_admin(uow.session, uow.actor)
    if kind not in list(PersonRequestKind):
        raise BadInput("Please choose a copy of the data or its erasure.", fields={"kind": "erase"})
    await find_person(uow.session, address, names)
    _, parsed = parse_address(address)
    is_same = (
        col(PersonRequest.kind) == PersonRequestKind(kind),
        col(PersonRequest.address) == parsed,
        col(PersonRequest.names) == "\n".join(names),
        col(PersonRequest.done_at).is_(None),
    )
    if (await uow.session.exec(select(PersonRequest.id).where(*is_same))).first() is not None:
        raise Conflict("The same is recorded already, and not done yet.")
    person_request = PersonRequest(
        kind=PersonRequestKind(kind),
        address=parsed,
        names="\n".join(names),
        received_at=uow.now,
        due_at=one_month_after(uow.now),
        recorded_by=uow.actor.name,
        recorded_by_id=uow.actor.staff_id,
    )
    uow.session.add(person_request)
    await uow.session.flush()
    return person_request


async def get_person_request(session: AsyncSession, request_id: int) -> PersonRequest:
    """One of them. Raises NotFound, and Conflict where it has been done."""
    person_request = await session.get(PersonRequest, request_id)
    if person_request is None:
        raise NotFound("There is no such request about personal data.")
    if person_request.done_at is not None:
        raise Conflict("This has been done already.")
    return person_request


async def complete_exports(uow: UnitOfWork, scope: PersonScope) -> None:
    """The person has their copy: their open requests for one are done, by whoever acts."""
    for person_request in await _find_requests(uow.session, scope):
        if person_request.kind == PersonRequestKind.EXPORT and person_request.done_at is None:
            person_request.done_at, person_request.done_by = uow.now, uow.actor.name
            uow.session.add(person_request)


async def settle_person_requests(
    uow: UnitOfWork, scope: PersonScope, *, is_replay: bool = False
) -> None:
    """Before a person is erased: their requests are done, and name them no more.

    Raises Conflict while they ask for a copy that they have not been given; not if ``is_replay``,
    as they had it, or did without, before they were erased first.
    """
    key = await get_address_key(uow.session, uow.now)
    for person_request in await _find_requests(uow.session, scope):
        if person_request.done_at is None:
            if person_request.kind == PersonRequestKind.EXPORT and not is_replay:
                raise Conflict(
                    "This person has asked for a copy of their data and has not been given it. "
                    "Please do that first."
                )
            person_request.done_at, person_request.done_by = uow.now, uow.actor.name
        channel, address = parse_address(person_request.address)
        person_request.address = address_digest(key, channel, address)
        person_request.names = ""
        uow.session.add(person_request)
    await uow.session.flush()


async def _find_requests(session: AsyncSession, scope: PersonScope) -> list[PersonRequest]:
    """Those of this person; at a shared address others may have some too."""
    customers = select(Customer.name).where(col(Customer.id).in_(scope.customer_ids))
    names = {name.casefold() for name in (await session.exec(customers)).all()}
    query = select(PersonRequest).where(
        col(PersonRequest.address).in_([address for _, address in scope.addresses]),
        scope.is_in_time(PersonRequest.received_at),
    )
    own = {address for _, address in scope.own_addresses}
    return [
        person_request
        for person_request in (await session.exec(query)).all()
        if person_request.address in own
        or names & {name.strip().casefold() for name in person_request.names.splitlines()}
    ]


async def list_person_requests(session: AsyncSession) -> Sequence[PersonRequest]:
    """The open ones, the soonest due first; then the newest of those that are done."""
    query = (
        select(PersonRequest)
        .order_by(
            sa.case((col(PersonRequest.done_at).is_(None), 0), else_=1),
            sa.case((col(PersonRequest.done_at).is_(None), col(PersonRequest.due_at))),
            col(PersonRequest.done_at).desc(),
        )
        .limit(MAX_LISTED)
    )
    return (await session.exec(query)).all()


async def remind_admins(operations: Operations, uow: UnitOfWork) -> int:
    """Mail each admin, once a day (UTC), about requests that are overdue or due within a week.

    Gives how many are mailed: none where no SMTP server is set.
    """
    settings = operations.settings
    open_soon = select(PersonRequest).where(
        col(PersonRequest.done_at).is_(None),
        col(PersonRequest.due_at) < uow.now + REMINDER_BEFORE,
    )
    due = (await uow.session.exec(open_soon.order_by(col(PersonRequest.due_at)))).all()
    if not due or not settings.sends_mail:
        return 0
    admins = select(StaffMember).where(
        col(StaffMember.role) == Role.ADMIN, col(StaffMember.disabled_at).is_(None)
    )
    mailed = 0
    for admin in (await uow.session.exec(admins)).all():
        cause = f"personal-data:{uow.now:%Y-%m-%d}:{admin.id}"
        sent = select(Message.id).where(
            col(Message.cause) == cause, col(Message.kind) == MessageKind.NOTICE
        )
        if (await uow.session.exec(sent)).first() is not None:
            continue
        count = "1 request" if len(due) == 1 else f"{len(due)} requests"
        body = REMINDER_BODY.format(count=count, due_at=due[0].due_at, url=settings.public_url)
        await uow.outbox.queue_staff_notice(cause, admin.email, REMINDER_SUBJECT, body)
        mailed += 1
    return mailed
