"""What colleagues should know of a customer, whoever takes the request over."""

from portal.errors import BadInput
from portal.models import EventKind, ServiceRequest
from portal.operations.authorization import authorize
from portal.operations.open_request import one_line
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act

MAX_NOTE_LENGTH = 300


async def set_customer_note(uow: UnitOfWork, request: ServiceRequest, words: str) -> None:
    """What the customer minds about, as one line; without words nothing is noted any more.

    The customer never reads it. Raises BadInput for more than one line holds.
    """
    await authorize(uow, request, Act.SET_NOTE)
    line = one_line(words)
    if len(line) > MAX_NOTE_LENGTH:
        raise BadInput(
            f"Please keep it to one line of {MAX_NOTE_LENGTH} letters.", fields={"text": "shorter"}
        )
    if line == request.customer_note:
        return
    request.customer_note = line
    request.record(
        EventKind.CUSTOMER_NOTE_CHANGED,
        uow.actor,
        uow.now,
        visible=False,
        bumps_version=False,
        note=line,
    )
    await uow.finish(request)
