"""Telling a customer that it takes longer, and until when."""

from pydantic import Field

from portal import operations
from portal.api.requests import whole
from portal.api.schemas.inputs import Moment, Reason, StageMove
from portal.api.schemas.requests import RequestAnswer
from portal.operations import Turn


class Delay(StageMove):
    """A new date for an open stage, and why, in words that the customer reads."""

    expected_by: Moment = Field(description="A time to come.")
    reason: Reason


async def tell_delay(turn: Turn, body: Delay, reference: str) -> RequestAnswer:
    """Give an open stage a new date; the customer is told it, with the reason."""
    request = await turn.lock(reference, body.version)
    await operations.must_be_theirs(turn, request, body.stage)
    await operations.tell_delay(
        turn, request, expected_by=body.expected_by, reason=body.reason, stage=body.stage
    )
    return await whole(turn, request)
