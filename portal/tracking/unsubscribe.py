"""The way out at the foot of each mail: one press, or a mail program's one click (RFC 8058)."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from portal.models import CUSTOMER_ACTOR, Channel, ConsentSource, ServiceRequest
from portal.operations import ConsentChange, set_preferences
from portal.queries.consent import ConsentQuery, find_permitted
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import get_by_token
from portal.tracking import preferences_view
from portal.tracking.forms import read_form_of_any_site
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.device_cookie import see_other
from portal.web import templating
from portal.web.form_origin import check_form_origin

ONE_CLICK = "List-Unsubscribe"
"""The field of a mail program's post (RFC 8058)."""


async def show_form(request: Request) -> Response:
    """`GET /r/{token}/unsubscribe`: how it stands, and two buttons. It changes nothing."""
    token = request.path_params["token"]
    await open_link(request)
    async with request.app.state.database.reading() as session:
        service_request = await get_by_token(session, token)
        wishes = _wishes(service_request)
        page = preferences_view.UnsubscribePage(
            reference=service_request.reference,
            locale=service_request.customer.locale,
            path=f"/r/{token}",
            stopped=not (wishes and await find_permitted(session, wishes)),
        )
    context = {"page": page, "locale": page.locale}
    return templating.page(request, "tracking/unsubscribe.html", context)


async def unsubscribe(request: Request) -> Response:
    """`POST /r/{token}/unsubscribe`: no more mail about this request, or none at all (`all`).

    No sign-in is asked for, since it only ever asks for less. A mail program's one click comes
    from any site, and is answered with the page, since RFC 8058 forbids a redirect.
    Raises NotAllowed for the buttons of our page where they stand on another site.
    """
    token = request.path_params["token"]
    form = await read_form_of_any_site(request)
    is_one_click = ONE_CLICK in form
    if not is_one_click:
        check_form_origin(request)
    about: Literal["request", "all"] = "all" if form.get("stop") == "all" else "request"
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, token)
        consent_change = ConsentChange(stop=True, about=about, channels=[Channel.EMAIL])
        await set_preferences(
            uow,
            service_request,
            consent_change=consent_change,
            source=ConsentSource.UNSUBSCRIBE_LINK,
        )
    if is_one_click:
        return await show_form(request)
    return see_other(f"/r/{token}/unsubscribe")


def _wishes(request: ServiceRequest) -> list[ConsentQuery]:
    """To write to each mail address of theirs about this request."""
    return [
        ConsentQuery(Channel.EMAIL, point.address, request.id)
        for point in request.customer.contact_points
        if point.channel == Channel.EMAIL
    ]
