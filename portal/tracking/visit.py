"""The page on which a customer books, changes or cancels a visit."""

from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.errors import BadInput, Conflict, PortalError
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_windows import window_text, with_zone, zone_name
from portal.models import CUSTOMER_ACTOR
from portal.operations import (
    book_visit,
    cancel_visit,
    find_visit,
    free_windows,
    visit_question,
    visit_zone,
)
from portal.queries.requests import lock_by_token
from portal.queries.roster import load_workflow_facts
from portal.queries.tracking_links import get_by_token
from portal.rules.facts import Facts
from portal.tracking.forms import read_form
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.status_page.visit_days import visit_days
from portal.tracking.verification.device_cookie import see_other
from portal.web import templating


async def show_visit(request: Request) -> Response:
    """`GET /r/{token}/visit`: the booked visit, and the free windows, all of them."""
    return await _page(request)


async def change_visit(request: Request) -> Response:
    """`POST /r/{token}/visit`: `do=book` with `at=`, a local time of a free window, or `do=cancel`.

    What is not possible is shown on the page, with the windows that are free now.
    """
    form = await read_form(request)
    token, state = request.path_params["token"], request.app.state
    await open_link(request)
    try:
        async with state.operations.begin(CUSTOMER_ACTOR) as uow:
            service_request = await lock_by_token(uow.session, token)
            if form.get("do") == "cancel":
                await cancel_visit(uow, service_request)
            else:
                question = visit_question(service_request, uow.now)
                zone = (
                    visit_zone(await uow.facts(service_request), question)
                    if question
                    else service_request.customer.readable_timezone
                )
                await book_visit(uow, service_request, _read_time(form.get("at", ""), zone))
    except (BadInput, Conflict) as refusal:
        return await _page(request, refusal)
    return see_other(f"/r/{token}")


def _read_time(text: str, zone: str) -> datetime:
    """The start of the window on the clock of the place visited. Raises BadInput."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        local = None
    if local is None or local.tzinfo is not None:
        raise BadInput(
            LazyString("Please choose a day and a time."), fields={"at": "a day and a time"}
        )
    return local.replace(tzinfo=ZoneInfo(zone))


async def _page(request: Request, refusal: PortalError | None = None) -> Response:
    now = business_time.now()
    await open_link(request)
    async with request.app.state.database.reading() as session:
        found = await get_by_token(session, request.path_params["token"])
        workflow = await load_workflow_facts(session, found.workflow, now)
        question = visit_question(found, now)
        facts = Facts(found, workflow, CUSTOMER_ACTOR, now)
        windows = await free_windows(session, facts, question) if question else None
    customer = found.customer
    own_zone = customer.readable_timezone
    zone = visit_zone(facts, question) if question else own_zone
    times = TimeFormatter(customer.locale, zone, now)
    visit = find_visit(found, now)
    window = visit.visit_window if visit else None
    context = {
        "reference": found.reference,
        "path": f"/r/{request.path_params['token']}",
        "visit": with_zone(window_text(times, window), times, own_zone, window.start)
        if window
        else "",
        "zone": zone_name(times, own_zone, windows[0].start) if windows else "",
        "days": visit_days(times, windows or ()),
        "times": times,
        "refusal": refusal.detail if refusal else None,
        "locale": customer.locale,
    }
    status = refusal.status if refusal else 200
    return templating.page(request, "tracking/visit.html", context, status)
