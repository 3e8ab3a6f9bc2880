"""The record of who has read which file of a customer."""

from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from portal.models import AttachmentRead
from portal.operations.unit_of_work import UnitOfWork


async def record_attachment_read(uow: UnitOfWork, attachment_id: int) -> None:
    """The member of staff who acts has read this file: one row for each person, file and day."""
    read = AttachmentRead(
        attachment_id=attachment_id, staff_id=uow.actor.staff_id or 0, day=uow.now.date(),
        read_at=uow.now,
    )  # fmt: skip
    # Another window of the same person may have written the row first.
    with suppress(IntegrityError):
        async with uow.session.begin_nested():
            uow.session.add(read)
