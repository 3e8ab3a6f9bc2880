"""The photo of a member of staff: set, replaced and removed; open pages of their customers follow."""

import hashlib

from sqlmodel import col, select

from portal.errors import Conflict, NotAllowed
from portal.models import RunState, ServiceRequest, StaffMember, StaffPhoto, StageRun
from portal.models.columns import saved_id
from portal.models.people.staff_photo import DIGEST_LENGTH
from portal.operations.unit_of_work import UnitOfWork


async def set_photo(uow: UnitOfWork, person: StaffMember, image: bytes) -> None:
    """Give the person this photo, a small square that ``FileStore.make_portrait`` has made.

    Raises NotAllowed for a colleague's photo, and Conflict for somebody disabled.
    """
    _check_own(uow, person)
    if person.disabled_at is not None:
        raise Conflict(f"{person.name} is disabled and gets no photo.")
    digest = hashlib.sha256(image).hexdigest()[:DIGEST_LENGTH]
    await uow.session.merge(
        StaffPhoto(staff_member_id=saved_id(person), digest=digest, image=image, created_at=uow.now)
    )
    await _mark_pages_changed(uow, person)


async def remove_photo(uow: UnitOfWork, person: StaffMember) -> None:
    """Delete the photo; nothing happens where there is none. Raises NotAllowed as ``set_photo``."""
    _check_own(uow, person)
    await delete_photo(uow, person)


async def delete_photo(uow: UnitOfWork, person: StaffMember) -> None:
    """Delete the photo of somebody who leaves, or who wants none."""
    photo = await uow.session.get(StaffPhoto, saved_id(person))
    if photo is not None:
        await uow.session.delete(photo)
        await _mark_pages_changed(uow, person)


def _check_own(uow: UnitOfWork, person: StaffMember) -> None:
    if uow.actor.staff_id not in (None, person.id):
        raise NotAllowed("Everybody chooses their own photo.")


async def _mark_pages_changed(uow: UnitOfWork, person: StaffMember) -> None:
    """The pages of the requests that they have show the change."""
    await uow.session.flush()
    held = select(StageRun.request_id).where(
        col(StageRun.assignee_id) == saved_id(person), col(StageRun.state) == RunState.OPEN
    )
    query = select(ServiceRequest).where(col(ServiceRequest.id).in_(held))
    query = query.order_by(col(ServiceRequest.id)).with_for_update()
    for request in (await uow.session.exec(query)).all():
        uow.mark_page_changed(request)
