"""Only admins see or erase all data of a person."""

from portal.errors import NotAllowed
from portal.models import Role, StaffMember
from portal.operations.unit_of_work import UnitOfWork


async def require_admin(uow: UnitOfWork) -> None:
    """Raises NotAllowed unless an admin acts, or Kept itself: the command line or a worker."""
    if uow.actor.staff_id is None:
        return
    person = await uow.session.get_one(StaffMember, uow.actor.staff_id)
    if person.role != Role.ADMIN:
        raise NotAllowed("Only an admin may see or erase all data of a person.")
