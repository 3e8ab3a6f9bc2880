"""Nobody away or gone keeps work that somebody else can do: passing it on, request by request."""

from sqlmodel import col, select

from portal.live import NO_DEPARTMENT
from portal.models import DroppedBall, ServiceRequest, StaffMember
from portal.models.columns import saved_id
from portal.models.people.actor import Actor
from portal.operations.unit_of_work import Operations, UnitOfWork
from portal.queries.reassignment import (
    Reassignable,
    find_requests_to_reassign,
    list_unattended_balls,
)
from portal.queries.requests import lock_by_id
from portal.queries.roster import load_full_roster
from portal.rules.reassignment import Reassignment

BATCH_SIZE = 100
"""Requests in one transaction with the absence itself; whoever has more passes on the rest after."""


async def reassign(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Give what of it lies with nobody who is here to whoever stands in; done twice, done once."""
    balls = select(DroppedBall).where(
        col(DroppedBall.request_id) == request.id, col(DroppedBall.resolved_at).is_(None)
    )
    standing = Reassignment(
        request, (await uow.session.exec(balls)).all(), await uow.roster(request)
    )
    owners = [promise.owner_id for promise in request.promises]
    if not standing.reassign(uow.actor, uow.now):
        return
    if owners != [promise.owner_id for promise in request.promises]:
        uow.mark_page_changed(request)  # The customer's page says who will keep a promise.
    await uow.finish(request)


async def reassign_from(uow: UnitOfWork, person: StaffMember) -> None:
    """Pass on what this person has, in the same transaction; of very much work, the first of it."""
    roster = await load_full_roster(uow.session, uow.now)
    reassignable = Reassignable.of(roster, {saved_id(person)})
    for request_id in await find_requests_to_reassign(uow.session, reassignable, limit=BATCH_SIZE):
        await reassign(uow, await lock_by_id(uow.session, request_id))
    await reassign_unlinked_dropped_balls(uow)


async def reassign_unlinked_dropped_balls(uow: UnitOfWork) -> None:
    """Give what slipped beyond any request to somebody who is here."""
    roster = await load_full_roster(uow.session, uow.now)
    for ball in await list_unattended_balls(uow.session, roster):
        taker = roster.find_deputy(ball.owner_id or 0) or roster.default_manager()
        if taker is not None and taker != ball.owner_id:
            ball.owner_id = taker
            uow.changed_departments.add(ball.department_id or NO_DEPARTMENT)
    await uow.session.flush()


async def reassign_all(operations: Operations, actor: Actor) -> None:
    """Pass on whatever lies with nobody who is here, each request in a transaction of its own."""
    tried: set[int] = set()
    while True:
        async with operations.begin(actor) as uow:
            reassignable = Reassignable.of(await load_full_roster(uow.session, uow.now))
            found = await find_requests_to_reassign(
                uow.session, reassignable, limit=BATCH_SIZE + len(tried)
            )
        ahead = [request_id for request_id in found if request_id not in tried]
        for request_id in ahead:
            async with operations.begin(actor) as uow:
                await reassign(uow, await lock_by_id(uow.session, request_id))
        tried.update(ahead)
        if not ahead:
            return
