"""A customer's status link to print, for a customer at the counter."""

from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.request.actions import reference_of
from portal.errors import Conflict
from portal.messaging.wording.time_format import TimeFormatter
from portal.queries.requests import get_service_request
from portal.rules.authorization import Act, authorize
from portal.web.printable_link import PrintableLink, printable_link_page


async def show_printable_link(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/requests/{reference}/slip`, in the customer's language.

    For those who may act on the request, because the link alone shows the customer's page.
    """
    async with request.app.state.database.reading() as session:
        service_request = await get_service_request(session, reference_of(request))
    authorize(reader.colleague, service_request, None, Act.LINK)
    if service_request.live_link is None:
        raise Conflict("There is no working status link. Send a new link first.")
    customer = service_request.customer
    return printable_link_page(
        request,
        PrintableLink(
            link=f"{request.app.state.settings.public_url}/r/{service_request.live_link.token}",
            first_name=customer.given_name,
            reference=service_request.reference,
            times=TimeFormatter(customer.locale, customer.readable_timezone, business_time.now()),
            back=f"/desk/requests/{service_request.reference}",
        ),
    )
