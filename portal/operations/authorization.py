"""The authorization rule, applied to the actor of this unit of work."""

from portal.errors import NotAllowed
from portal.models import ServiceRequest, StaffMember
from portal.models.columns import saved_id
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.staff import department_ids, load_colleague
from portal.rules import authorization
from portal.rules.authorization import Act
from portal.rules.colleague import Colleague


async def authorize(
    uow: UnitOfWork, request: ServiceRequest | None, act: Act, stage: str | None = None
) -> None:
    """Raises NotAllowed where the member of staff who acts may not do it.

    Raises Conflict for anything but reading where the request's customer is erased. A customer, an API key without ``by`` and Kept itself may do everything. Each operation that a
    person can ask for calls it before it changes anything.
    """
    authorization.authorize(await acting_colleague(uow, request), request, stage, act)


async def authorize_dismissal(
    uow: UnitOfWork, request: ServiceRequest | None, assignee_id: int | None
) -> None:
    """The same for a dropped ball, which the person it is before may dismiss too."""
    person = await acting_colleague(uow, request)
    if not authorization.may_dismiss(person, request, assignee_id):
        authorization.authorize(person, request, None, Act.DISMISS_BALL)


async def authorize_absence(uow: UnitOfWork, absent: StaffMember) -> None:
    """Raises NotAllowed unless the actor may change this person's absence."""
    person = await acting_colleague(uow, None)
    departments = await department_ids(uow.session, saved_id(absent))
    if not authorization.may_change_absence(person, saved_id(absent), departments):
        raise NotAllowed("Their department's lead notes that, or a manager or admin.")


async def acting_colleague(uow: UnitOfWork, request: ServiceRequest | None) -> Colleague | None:
    """The member of staff who acts; None where a customer, another system or Kept itself does."""
    staff_id = uow.actor.staff_id
    if staff_id is None:
        return None
    if request is not None:
        return (await uow.facts(request)).colleague
    return await load_colleague(uow.session, await uow.session.get_one(StaffMember, staff_id))
