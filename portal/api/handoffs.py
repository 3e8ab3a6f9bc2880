"""Handoffs: accept, refuse, recall, and what the next owner should know."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.requests import on_request
from portal.api.schemas.base import ResponseModel, StaffReference
from portal.api.schemas.inputs import Input
from portal.api.schemas.queries import NoQuery
from portal.api.schemas.records import PromiseResponse
from portal.models import Channel, ContactReason, Message, ServiceRequest
from portal.operations.transitions import MAX_NOTE_LENGTH
from portal.queries.desk.handover_summary import HandoverSummary, load_handover_summary
from portal.queries.names import Names, load_names
from portal.queries.requests import get_service_request


class CustomerNoteInput(Input):
    """What matters to the customer, for staff only; empty to delete the note."""

    text: Annotated[str, Field(max_length=MAX_NOTE_LENGTH)]


class SpokenMessageResponse(ResponseModel):
    """A message of the conversation, in brief."""

    body: str
    channel: Channel
    at: datetime

    @classmethod
    def of(cls, message: Message | None) -> Self | None:
        """The message; None where there is none."""
        return cls.from_object(message, at=message.created_at) if message else None


class ContactCountResponse(ResponseModel):
    """How often the customer contacted us for one reason."""

    reason: ContactReason
    times: int


class ReturnResponse(ResponseModel):
    """One return of the request by a department."""

    department: str | None
    at: datetime
    reason: str


class HandoverNoteResponse(ResponseModel):
    """A note for the next owner."""

    words: str
    by: str
    at: datetime


class HandoverSummaryResponse(ResponseModel):
    """What the next owner of a request should know. Customers never see it."""

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
        cls, summary: HandoverSummary, request: ServiceRequest, names: Names, now: datetime
    ) -> Self:
        """The summary as it is now."""
        return cls(
            reference=request.reference,
            owner=StaffReference.of(names, request.owner_id),
            minds_about=summary.customer_note,
            promises=[PromiseResponse.of(promise, names, now) for promise in summary.promises],
            customer_said=SpokenMessageResponse.of(summary.last_customer_message),
            we_said=SpokenMessageResponse.of(summary.last_reply),
            contacts=[
                ContactCountResponse(reason=reason, times=times)
                for reason, times in summary.contacts
            ],
            returns=[
                ReturnResponse.from_object(
                    return_, department=names.department_key(return_.department_id)
                )
                for return_ in summary.returns
            ],
            handovers=[HandoverNoteResponse.from_object(note) for note in summary.handovers],
        )


async def show_handover_summary(
    context: ReadContext, _: NoQuery, reference: str
) -> HandoverSummaryResponse:
    """The handover summary, for the next owner of the request."""
    request = await get_service_request(context.session, reference)
    summary = await load_handover_summary(context.session, request)
    people = {request.owner_id, *(promise.owner_id for promise in summary.promises)}
    names = await load_names(context.session, people)
    return HandoverSummaryResponse.of(summary, request, names, context.now)


accept = on_request(
    "accept", operations.accept, "Accept a handoff; the customer is told of the stage now."
)
refuse = on_request(
    "refuse", operations.refuse, "Refuse a handoff: it goes back to its sender, with the reason."
)
recall = on_request(
    "recall",
    operations.recall,
    "Recall a handoff that nobody has accepted; the customer is told nothing.",
)
set_customer_note = on_request(
    "set_customer_note",
    operations.set_customer_note,
    "Set the note on what matters to the customer, for the next owner.",
)
