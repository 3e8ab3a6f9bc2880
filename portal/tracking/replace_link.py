"""Replaces a leaked link: the customer revokes it and is sent a new one."""

from starlette.requests import Request
from starlette.responses import Response

from portal.errors import UnknownLink
from portal.models import CUSTOMER_ACTOR, ServiceRequest
from portal.operations import replace_link
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import get_by_token
from portal.tracking.forms import read_form
from portal.tracking.link_limits import LINK, REPLACE, count_post
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.device_cookie import (
    find_trusted_device,
    redirect_to_code_form,
    see_other,
)
from portal.web import templating

NEXT_PATH = "replace"


async def show_form(request: Request) -> Response:
    """`GET /r/{token}/replace`: the form with one button; it needs a code."""
    token, state = request.path_params["token"], request.app.state
    version = await open_link(request)
    if await find_trusted_device(request, version.request_id) is None:
        return redirect_to_code_form(request, NEXT_PATH)
    async with state.database.reading() as session:
        service_request = await get_by_token(session, token)
    return _page(request, service_request, done="done" in request.query_params)


async def submit(request: Request) -> Response:
    """`POST /r/{token}/replace`: revokes the link and sends a new one.

    The customer's other browsers are no longer trusted; this one is redirected to the new link.
    """
    token, state = request.path_params["token"], request.app.state
    version = await open_link(request)
    await read_form(request)
    device = await find_trusted_device(request, version.request_id)
    await count_post(request, version.request_id, REPLACE if device else LINK)
    if device is None:
        return redirect_to_code_form(request, NEXT_PATH)
    async with state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, token)
        await replace_link(uow, service_request, known_device=device.id)
    link = service_request.live_link
    if link is None:
        raise UnknownLink
    return see_other(f"/r/{link.token}/replace?done")


def _page(request: Request, service_request: ServiceRequest, *, done: bool) -> Response:
    context = {
        "reference": service_request.reference,
        "path": f"/r/{request.path_params['token']}",
        "done": done,
        "locale": service_request.customer.locale,
    }
    return templating.page(request, "tracking/replace_link.html", context)
