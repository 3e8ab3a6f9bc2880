"""Handing a request over: taken up, given back, taken back, and what the next should know."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.requests import load_response
from portal.api.schemas.inputs import Input, Key, Moment, NoQuery, StageInput, StageReasonInput
from portal.api.schemas.records import PromiseResponse, ResponseModel, StaffReference
from portal.api.schemas.requests import RequestResponse
from portal.models import Channel, ContactReason, Message, ServiceRequest
from portal.operations import UnitOfWork
from portal.operations.third_parties import (
    MAX_NAME_LENGTH,
    MAX_TRACKING_NUMBER_LENGTH,
    MAX_UPDATE_LENGTH,
)
from portal.operations.transitions import MAX_NOTE_LENGTH
from portal.queries.desk.handover_summary import HandoverSummary, load_handover_summary
from portal.queries.names import Names, load_names
from portal.queries.requests import get_service_request


class CustomerNoteInput(Input):
    """What the customer minds about, for colleagues alone; empty where nothing is known."""

    text: Annotated[str, Field(max_length=MAX_NOTE_LENGTH)]


class ThirdPartyUpdateInput(Input):
    """What a third party says, such as a courier's "Out for delivery"."""

    event: Annotated[str, Field(min_length=1, max_length=MAX_UPDATE_LENGTH)]
    stage: Key | None = Field(default=None, description="Without it, the one that they do.")
    at: Moment | None = Field(default=None, description="When they said it; without it, now.")
    tracking_number: Annotated[str, Field(max_length=MAX_TRACKING_NUMBER_LENGTH)] | None = None
    third_party: Annotated[str, Field(max_length=MAX_NAME_LENGTH)] | None = Field(
        default=None, description="Who they are, where the workflow does not say."
    )


class SpokenMessageResponse(ResponseModel):
    """Words that were said."""

    body: str
    channel: Channel
    at: datetime

    @classmethod
    def of(cls, message: Message | None) -> Self | None:
        """The message's words; None where nobody has said any."""
        return cls.read(message, at=message.created_at) if message else None


class ContactCountResponse(ResponseModel):
    """How often the customer came to us for one reason."""

    reason: ContactReason
    times: int


class ReturnResponse(ResponseModel):
    """One time that a department gave it back."""

    department: str | None
    at: datetime
    reason: str


class HandoverNoteResponse(ResponseModel):
    """Words for whoever comes next."""

    words: str
    by: str
    at: datetime


class HandoverSummaryResponse(ResponseModel):
    """What whoever takes a request over should know. Customers never see it."""

    reference: str
    owner: StaffReference | None
    minds_about: str
    promises: list[PromiseResponse] = Field(description="Those that are to be kept.")
    customer_said: SpokenMessageResponse | None
    we_said: SpokenMessageResponse | None
    contacts: list[ContactCountResponse] = Field(
        description="Why they came, the most frequent first."
    )
    returns: list[ReturnResponse] = Field(description="Oldest first.")
    handovers: list[HandoverNoteResponse] = Field(description="Newest first, the last few.")

    @classmethod
    def of(
        cls, story: HandoverSummary, request: ServiceRequest, names: Names, now: datetime
    ) -> Self:
        """The story as it is now."""
        return cls(
            reference=request.reference,
            owner=StaffReference.of(names, request.owner_id),
            minds_about=story.customer_note,
            promises=[PromiseResponse.of(one, names, now) for one in story.promises],
            customer_said=SpokenMessageResponse.of(story.last_customer_message),
            we_said=SpokenMessageResponse.of(story.last_reply),
            contacts=[
                ContactCountResponse(reason=reason, times=times) for reason, times in story.contacts
            ],
            returns=[
                ReturnResponse.read(one, department=names.department_key(one.department_id))
                for one in story.returns
            ],
            handovers=[HandoverNoteResponse.read(one) for one in story.handovers],
        )


async def accept(uow: UnitOfWork, body: StageInput, reference: str) -> RequestResponse:
    """Take up a handoff; the customer hears of the stage now."""
    request = await uow.lock(reference, body.version)
    await operations.accept(uow, request, stage=body.stage)
    return await load_response(uow, request)


async def refuse(uow: UnitOfWork, body: StageReasonInput, reference: str) -> RequestResponse:
    """Give a handoff back to its sender, with the reason."""
    request = await uow.lock(reference, body.version)
    await operations.refuse(uow, request, reason=body.reason, stage=body.stage)
    return await load_response(uow, request)


async def recall(uow: UnitOfWork, body: StageInput, reference: str) -> RequestResponse:
    """Take back what was passed on and nobody has taken up; the customer is told nothing."""
    request = await uow.lock(reference, body.version)
    await operations.recall(uow, request, stage=body.stage)
    return await load_response(uow, request)


async def set_customer_note(
    uow: UnitOfWork, body: CustomerNoteInput, reference: str
) -> RequestResponse:
    """Note what the customer minds about, for whoever takes the request over."""
    request = await uow.lock(reference)
    await operations.set_customer_note(uow, request, body.text)
    return await load_response(uow, request)


async def record_third_party_update(
    uow: UnitOfWork, body: ThirdPartyUpdateInput, reference: str
) -> RequestResponse:
    """Note what a third party says of its stage; the customer reads it."""
    request = await uow.lock(reference)
    await operations.record_third_party_update(
        uow, request, words=body.event, stage=body.stage, at=body.at,
        tracking_number=body.tracking_number, third_party=body.third_party,
    )  # fmt: skip
    return await load_response(uow, request)


async def show_handover_summary(
    context: ReadContext, _: NoQuery, reference: str
) -> HandoverSummaryResponse:
    """The story so far, for whoever takes the request over."""
    request = await get_service_request(context.session, reference)
    story = await load_handover_summary(context.session, request)
    people = {request.owner_id, *(promise.owner_id for promise in story.promises)}
    names = await load_names(context.session, people)
    return HandoverSummaryResponse.of(story, request, names, context.now)
