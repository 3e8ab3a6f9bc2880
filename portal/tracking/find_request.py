"""Finding one's request again: the link goes to the address that we have, never to who asks."""

import asyncio
import re
from datetime import datetime

import phonenumbers
from starlette.requests import Request
from starlette.responses import Response

from portal.errors import BadInput
from portal.i18n.lazy_string import LazyString
from portal.models import (
    CUSTOMER_ACTOR,
    Channel,
    ContactPoint,
    MessageKind,
    ServiceRequest,
    TrackingLink,
)
from portal.models.people.contact_address import parse_email_address, parse_phone
from portal.operations import UnitOfWork
from portal.queries.requests import find_service_request
from portal.queries.tracking_links import was_link_sent
from portal.tracking.forms import read_form
from portal.web import templating
from portal.web.rate_limit import RateLimited, client_address

RATE_LIMIT_PER_CLIENT = "60/minute"
RATE_LIMIT_PER_REQUEST = "10/minute"
"""For one reference, and for one number or address."""
LINK_INTERVAL_SECONDS = 300
"""Seconds: asked again within them, the link that was sent is enough."""
MIN_RESPONSE_SECONDS = 0.25
"""Seconds until the answer, found or not: how long it takes must tell nothing either."""


async def ask(request: Request) -> Response:
    """`GET /`: the form that asks which request it is."""
    return _form(request)


async def send_link(request: Request) -> Response:
    """`POST /`: the same words whether or not there is such a request."""
    answer_at = asyncio.get_running_loop().time() + MIN_RESPONSE_SECONDS
    form = await read_form(request)
    reference = form.get("reference", "").replace("\x00", "").strip()
    contact = form.get("contact", "").replace("\x00", "").strip()
    try:
        _check(reference, contact)
        await _count_tries(request, reference, contact)
        await _send(request, _as_written(reference), contact)
    except (BadInput, RateLimited) as refusal:
        return _form(
            request, reference=reference, contact=contact, refusal=refusal.detail,
            status=refusal.status,
        )  # fmt: skip
    await asyncio.sleep(max(0.0, answer_at - asyncio.get_running_loop().time()))
    return templating.page(request, "tracking/sent.html", {})


async def _count_tries(request: Request, reference: str, contact: str) -> None:
    rate_limiter = request.app.state.rate_limiter
    await rate_limiter.allow(RATE_LIMIT_PER_CLIENT, "find from", client_address(request))
    await rate_limiter.allow(RATE_LIMIT_PER_REQUEST, "find", _as_written(reference))
    await rate_limiter.allow(RATE_LIMIT_PER_REQUEST, "find for", contact.lower())


async def _send(request: Request, reference: str, contact: str) -> None:
    """Send the link by the way they named, if it is one of theirs."""
    async with request.app.state.database.reading() as session:
        found = await find_service_request(session, reference)
    if found is None or _own_point(found, contact) is None:
        return
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await uow.lock(reference)
        point = _own_point(service_request, contact)
        if point is not None:
            await _tell_link(uow, service_request, point)


async def _tell_link(uow: UnitOfWork, request: ServiceRequest, point: ContactPoint) -> None:
    cause = f"find:{request.id}:{_span(uow.now)}"
    if await was_link_sent(uow.session, cause):
        return
    if request.live_link is None:
        # The old one opens nothing any more; this one goes to the customer's own address.
        request.links.append(TrackingLink(created_at=uow.now))
        await uow.session.flush()
    renderer = await uow.renderer(request)
    words = renderer.say("new_link")
    await uow.outbox.tell(
        request, MessageKind.LINK, cause, words, channels=[point.channel], urgent=True
    )


def _own_point(request: ServiceRequest, contact: str) -> ContactPoint | None:
    """The customer's address that this is, however it was typed; None for anybody else's."""
    for point in request.customer.contact_points:
        try:
            if _in_one_form(contact, point) == point.address:
                return point
        except ValueError:
            continue
    return None


def _in_one_form(contact: str, point: ContactPoint) -> str:
    """As we keep it. A number without its country is taken to be of the customer's own."""
    if point.channel == Channel.EMAIL:
        return parse_email_address(contact)
    country = phonenumbers.region_code_for_number(phonenumbers.parse(point.address))
    return parse_phone(contact, country)


def _as_written(reference: str) -> str:
    """A reference as we write it, from one typed with other dashes, spaces or none."""
    letters = re.sub(r"[\W_]", "", reference).upper()
    return f"{letters[:-7]}-{letters[-7:-3]}-{letters[-3:]}"


def _check(reference: str, contact: str) -> None:
    if not reference or not contact:
        raise BadInput(
            LazyString("Please tell us both: the reference, and your number or address.")
        )
    if "@" not in contact and not any(letter.isdecimal() for letter in contact):
        raise BadInput(
            LazyString("Please give the mobile number or the e-mail address that we have of you.")
        )


def _span(now: datetime) -> int:
    return int(now.timestamp()) // LINK_INTERVAL_SECONDS


def _form(
    request: Request,
    *,
    reference: str = "",
    contact: str = "",
    refusal: str | None = None,
    status: int = 200,
) -> Response:
    context = {"reference": reference, "contact": contact, "refusal": refusal}
    return templating.page(request, "tracking/find.html", context, status)
