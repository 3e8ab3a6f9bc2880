"""All of a customer's requests on one page, for a browser that has shown a code."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.queries.tracking_links import get_by_token
from portal.queries.trusted_devices import code_destinations, is_shared, requests_of_customer
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.status_page.redaction import Visibility
from portal.tracking.status_page.view_models import StatusPage
from portal.tracking.verification.device_cookie import find_trusted_device, redirect_to_code_form
from portal.tracking.verification.endpoints import ALL_REQUESTS, choose_address
from portal.web import templating

RECENT_PERIOD = timedelta(days=90)
"""How long a closed request is listed."""
MAX_REQUESTS = 30


@dataclass(frozen=True, slots=True)
class RequestListItem:
    """One request: its page, or only its reference where its link was revoked."""

    reference: str
    title: str
    page: StatusPage | None = None


async def show_my_requests(request: Request) -> Response:
    """`GET /r/{token}/mine`: open and recently closed requests, each with its link.

    Only this customer's own, and only for a browser trusted by an address that no other customer
    uses: with a shared phone, each request opens by its own link.
    """
    token, state = request.path_params["token"], request.app.state
    version = await open_link(request)
    device = await find_trusted_device(request, version.request_id)
    if device is None:
        return redirect_to_code_form(request, ALL_REQUESTS)
    async with state.database.reading() as session:
        service_request = await get_by_token(session, token)
        is_address_shared = await is_shared(
            session, device.channel, device.address, device.customer_id
        )
        address = choose_address(
            ALL_REQUESTS, await code_destinations(session, service_request, business_time.now())
        )
        if is_address_shared and address is not None and not address.is_shared:
            return redirect_to_code_form(request, ALL_REQUESTS)
        since: datetime = business_time.now() - RECENT_PERIOD
        requests = (
            []
            if is_address_shared
            else await requests_of_customer(session, device.customer_id, since, MAX_REQUESTS)
        )
    items = []
    for listed in requests:
        link, page = listed.live_link, None
        if link:
            page = await state.status_pages.build_page(link.token, Visibility(is_trusted=True))
        items.append(RequestListItem(listed.reference, page.title if page else listed.title, page))
    context = {
        "reference": service_request.reference,
        "path": f"/r/{token}",
        "is_address_shared": is_address_shared,
        "open_requests": [item for item in items if item.page is None or not item.page.is_over],
        "ended_requests": [item for item in items if item.page is not None and item.page.is_over],
        "locale": service_request.customer.locale,
    }
    return templating.page(request, "tracking/my_requests.html", context)
