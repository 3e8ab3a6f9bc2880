"""Only admins see or erase all data of a person."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.errors import NotAllowed
from portal.models import Actor, Role, StaffMember


async def require_admin(session: AsyncSession, actor: Actor) -> None:
    """Raises NotAllowed unless an admin acts, or Kept itself: the command line or a worker."""
    if actor.staff_id is None:
        return
    person = await session.get_one(StaffMember, actor.staff_id)
    if person.role != Role.ADMIN:
        raise NotAllowed("Only an admin may see or erase all data of a person.")
