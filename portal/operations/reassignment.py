"""Nobody away or gone keeps work that somebody else can do: passing it on, request by request."""

from sqlmodel import col, select

from portal.live import FRONT_DESK
from portal.models import DroppedBall, ServiceRequest, StaffMember
from portal.models.people.actor import Actor
from portal.operations.unit_of_work import Relay, Turn
from portal.queries.reassignment import Movable, left_behind, stray_balls
from portal.queries.requests import lock_by_id
from portal.queries.roster import load_full_roster
from portal.rules.reassignment import StandingIn

AT_ONCE = 100
"""Requests in one transaction with the absence itself; whoever has more passes on the rest after."""


async def take_over(turn: Turn, request: ServiceRequest) -> None:
    """Give what of it lies with nobody who is here to whoever stands in; done twice, done once."""
    balls = select(DroppedBall).where(
        col(DroppedBall.request_id) == request.id, col(DroppedBall.resolved_at).is_(None)
    )
    standing = StandingIn(
        request, (await turn.session.exec(balls)).all(), await turn.roster(request)
    )
    owners = [promise.owner_id for promise in request.promises]
    if not standing.take_over(turn.actor, turn.now):
        return
    if owners != [promise.owner_id for promise in request.promises]:
        turn.touch(request)  # The customer's page says who will keep a promise.
    await turn.settle(request)


async def take_over_from(turn: Turn, person: StaffMember) -> None:
    """Pass on what this person has, in the same transaction; of very much work, the first of it."""
    roster = await load_full_roster(turn.session, turn.now)
    movable = Movable.of(roster, {person.id or 0})
    for request_id in await left_behind(turn.session, movable, limit=AT_ONCE):
        await take_over(turn, await lock_by_id(turn.session, request_id))
    await take_over_strays(turn)


async def take_over_strays(turn: Turn) -> None:
    """Give what slipped beyond any request to somebody who is here."""
    roster = await load_full_roster(turn.session, turn.now)
    for ball in await stray_balls(turn.session, roster):
        taker = roster.stand_in(ball.owner_id or 0) or roster.overseer()
        if taker is not None and taker != ball.owner_id:
            ball.owner_id = taker
            turn.moved.add(ball.department_id or FRONT_DESK)
    await turn.session.flush()


async def take_over_everything(relay: Relay, actor: Actor) -> None:
    """Pass on whatever lies with nobody who is here, each request in a transaction of its own."""
    tried: set[int] = set()
    while True:
        async with relay.turn(actor) as turn:
            movable = Movable.of(await load_full_roster(turn.session, turn.now))
            found = await left_behind(turn.session, movable, limit=AT_ONCE + len(tried))
        ahead = [request_id for request_id in found if request_id not in tried]
        for request_id in ahead:
            async with relay.turn(actor) as turn:
                await take_over(turn, await lock_by_id(turn.session, request_id))
        tried.update(ahead)
        if not ahead:
            return
