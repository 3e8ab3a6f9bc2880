"""Telling a customer that it takes longer, and until when."""

from pydantic import Field

from portal import operations
from portal.api.requests import load_response
from portal.api.schemas.inputs import Moment, Reason, StageInput
from portal.api.schemas.requests import RequestResponse
from portal.operations import UnitOfWork


class DelayInput(StageInput):
    """A new date for an open stage, and why, in words that the customer reads."""

    expected_by: Moment = Field(description="A time to come.")
    reason: Reason


async def tell_delay(uow: UnitOfWork, body: DelayInput, reference: str) -> RequestResponse:
    """Give an open stage a new date; the customer is told it, with the reason."""
    request = await uow.lock(reference, body.version)
    await operations.announce_delay(
        uow, request, expected_by=body.expected_by, reason=body.reason, stage=body.stage
    )
    return await load_response(uow, request)
