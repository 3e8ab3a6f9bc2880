"""Opening a request and moving it through the organisation: each call is one verb of the relay."""

from portal import operations
from portal.api.endpoint import Look
from portal.api.schemas.inputs import (
    Advance,
    Assign,
    Cancel,
    Hold,
    NewRequest,
    NoQuery,
    Reasoned,
    RequestQuery,
    SendBack,
    StageMove,
    write_cursor,
)
from portal.api.schemas.requests import RequestAnswer, RequestList
from portal.models import ServiceRequest
from portal.operations import CustomerDetails, Order, Turn
from portal.queries.api_lists import Wanted, Window, list_requests
from portal.queries.names import load_names, people_of
from portal.queries.requests import get_service_request


async def open_request(turn: Turn, body: NewRequest) -> RequestAnswer:
    """Open a request; the customer is texted the link to its page."""
    order = Order(
        workflow=body.workflow,
        customer=CustomerDetails(**body.customer.model_dump()),
        title=body.title or "",
        external_id=body.external_id,
        fields=body.fields or {},
    )
    return await whole(turn, await operations.open_request(turn, order))


async def show_request(look: Look, _: NoQuery, reference: str) -> RequestAnswer:
    """One request, whole."""
    return await whole(look, await get_service_request(look.session, reference))


async def show_requests(look: Look, query: RequestQuery) -> RequestList:
    """Requests, newest first."""
    wanted = Wanted(query.department, query.stage, query.status, query.owner, query.q)
    found, after = await list_requests(look.session, wanted, Window(query.limit, query.cursor))
    people = set[int | None]().union(*map(people_of, found))
    names = await load_names(look.session, people)
    url = look.settings.public_url
    items = [RequestAnswer.of(request, names, url, look.now) for request in found]
    return RequestList(items=items, next_cursor=write_cursor(after))


async def advance(turn: Turn, body: Advance, reference: str) -> RequestAnswer:
    """Complete the open stage; what waited for it opens."""
    request = await turn.lock(reference, body.version)
    await operations.must_be_theirs(turn, request, body.stage)
    await operations.advance(
        turn, request, stage=body.stage, note=body.note or "", expected_by=body.expected_by,
        handover=body.handover or "",
    )  # fmt: skip
    return await whole(turn, request)


async def send_back(turn: Turn, body: SendBack, reference: str) -> RequestAnswer:
    """Run a completed stage again, and after it all that came of it."""
    request = await turn.lock(reference, body.version)
    await operations.must_be_theirs(turn, request)
    await operations.send_back(turn, request, stage=body.stage, reason=body.reason)
    return await whole(turn, request)


async def hold(turn: Turn, body: Hold, reference: str) -> RequestAnswer:
    """Put it aside with a reason; its clock stands still."""
    request = await turn.lock(reference, body.version)
    await operations.must_be_theirs(turn, request, body.stage)
    await operations.hold(turn, request, reason=body.reason, until=body.until, stage=body.stage)
    return await whole(turn, request)


async def resume(turn: Turn, body: StageMove, reference: str) -> RequestAnswer:
    """Go on with what was held."""
    request = await turn.lock(reference, body.version)
    await operations.must_be_theirs(turn, request, body.stage)
    await operations.resume(turn, request, stage=body.stage)
    return await whole(turn, request)


async def cancel(turn: Turn, body: Cancel, reference: str) -> RequestAnswer:
    """End it without the thing done."""
    request = await turn.lock(reference, body.version)
    await operations.cancel(turn, request, reason=body.reason)
    return await whole(turn, request)


async def reopen(turn: Turn, body: Reasoned, reference: str) -> RequestAnswer:
    """Open a closed request again: at the named stage, else where it stopped."""
    request = await turn.lock(reference, body.version)
    await operations.reopen(turn, request, reason=body.reason, stage=body.stage)
    return await whole(turn, request)


async def assign(turn: Turn, body: Assign, reference: str) -> RequestAnswer:
    """Name the person who has it."""
    request = await turn.lock(reference, body.version)
    await operations.assign(turn, request, owner=body.owner, stage=body.stage, note=body.note or "")
    return await whole(turn, request)


async def whole(at: Turn | Look, request: ServiceRequest) -> RequestAnswer:
    """The request as it is now, with everybody it names."""
    names = await load_names(at.session, people_of(request))
    return RequestAnswer.of(request, names, at.settings.public_url, at.now)
