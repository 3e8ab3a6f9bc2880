"""Raising what has slipped, once, with a named person; and putting it down when it is right again."""

from sqlmodel import col, select

from portal.live import FRONT_DESK
from portal.models import BallKind, DroppedBall, Message
from portal.queries.requests import lock_by_id
from portal.queries.rosters import load_full_roster
from portal.relay.turn import Turn


def about(message: Message) -> str:
    """The subject of a ball about one message."""
    return f"message:{message.id}"


async def raise_ball(
    turn: Turn, kind: BallKind, subject: str, detail: str, *, request_id: int | None = None
) -> bool:
    """Put it before the request's owner, or with no request before whoever oversees; once.

    While one of this kind and subject is open nothing happens: then it gives False.
    """
    query = select(DroppedBall.id).where(
        col(DroppedBall.kind) == kind,
        col(DroppedBall.subject) == subject,
        col(DroppedBall.resolved_at).is_(None),
    )
    if (await turn.session.exec(query)).first() is not None:
        return False
    owner_id = await _overseer(turn) if request_id is None else None
    if request_id is not None:
        owner_id = (await lock_by_id(turn.session, request_id)).owner_id
    turn.session.add(
        DroppedBall(
            kind=kind,
            subject=subject,
            request_id=request_id,
            owner_id=owner_id,
            detail=detail,
            slipped_at=turn.now,
            raised_at=turn.now,
        )
    )
    await turn.session.flush()
    if request_id is None:
        turn.moved.add(FRONT_DESK)
    return True


async def resolve_balls(turn: Turn, subject: str, *kinds: BallKind) -> None:
    """The facts have put it right: the open balls of these kinds about this are closed."""
    query = select(DroppedBall).where(
        col(DroppedBall.kind).in_(kinds),
        col(DroppedBall.subject) == subject,
        col(DroppedBall.resolved_at).is_(None),
    )
    for ball in (await turn.session.exec(query)).all():
        ball.resolved_at = turn.now
        if ball.request_id is None:
            turn.moved.add(FRONT_DESK)


async def _overseer(turn: Turn) -> int | None:
    """A manager or admin, the longest here."""
    staff = (await load_full_roster(turn.session)).staff
    overseers = (key for key, person in staff.items() if person.oversees and not person.disabled_at)
    return min(overseers, default=None)
