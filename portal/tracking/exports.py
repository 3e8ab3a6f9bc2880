"""Exports of the status page: a printable link, a web app manifest, a QR code, a calendar file.

All of them only read, and answer 404 for an unknown or revoked link.
"""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from portal.i18n.languages import language_of
from portal.i18n.lazy_string import LazyString
from portal.tracking.status_page.appointment_view import Appointment
from portal.tracking.status_page.endpoints import open_page
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating
from portal.web.app_icon import SIZES, app_icon
from portal.web.ical import MEDIA_TYPE, CalendarEntry, to_ical
from portal.web.printable_link import PrintableLink, printable_link_page, qr_svg

ALARM_AT = time(18)
"""When a calendar reminds of a visit, on the evening before, on the customer's clock."""
BACKGROUND_COLOR = "#faf7f2"
"""The light background of customer.css, shown while the web app starts."""


async def show_manifest(request: Request) -> Response:
    """`GET /r/{token}/manifest.webmanifest`: the page as a web app on a home screen."""
    page = await open_page(request)
    icon = app_icon(request.app.state.settings)
    images = [(f"{size}.png", f"{size}x{size}", "image/png") for size in SIZES]
    icons = [
        {"src": icon.url(name), "sizes": sizes, "type": kind, "purpose": purpose}
        for name, sizes, kind in [("icon.svg", "any", "image/svg+xml"), *images]
        for purpose in ("any", "maskable")
    ]
    manifest = {
        "id": page.path,
        "name": f"{page.title} · {page.brand}",
        "short_name": page.title,
        "start_url": page.path,
        "scope": page.path,
        "display": "standalone",
        "background_color": BACKGROUND_COLOR,
        "theme_color": BACKGROUND_COLOR,
        "lang": page.locale,
        "dir": page.times.direction,
        "icons": icons,
    }
    return JSONResponse(manifest, headers=_headers("application/manifest+json"))


async def show_qr(request: Request) -> Response:
    """`GET /r/{token}/qr.svg`: the link to the page as a QR code."""
    page = await open_page(request)
    settings = request.app.state.settings
    return Response(qr_svg(f"{settings.public_url}{page.path}"), headers=_headers("image/svg+xml"))


async def show_printable_link(request: Request) -> Response:
    """`GET /r/{token}/paper`: the link to the page, to print."""
    page = await open_page(request)
    link = f"{request.app.state.settings.public_url}{page.path}"
    return printable_link_page(
        request, PrintableLink(link, page.first_name, page.reference, page.times, page.path)
    )


async def send_calendar(request: Request) -> Response:
    """`GET /r/{token}/appointment.ics`: the appointments ahead; 404 where there is none."""
    page = await open_page(request)
    if not page.appointments:
        return templating.error_page(
            request, 404, LazyString("No appointment"),
            LazyString("There is no appointment ahead."),
        )  # fmt: skip
    entries = [_entry(page, appointment) for appointment in page.appointments]
    headers = _headers(MEDIA_TYPE) | {"Content-Disposition": 'inline; filename="appointment.ics"'}
    return Response(to_ical(entries, page.now), headers=headers)


def _entry(page: StatusPage, appointment: Appointment) -> CalendarEntry:
    """Without names and without the link: calendars are shared, and shown on locked screens."""
    language = language_of(page.locale)
    title = f"{page.brand}: {appointment.title}"
    if appointment.is_call:
        title = language.say(LazyString("{brand} calls you", brand=page.brand))
    elif appointment.until is not None:
        said = LazyString(
            "{title}, {matter} ({brand})", title=appointment.title, matter=page.title,
            brand=page.brand,
        )  # fmt: skip
        title = language.say(said)
    is_visit = appointment.until is not None and not appointment.is_call
    description = f"{page.brand}, {page.reference}"
    return CalendarEntry(
        uid=f"{appointment.key}.{page.reference}@kept",
        # RFC 5545 wants a higher sequence with each change of the time; this id grows with it.
        sequence=page.last_event_id,
        at=appointment.at,
        title=title,
        # The customer names it to us, and finds the page again by it.
        description=f"{appointment.prepare} {description}".strip(),
        until=appointment.until,
        place=appointment.place,
        remind_at=_evening_before(page, appointment.at) if is_visit else None,
    )


def _evening_before(page: StatusPage, at: datetime) -> datetime:
    zone = ZoneInfo(page.timezone)
    day_before = at.astimezone(zone).date() - timedelta(days=1)
    return datetime.combine(day_before, ALARM_AT, zone)


def _headers(media_type: str) -> dict[str, Any]:
    return {**templating.headers(), "Content-Type": media_type}
