"""The share link: the page on which the customer makes and ends it, and what it shows."""

from starlette.requests import Request
from starlette.responses import Response

from portal.errors import BadInput, UnknownLink
from portal.i18n.lazy_string import LazyString
from portal.models import CUSTOMER_ACTOR
from portal.operations import end_sharing, share_request
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import find_share_link, find_shared_page
from portal.tracking.forms import read_form
from portal.tracking.status_page.appointment_view import Appointment
from portal.tracking.status_page.cache import TOKEN, StatusPageCache
from portal.tracking.status_page.endpoints import open_link, open_page
from portal.tracking.status_page.timeline_view import (
    ArrivalLine,
    CurrentDepartment,
    Delay,
    Ending,
    LastReport,
    TimelineStep,
)
from portal.tracking.status_page.view_models import StatusPage
from portal.tracking.verification.device_cookie import see_other
from portal.web import templating

VIEW_RATE_LIMIT = "120/minute"
"""Views of one share link: it is made anew for each, and a family looks far less often."""


async def show_form(request: Request) -> Response:
    """`GET /r/{token}/share`: the share link to copy, or the button that makes one."""
    version = await open_link(request)
    page = await open_page(request)
    async with request.app.state.database.reading() as session:
        link = await find_share_link(session, version.request_id)
    public_url = request.app.state.settings.public_url
    context = {
        "reference": page.reference,
        "title": page.title,
        "path": page.path,
        "link": f"{public_url}/s/{link.token}" if link else "",
        "locale": page.locale,
    }
    return templating.page(request, "tracking/share.html", context)


async def change_sharing(request: Request) -> Response:
    """`POST /r/{token}/share`: `do=make` or `do=end`."""
    token = request.path_params["token"]
    await open_link(request)
    wish = (await read_form(request)).get("do", "")
    if wish not in ("make", "end"):
        raise BadInput(LazyString("Please press one of the buttons."), fields={"do": "make or end"})
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, token)
        await (share_request if wish == "make" else end_sharing)(uow, service_request)
    return see_other(f"/r/{token}/share")


async def show_shared_page(request: Request) -> Response:
    """`GET /s/{token}`: the state and the timeline of a request, for whoever has a share link.

    404 for an unknown and for an ended link. Raises RateLimited.
    """
    state = request.app.state
    token = request.path_params["token"]
    if not TOKEN.fullmatch(token):
        raise UnknownLink  # PostgreSQL takes no NUL in a text.
    async with state.database.reading() as session:
        own_token = await find_shared_page(session, token)
    if own_token is None:
        raise UnknownLink
    await state.rate_limiter.allow(VIEW_RATE_LIMIT, "shared page", token)
    status_pages: StatusPageCache = state.status_pages
    page = await status_pages.build_page(own_token)
    if page is None:
        raise UnknownLink
    return templating.page(request, "tracking/shared.html", to_share(page).context())


def to_share(page: StatusPage) -> StatusPage:
    """A page made of what the family may read: no template can show what is not in it.

    That is the title, the state, the dates, and the departments and stages of the timeline, with the
    times of the visits. What a person, the customer or a courier wrote is not taken over, and a
    field that is added to the page is not shared until it is named here.
    """
    ending, delay = page.ending, page.delay
    return StatusPage(
        now=page.now,
        brand=page.brand,
        support_contact=page.support_contact,
        theme=page.theme,
        reference="",
        title=page.title,
        first_name="",
        locale=page.locale,
        timezone=page.timezone,
        status=page.status,
        headline=page.stage_headline,
        stage_headline=page.stage_headline,
        write_to="",
        path="",
        last_event_id=page.last_event_id,
        current_departments=tuple(
            CurrentDepartment(it.department, it.since) for it in page.current_departments
        ),
        handoff=page.handoff,
        next_step=page.next_step,
        arrival=_shared_arrival(page.arrival),
        delay=Delay(delay.previous_by, delay.new_by) if delay else None,
        last_report=LastReport(page.last_report.words, page.last_report.at)
        if page.last_report
        else None,
        estimate=page.estimate,
        ending=Ending(ending.at) if ending else None,
        appointments=tuple(
            Appointment(it.key, it.title, it.at, until=it.until)
            for it in page.appointments
            if not it.is_call
        ),
        step_groups=tuple(
            tuple(_shared_step(step) for step in group) for group in page.step_groups
        ),
    )


def _shared_arrival(arrival: ArrivalLine | None) -> ArrivalLine | None:
    """The date of the whole request, or how long it takes; of whom it waits for, only the customer."""
    if arrival is None:
        return None
    awaited = arrival.awaited if arrival.awaited == "customer" else None
    return ArrivalLine(arrival.label, arrival.by, arrival.duration, awaited)


def _shared_step(step: TimelineStep) -> TimelineStep:
    """A step without notes, without reports, and without whom a pause waits for."""
    return TimelineStep(
        step.key,
        step.title,
        step.department,
        step.state,
        began_at=step.began_at,
        ended_at=step.ended_at,
        expected_at=step.expected_at,
        handoff=step.handoff,
        is_repeated=step.is_repeated,
        is_asked=step.is_asked,
    )
