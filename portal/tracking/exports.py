"""What a customer takes along: the link on paper or a home screen, an appointment in a calendar.

All of these only read, and all open nothing where the link does not.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from portal.i18n.languages import language_of
from portal.i18n.lazy_string import LazyString
from portal.tracking.status_page.endpoints import unknown_link
from portal.tracking.status_page.view_models import Appointment, StatusPage
from portal.web import templating
from portal.web.app_icon import SIZES, app_icon
from portal.web.ical import MEDIA_TYPE, CalendarEntry, to_ical
from portal.web.printable_link import PrintableLink, printable_link_page, qr_svg

BACKGROUND_COLOR = "#faf7f2"
"""The page's ground by day, while it starts from the home screen; see customer.css."""


async def show_manifest(request: Request) -> Response:
    """`GET /r/{token}/manifest.webmanifest`: this very page as an app on a phone's home screen."""
    page = await _find(request)
    if page is None:
        return unknown_link(request)
    look = app_icon(request.app.state.settings)
    pictures = [(f"{size}.png", f"{size}x{size}", "image/png") for size in SIZES]
    icons = [
        {"src": look.url(name), "sizes": sizes, "type": kind, "purpose": purpose}
        for name, sizes, kind in [("icon.svg", "any", "image/svg+xml"), *pictures]
        for purpose in ("any", "maskable")
    ]
    manifest = {
        "id": page.path,
        "name": page.brand,
        "short_name": page.brand,
        "start_url": page.path,
        "scope": page.path,
        "display": "standalone",
        "background_color": BACKGROUND_COLOR,
        "theme_color": BACKGROUND_COLOR,
        "lang": page.locale,
        "dir": page.words.direction,
        "icons": icons,
    }
    return JSONResponse(manifest, headers=_as("application/manifest+json"))


async def show_qr(request: Request) -> Response:
    """`GET /r/{token}/qr.svg`: the link to the page, to be scanned."""
    page = await _find(request)
    if page is None:
        return unknown_link(request)
    settings = request.app.state.settings
    return Response(qr_svg(f"{settings.public_url}{page.path}"), headers=_as("image/svg+xml"))


async def show_printable_link(request: Request) -> Response:
    """`GET /r/{token}/paper`: a slip to print, for whoever likes to have it on the fridge."""
    page = await _find(request)
    if page is None:
        return unknown_link(request)
    link = f"{request.app.state.settings.public_url}{page.path}"
    return printable_link_page(
        request, PrintableLink(link, page.first_name, page.reference, page.words, page.path)
    )


async def send_calendar(request: Request) -> Response:
    """`GET /r/{token}/appointment.ics`: what lies ahead with a time of its own; 404 for nothing."""
    page = await _find(request)
    if page is None:
        return unknown_link(request)
    if not page.appointments:
        return templating.error_page(
            request, 404, LazyString("No appointment"),
            LazyString("There is no appointment ahead. When there is one, it stands on your page."),
        )  # fmt: skip
    link = f"{request.app.state.settings.public_url}{page.path}"
    entries = [_entry(page, one, link) for one in page.appointments]
    headers = _as(MEDIA_TYPE) | {"Content-Disposition": 'inline; filename="appointment.ics"'}
    return Response(to_ical(entries, page.now), headers=headers)


async def _find(request: Request) -> StatusPage | None:
    pages_behind_links = request.app.state.status_pages
    found: StatusPage | None = await pages_behind_links.find_page(request.path_params["token"])
    return found


def _entry(page: StatusPage, appointment: Appointment, link: str) -> CalendarEntry:
    """Nothing of the person: calendars are shared, and shown on locked screens."""
    call = language_of(page.locale).say(LazyString("{brand} calls you", brand=page.brand))
    return CalendarEntry(
        uid=f"{appointment.key}.{page.reference}@kept",
        # It grows with all that the customer can see, so with each new time too.
        sequence=page.last_event_id,
        at=appointment.at,
        title=call if appointment.is_call else f"{page.brand}: {appointment.title}",
        link=link,
    )


def _as(media_type: str) -> dict[str, Any]:
    return {**templating.headers(), "Content-Type": media_type}
