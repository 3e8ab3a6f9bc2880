"""Opens a request and moves it through its stages: each call is one operation."""

from collections.abc import Awaitable, Callable

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.schemas.fields import encode_cursor
from portal.api.schemas.inputs import Input, NewRequest
from portal.api.schemas.queries import NoQuery, RequestQuery
from portal.api.schemas.requests import RequestList, RequestResponse
from portal.models import ServiceRequest
from portal.operations import CustomerDetails, RequestDetails, UnitOfWork
from portal.queries.api_lists import RequestFilter, list_requests
from portal.queries.names import load_names, staff_ids_of
from portal.queries.paging import PageRequest
from portal.queries.requests import get_service_request

Operation = Callable[..., Awaitable[object]]
RequestHandler = Callable[[UnitOfWork, Input, str], Awaitable[RequestResponse]]


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
    url = context.settings.public_url if context.shows_links else None
    items = [RequestResponse.of(request, names, url, context.now) for request in found]
    return RequestList(items=items, next_cursor=encode_cursor(after))


def on_request(name: str, operation: Operation, summary: str) -> RequestHandler:
    """A handler that runs an operation on the request in the path, and responds with the request.

    The operation gets each field that the body gives; what the body leaves out has the operation's
    own default. ``name`` and ``summary`` describe the call in the OpenAPI document.
    """

    async def handler(uow: UnitOfWork, body: Input, reference: str) -> RequestResponse:
        request = await uow.lock(reference, getattr(body, "version", None))
        arguments = body.model_dump(exclude={"by", "version"}, exclude_none=True)
        await operation(uow, request, **arguments)
        return await load_response(uow, request)

    handler.__name__, handler.__doc__ = name, summary
    return handler


async def load_response(at: UnitOfWork | ReadContext, request: ServiceRequest) -> RequestResponse:
    """The request as it is now, with the names of its people and departments."""
    names = await load_names(at.session, staff_ids_of(request))
    shows_links = at.shows_links if isinstance(at, ReadContext) else True
    url = at.settings.public_url if shows_links else None
    return RequestResponse.of(request, names, url, at.now)


advance = on_request(
    "advance", operations.advance, "Complete the open stage; the stages that waited for it open."
)
send_back = on_request(
    "send_back",
    operations.send_back,
    "Run a completed stage again, and after it the stages that followed it.",
)
hold = on_request(
    "hold", operations.hold, "Put a stage on hold with a reason; its clock is paused."
)
resume = on_request("resume", operations.resume, "Resume a stage that is on hold.")
tell_delay = on_request(
    "tell_delay",
    operations.announce_delay,
    "Give an open stage a new date; the customer is told it, with the reason.",
)
cancel = on_request("cancel", operations.cancel, "Cancel a request.")
reopen = on_request(
    "reopen",
    operations.reopen,
    "Open a closed request again: at the named stage, else where it stopped.",
)
assign = on_request("assign", operations.assign, "Assign a request to a person.")
