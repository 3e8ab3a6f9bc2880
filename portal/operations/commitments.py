"""What we say we will do, in words to a customer, is promised by them."""

from portal.messaging.intents.commitments import extract_commitments
from portal.messaging.intents.deadlines import DeadlineParser
from portal.models import Promise, ServiceRequest
from portal.operations.promises import record_promise_made
from portal.operations.unit_of_work import UnitOfWork


async def create_promises_from_text(
    uow: UnitOfWork, request: ServiceRequest, body: str
) -> list[Promise]:
    """Make a promise of each commitment in our words, as part of the turn that writes them.

    Quietly: the words themselves tell the customer. Its owner is the writer, else whoever has the
    request; it is for the time that was named, on the department's clocks, else for when the
    department answers at the latest.
    """
    department = (await uow.roster(request)).department_by_id(request.department_id)
    made = []
    for said in extract_commitments(body, DeadlineParser(department.calendar, uow.now)):
        named = said.at if said.at and said.at > uow.now else None
        promise = Promise(
            kind=said.kind,
            text=said.text,
            owner_id=uow.actor.staff_id or request.owner_id,
            department_id=request.department_id,
            made_at=uow.now,
            due_at=named or department.reply_due_at(uow.now),
        )
        await record_promise_made(uow, request, promise, bumps_version=False, is_from_text=True)
        made.append(promise)
    return made
