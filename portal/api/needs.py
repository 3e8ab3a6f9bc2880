"""What is needed from the customer: its items, accepted or to be corrected."""

from datetime import datetime
from typing import Self

from pydantic import Field

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.schemas.base import PageResponse, ResponseModel, StaffReference
from portal.api.schemas.fields import Reason
from portal.api.schemas.inputs import Input
from portal.api.schemas.queries import NoQuery
from portal.models import Need, NeedState, ServiceRequest
from portal.operations import UnitOfWork
from portal.queries.names import Names, load_names
from portal.queries.requests import get_service_request
from portal.rules.needs import item_title, open_check_promise


class CorrectionInput(Input):
    """What the customer is to correct; it is the headline of what they read."""

    reason: Reason


class NeedResponse(ResponseModel):
    """One item that the request needs from its customer."""

    key: str
    stage: str
    title: str
    state: NeedState
    reason: str = Field(description="What is to be corrected; the customer reads it.")
    asked_by: StaffReference | None = Field(description="Who asks for the correction.")
    asked_at: datetime
    sent_at: datetime | None
    message_id: int | None = Field(description="The customer's message with its files.")
    owner: StaffReference | None = Field(description="Who checks what was sent.")
    due_at: datetime | None = Field(description="By when it is checked.")
    accepted_at: datetime | None

    @classmethod
    def of(cls, need: Need, request: ServiceRequest, names: Names) -> Self:
        """The item; without a check to come, its owner is that of the request while it is checked."""
        promise = open_check_promise(request, need)
        run = next((run for run in request.open_runs), None)
        owner_id = promise.owner_id if promise else request.owner_id
        due_at = promise.due_at if promise else run.due_at if run else None
        return cls.from_object(
            need,
            stage=need.stage_key,
            title=item_title(request, need),
            asked_by=StaffReference.of(names, need.asked_by_id),
            owner=StaffReference.of(names, owner_id) if need.is_received else None,
            due_at=due_at if need.is_received else None,
        )


class NeedList(PageResponse[NeedResponse]):
    """Items, in the order of the workflow."""


async def show_needs(context: ReadContext, _: NoQuery, reference: str) -> NeedList:
    """The items that a request needs from its customer."""
    request = await get_service_request(context.session, reference)
    names = await load_names(context.session, _people(request))
    shown = [need for need in request.needs if need.state != NeedState.WITHDRAWN]
    items = [NeedResponse.of(need, request, names) for need in shown]
    return NeedList(items=items, next_cursor=None)


async def accept_item(uow: UnitOfWork, _: Input, reference: str, item: str) -> NeedResponse:
    """Accept an item: it is right."""
    request = await uow.lock(reference)
    return await _response(uow, request, await operations.accept_item(uow, request, item))


async def ask_correction(
    uow: UnitOfWork, body: CorrectionInput, reference: str, item: str
) -> NeedResponse:
    """Ask the customer to correct an item that they have sent."""
    request = await uow.lock(reference)
    need = await operations.ask_correction(uow, request, item, reason=body.reason)
    return await _response(uow, request, need)


async def mark_item_sent(uow: UnitOfWork, _: Input, reference: str, item: str) -> NeedResponse:
    """Record that an item has come by another way; somebody checks it."""
    request = await uow.lock(reference)
    return await _response(uow, request, await operations.mark_sent(uow, request, item))


async def _response(uow: UnitOfWork, request: ServiceRequest, need: Need) -> NeedResponse:
    return NeedResponse.of(need, request, await load_names(uow.session, _people(request)))


def _people(request: ServiceRequest) -> set[int | None]:
    return {
        request.owner_id,
        *(need.asked_by_id for need in request.needs),
        *(promise.owner_id for promise in request.promises),
    }
