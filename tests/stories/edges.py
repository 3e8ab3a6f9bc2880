"""The same act at the desk and through the API."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx2

from portal.models import ServiceRequest
from tests.support.desk_client import HTMX, DeskClient
from tests.support.factories import Organisation

SignIn = Callable[[str], Awaitable[DeskClient]]


DAY = datetime.now(UTC) + timedelta(days=3)


async def facts(organisation: Organisation, request: ServiceRequest) -> tuple[object, ...]:
    found = await organisation.reload(request)
    return (
        found.version, found.page_version, found.customer_note,
        len(await organisation.events(request)), len(await organisation.outbound_messages(request)),
    )  # fmt: skip


async def post_form(
    desk: DeskClient, request: ServiceRequest, verb: str, fields: dict[str, str], *, htmx: bool
) -> httpx2.Response:
    """Send a form whether or not the page offers it, with what each form carries."""
    page = await desk.page(request)
    (token, *_) = re.findall(r'name="form_token" value="([^"]*)"', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    carried = {"form_token": unescape(token), "zone": "UTC"}
    carried["version"] = version[1] if version else str(request.version)
    return await desk.client.post(
        f"/desk/requests/{request.reference}/{verb}",
        data=carried | fields,
        headers=HTMX if htmx else {},
    )
