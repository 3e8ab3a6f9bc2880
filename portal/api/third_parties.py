"""What third parties report, such as couriers: in a closed list of codes, or in words alone."""

from typing import Annotated

from pydantic import Field

from portal import operations
from portal.api.requests import load_response
from portal.api.schemas.fields import Key
from portal.api.schemas.inputs import Input
from portal.api.schemas.requests import RequestResponse
from portal.models import ThirdPartyCode
from portal.operations import ThirdPartyReport, UnitOfWork
from portal.operations.third_parties.reports import (
    MAX_EVENT_ID_LENGTH,
    MAX_NAME_LENGTH,
    MAX_PLACE_LENGTH,
    MAX_TRACKING_NUMBER_LENGTH,
    MAX_UPDATE_LENGTH,
)
from portal.web.times import DayOrMoment, Moment


class ThirdPartyUpdateInput(Input):
    """An update of a third party, such as a courier's "Out for delivery"."""

    event: Annotated[str, Field(min_length=1, max_length=MAX_UPDATE_LENGTH)]
    stage: Key | None = Field(default=None, description="Without it, the one that they do.")
    at: Moment | None = Field(default=None, description="When they said it; without it, now.")
    tracking_number: Annotated[str, Field(max_length=MAX_TRACKING_NUMBER_LENGTH)] | None = None
    third_party: Annotated[str, Field(max_length=MAX_NAME_LENGTH)] | None = Field(
        default=None, description="Who they are, where the workflow does not say."
    )


class ThirdPartyEventInput(Input):
    """An event of a third party, such as a courier's scan: a code, a description, or both."""

    carrier: Annotated[str, Field(max_length=MAX_NAME_LENGTH)] | None = Field(
        default=None, description="Who reports it; without it, the third party of the stage."
    )
    number: Annotated[str, Field(max_length=MAX_TRACKING_NUMBER_LENGTH)] | None = Field(
        default=None, description="The tracking number; it says which stage is meant."
    )
    code: ThirdPartyCode | None = Field(
        default=None,
        description="How far it is. `delivered` completes the stage; `attempted`, `exception` and "
        "`returning` are put before a person.",
    )
    description: Annotated[str, Field(max_length=MAX_UPDATE_LENGTH)] | None = Field(
        default=None, description="In their own words; the customer reads it."
    )
    place: Annotated[str, Field(max_length=MAX_PLACE_LENGTH)] | None = None
    time: Moment | None = Field(
        default=None,
        description="When it was; without it, now. Give it, so that a repeated call is recognised.",
    )
    estimated_date: DayOrMoment | None = Field(
        default=None, description="When they expect to be done; the date of the stage follows it."
    )
    event_id: Annotated[str, Field(min_length=1, max_length=MAX_EVENT_ID_LENGTH)] | None = Field(
        default=None,
        description="Your id of the event. Without it, the same carrier, number, code, time and "
        "date are the same event.",
    )
    stage: Key | None = Field(default=None, description="Without it, the one with that number.")


async def record_third_party_update(
    uow: UnitOfWork, body: ThirdPartyUpdateInput, reference: str
) -> RequestResponse:
    """Record an update of a third party; the customer reads it."""
    request = await uow.lock(reference)
    await operations.record_third_party_update(
        uow, request, words=body.event, stage=body.stage, at=body.at,
        tracking_number=body.tracking_number, third_party=body.third_party,
    )  # fmt: skip
    return await load_response(uow, request)


async def record_third_party_event(
    uow: UnitOfWork, body: ThirdPartyEventInput, reference: str
) -> RequestResponse:
    """Record an event of a third party; its stage follows it. A repeated event changes nothing."""
    request = await uow.lock(reference)
    report = ThirdPartyReport(
        carrier=body.carrier or "", number=body.number or "", code=body.code,
        description=body.description or "", place=body.place or "", at=body.time,
        estimated=body.estimated_date, event_id=body.event_id or "",
    )  # fmt: skip
    await operations.record_third_party_event(uow, request, report, stage=body.stage)
    return await load_response(uow, request)
