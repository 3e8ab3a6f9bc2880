"""Opens a request and moves it through its stages: each call is one operation."""

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.schemas.fields import encode_cursor
from portal.api.schemas.inputs import (
    Advance,
    Assign,
    Cancel,
    DelayInput,
    Hold,
    NewRequest,
    SendBack,
    StageInput,
    StageReasonInput,
)
from portal.api.schemas.queries import NoQuery, RequestQuery
from portal.api.schemas.requests import RequestList, RequestResponse
from portal.models import ServiceRequest
from portal.operations import CustomerDetails, RequestDetails, UnitOfWork
from portal.queries.api_lists import PageRequest, RequestFilter, list_requests
from portal.queries.names import load_names, staff_ids_of
from portal.queries.requests import get_service_request


async def open_request(uow: UnitOfWork, body: NewRequest) -> RequestResponse:
    """Open a request; the customer is texted the link to its page."""
    details = RequestDetails(
        workflow=body.workflow,
        customer=CustomerDetails(**body.customer.model_dump()),
        title=body.title or "",
        external_id=body.external_id,
        fields=body.fields or {},
    )
    return await load_response(uow, await operations.open_request(uow, details))


async def show_request(context: ReadContext, _: NoQuery, reference: str) -> RequestResponse:
    """One request with its stages, handoffs and people."""
    return await load_response(context, await get_service_request(context.session, reference))


async def show_requests(context: ReadContext, query: RequestQuery) -> RequestList:
    """Requests, newest first."""
    filters = RequestFilter(query.department, query.stage, query.status, query.owner, query.q)
    found, after = await list_requests(
        context.session, filters, PageRequest(query.limit, query.cursor)
    )
    people = set[int | None]().union(*map(staff_ids_of, found))
    names = await load_names(context.session, people)
    url = context.settings.public_url
    items = [RequestResponse.of(request, names, url, context.now) for request in found]
    return RequestList(items=items, next_cursor=encode_cursor(after))


async def advance(uow: UnitOfWork, body: Advance, reference: str) -> RequestResponse:
    """Complete the open stage; the stages that waited for it open."""
    request = await uow.lock(reference, body.version)
    await operations.advance(
        uow, request, stage=body.stage, note=body.note or "", expected_by=body.expected_by,
        handover=body.handover or "",
    )  # fmt: skip
    return await load_response(uow, request)


async def send_back(uow: UnitOfWork, body: SendBack, reference: str) -> RequestResponse:
    """Run a completed stage again, and after it the stages that followed it."""
    request = await uow.lock(reference, body.version)
    await operations.send_back(uow, request, stage=body.stage, reason=body.reason)
    return await load_response(uow, request)


async def hold(uow: UnitOfWork, body: Hold, reference: str) -> RequestResponse:
    """Put a stage on hold with a reason; its clock is paused."""
    request = await uow.lock(reference, body.version)
    await operations.hold(uow, request, reason=body.reason, until=body.until, stage=body.stage)
    return await load_response(uow, request)


async def resume(uow: UnitOfWork, body: StageInput, reference: str) -> RequestResponse:
    """Resume a stage that is on hold."""
    request = await uow.lock(reference, body.version)
    await operations.resume(uow, request, stage=body.stage)
    return await load_response(uow, request)


async def tell_delay(uow: UnitOfWork, body: DelayInput, reference: str) -> RequestResponse:
    """Give an open stage a new date; the customer is notified of it, with the reason."""
    request = await uow.lock(reference, body.version)
    await operations.announce_delay(
        uow, request, expected_by=body.expected_by, reason=body.reason, stage=body.stage
    )
    return await load_response(uow, request)


async def cancel(uow: UnitOfWork, body: Cancel, reference: str) -> RequestResponse:
    """Cancel a request."""
    request = await uow.lock(reference, body.version)
    await operations.cancel(uow, request, reason=body.reason)
    return await load_response(uow, request)


async def reopen(uow: UnitOfWork, body: StageReasonInput, reference: str) -> RequestResponse:
    """Open a closed request again: at the named stage, else where it stopped."""
    request = await uow.lock(reference, body.version)
    await operations.reopen(uow, request, reason=body.reason, stage=body.stage)
    return await load_response(uow, request)


async def assign(uow: UnitOfWork, body: Assign, reference: str) -> RequestResponse:
    """Assign a request to a person."""
    request = await uow.lock(reference, body.version)
    await operations.assign(uow, request, owner=body.owner, stage=body.stage, note=body.note or "")
    return await load_response(uow, request)


async def load_response(at: UnitOfWork | ReadContext, request: ServiceRequest) -> RequestResponse:
    """The request as it is now, with the names of its people and departments."""
    names = await load_names(at.session, staff_ids_of(request))
    return RequestResponse.of(request, names, at.settings.public_url, at.now)
