"""The share link: the page on which the customer makes and ends it, and what it shows."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from portal.errors import BadInput, UnknownLink
from portal.i18n.lazy_string import LazyString
from portal.models import CUSTOMER_ACTOR
from portal.operations import end_sharing, share_request
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import find_share_link, find_shared_page
from portal.tracking.forms import read_form
from portal.tracking.status_page.cache import TOKEN, StatusPageCache
from portal.tracking.status_page.endpoints import open_link, open_page
from portal.tracking.status_page.timeline_view import Ending, StepGroup
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
    """The page without what is the customer's alone: no template can show what is not in it.

    No name, reference or conversation, no question and no promise, nothing that staff or a courier
    wrote about it, and no path of the customer's own link.
    """
    return replace(
        page,
        first_name="",
        reference="",
        path="",
        write_to="",
        current_departments=tuple(replace(each, person="") for each in page.current_departments),
        question=None,
        pause=None,
        delay=replace(page.delay, reason=None) if page.delay else None,
        ending=Ending(page.ending.at) if page.ending else None,
        promises=(),
        past_promises=(),
        appointments=tuple(each for each in page.appointments if not each.is_call),
        step_groups=tuple(_without_notes(group) for group in page.step_groups),
        conversation=(),
        hidden_message_count=0,
        documents=(),
        may_withdraw=False,
    )


def _without_notes(group: StepGroup) -> StepGroup:
    return tuple(replace(step, note=None, third_party_update=None) for step in group)
