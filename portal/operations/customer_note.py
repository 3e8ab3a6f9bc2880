"""What colleagues should know of a customer, whoever takes the request over."""

from portal.errors import BadInput
from portal.models import EventKind, ServiceRequest
from portal.operations.open_request import one_line
from portal.operations.unit_of_work import Turn

LONGEST_LINE = 300


async def note_minds(turn: Turn, request: ServiceRequest, words: str) -> None:
    """What the customer minds about, as one line; without words nothing is noted any more.

    The customer never reads it. Raises BadInput for more than one line holds.
    """
    line = one_line(words)
    if len(line) > LONGEST_LINE:
        raise BadInput(
            f"Please keep it to one line of {LONGEST_LINE} letters.", fields={"text": "shorter"}
        )
    if line == request.minds_about:
        return
    request.minds_about = line
    request.record(
        EventKind.MINDS_NOTED, turn.actor, turn.now, visible=False, moves=False, note=line
    )
    await turn.settle(request)
