"""Presence of staff at a request: seen, writing, or gone."""

from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from portal.models import Presence
from portal.operations.unit_of_work import UnitOfWork


async def mark_present(uow: UnitOfWork, request_id: int, *, writing: bool = False) -> None:
    """The member of staff is here, and perhaps writing; colleagues learn of it where it is news."""
    staff_id = uow.actor.staff_id or 0
    seen = await uow.session.get(Presence, (request_id, staff_id))
    if seen is None:
        # Another window of the same person may have written the row first.
        with suppress(IntegrityError):
            async with uow.session.begin_nested():
                uow.session.add(
                    Presence(
                        request_id=request_id, staff_id=staff_id,
                        seen_at=uow.now, is_writing=writing,
                    )
                )  # fmt: skip
        uow.changed_requests.add(request_id)
        return
    if not seen.is_current(uow.now) or seen.is_writing != writing:
        uow.changed_requests.add(request_id)
    seen.seen_at, seen.is_writing = uow.now, writing


async def clear_presence(uow: UnitOfWork, request_id: int) -> None:
    """The member of staff has closed the page."""
    seen = await uow.session.get(Presence, (request_id, uow.actor.staff_id or 0))
    if seen is not None:
        await uow.session.delete(seen)
        uow.changed_requests.add(request_id)
