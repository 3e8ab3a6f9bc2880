"""Who is at a request at the desk: seen, writing, or gone."""

from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from portal.models import Presence
from portal.operations.unit_of_work import Turn


async def be_present(turn: Turn, request_id: int, *, writing: bool = False) -> None:
    """The member of staff is here, and perhaps writing; colleagues learn of it where it is news."""
    staff_id = turn.actor.staff_id or 0
    seen = await turn.session.get(Presence, (request_id, staff_id))
    if seen is None:
        # Their other window may be faster by a moment; it says the same.
        with suppress(IntegrityError):
            async with turn.session.begin_nested():
                turn.session.add(
                    Presence(
                        request_id=request_id, staff_id=staff_id,
                        seen_at=turn.now, is_writing=writing,
                    )
                )  # fmt: skip
        turn.nudged.add(request_id)
        return
    if not seen.counts(turn.now) or seen.is_writing != writing:
        turn.nudged.add(request_id)
    seen.seen_at, seen.is_writing = turn.now, writing


async def leave(turn: Turn, request_id: int) -> None:
    """The member of staff has closed the page."""
    seen = await turn.session.get(Presence, (request_id, turn.actor.staff_id or 0))
    if seen is not None:
        await turn.session.delete(seen)
        turn.nudged.add(request_id)
