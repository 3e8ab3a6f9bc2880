"""What we say we will do, in words to a customer, is promised by them."""

from portal.messaging.intents.commitments import read_commitments
from portal.messaging.intents.deadlines import DeadlineReader
from portal.models import Promise, ServiceRequest
from portal.operations.promises import record_made
from portal.operations.unit_of_work import Turn


async def promise_what_is_said(turn: Turn, request: ServiceRequest, body: str) -> list[Promise]:
    """Make a promise of each commitment in our words, as part of the turn that writes them.

    Quietly: the words themselves tell the customer. Its owner is the writer, else whoever has the
    request; it is for the time that was named, on the department's clocks, else for when the
    department answers at the latest.
    """
    department = (await turn.roster(request)).department_by_id(request.department_id)
    made = []
    for said in read_commitments(body, DeadlineReader(department.calendar, turn.now)):
        named = said.at if said.at and said.at > turn.now else None
        promise = Promise(
            kind=said.kind,
            text=said.text,
            owner_id=turn.actor.staff_id or request.owner_id,
            department_id=request.department_id,
            made_at=turn.now,
            due_at=named or department.reply_by(turn.now),
        )
        await record_made(turn, request, promise, moves=False, is_read=True)
        made.append(promise)
    return made
