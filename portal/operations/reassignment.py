"""Reassign the work of absent and former staff to their substitutes, request by request."""

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
"""Requests reassigned in the transaction of the absence itself; the rest follows afterwards."""


async def reassign(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Reassign what absent or former staff have of this request to the substitute. Idempotent."""
    balls = select(DroppedBall).where(
        col(DroppedBall.request_id) == request.id, col(DroppedBall.resolved_at).is_(None)
    )
    reassignment = Reassignment(await uow.facts(request), (await uow.session.exec(balls)).all())
    if reassignment.reassign():
        await uow.finish(request)


async def reassign_from(uow: UnitOfWork, person: StaffMember) -> None:
    """Reassign the first BATCH_SIZE requests that this person has a part in, in this transaction."""
    roster = await load_full_roster(uow.session, uow.now)
    reassignable = Reassignable.of(roster, {saved_id(person)})
    for request_id in await find_requests_to_reassign(uow.session, reassignable, limit=BATCH_SIZE):
        await reassign(uow, await lock_by_id(uow.session, request_id))
    await reassign_unlinked_dropped_balls(uow)


async def reassign_unlinked_dropped_balls(uow: UnitOfWork) -> None:
    """Reassign the balls that belong to no request to somebody who is present."""
    roster = await load_full_roster(uow.session, uow.now)
    for ball in await list_unattended_balls(uow.session, roster):
        substitute_id = roster.find_deputy(ball.owner_id or 0) or roster.default_manager()
        if substitute_id is not None and substitute_id != ball.owner_id:
            ball.owner_id = substitute_id
            uow.changed_departments.add(ball.department_id or NO_DEPARTMENT)
    await uow.session.flush()


async def reassign_all(operations: Operations, actor: Actor) -> None:
    """Reassign everything of absent and former staff, each request in its own transaction."""
    tried: set[int] = set()
    while True:
        async with operations.begin(actor) as uow:
            reassignable = Reassignable.of(await load_full_roster(uow.session, uow.now))
            request_ids = await find_requests_to_reassign(
                uow.session, reassignable, limit=BATCH_SIZE + len(tried)
            )
        untried = [request_id for request_id in request_ids if request_id not in tried]
        for request_id in untried:
            async with operations.begin(actor) as uow:
                await reassign(uow, await lock_by_id(uow.session, request_id))
        tried.update(untried)
        if not untried:
            return
