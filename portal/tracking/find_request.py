"""Find my request: sends the link to the address on record, never to the browser that asks."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import phonenumbers
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from portal.business_time import now
from portal.errors import BadInput, PortalError, RateLimited
from portal.i18n.lazy_string import LazyString
from portal.models import (
    CUSTOMER_ACTOR,
    Channel,
    ContactPoint,
    MessageKind,
    ServiceRequest,
    TrackingLink,
)
from portal.models.columns import saved_id
from portal.models.people.contact_address import parse_email_address, parse_phone
from portal.operations import UnitOfWork
from portal.operations.outbox import Draft
from portal.queries.requests import find_newest_ids, find_service_request, lock_by_id
from portal.queries.tracking_links import was_link_sent
from portal.settings import Settings
from portal.tracking.forms import read_form
from portal.web import templating
from portal.web.client_address import client_address

log = structlog.get_logger()

RATE_LIMIT_PER_CLIENT = "600/minute"
"""So high because many customers share the address of one network, or of a proxy that is not named."""
RATE_LIMIT_PER_REQUEST = "10/minute"
"""For each reference, and for each number or address."""
RATE_LIMIT_BY_CONTACT = "3/minute"
"""Without a reference, for each number or address: it sends up to MAX_LINKS messages."""
MAX_LINKS = 3
RECENTLY_CLOSED = timedelta(days=30)
"""A request that was closed within this time is found without its reference too."""
MAX_REFERENCE_LENGTH = 100
MAX_CONTACT_LENGTH = 254
"""The longest e-mail address (RFC 5321)."""
LINK_INTERVAL_SECONDS = 300
"""Seconds in which the link is sent at most once."""
MIN_RESPONSE_SECONDS = 0.25
"""Seconds until the response, found or not, so that its time does not reveal which."""


async def show_form(request: Request) -> Response:
    """`GET /`: the form for the reference and the address."""
    return _form(request)


async def send_link(request: Request) -> Response:
    """`POST /`: the same response whether or not the request exists."""
    answer_at = asyncio.get_running_loop().time() + MIN_RESPONSE_SECONDS
    reference = contact = ""
    try:
        await request.app.state.rate_limiter.allow(
            RATE_LIMIT_PER_CLIENT, "find from", client_address(request)
        )
        form = await read_form(request)
        reference = form.get("reference", "").replace("\x00", "").strip()[:MAX_REFERENCE_LENGTH]
        contact = form.get("contact", "").replace("\x00", "").strip()[:MAX_CONTACT_LENGTH]
        _require_contact(contact)
        await _limit_rate(request, reference, contact)
        ids = await _find_ids(request, reference, contact)
    except (BadInput, RateLimited) as refusal:
        response = _form(
            request, reference=reference, contact=contact, refusal=refusal.detail,
            wrong_field=next(iter(refusal.fields), ""), status=refusal.status,
        )  # fmt: skip
        response.headers.update(refusal.headers)
        return response
    await asyncio.sleep(max(0.0, answer_at - asyncio.get_running_loop().time()))
    response = templating.page(request, "tracking/sent.html", {"has_reference": bool(reference)})
    if ids:
        # After the response: how long the database takes to write would tell of a match.
        response.background = BackgroundTask(_send, request, ids, contact)
    return response


async def _limit_rate(request: Request, reference: str, contact: str) -> None:
    rate_limiter = request.app.state.rate_limiter
    if reference:
        await rate_limiter.allow(RATE_LIMIT_PER_REQUEST, "find", _normalize_reference(reference))
    else:
        await rate_limiter.allow(RATE_LIMIT_BY_CONTACT, "find all for", contact.lower())
    await rate_limiter.allow(RATE_LIMIT_PER_REQUEST, "find for", contact.lower())


async def _find_ids(request: Request, reference: str, contact: str) -> list[int]:
    """The requests whose links are sent to this address; it only reads.

    The one of that reference, where the address is one of its customer's; without a reference the
    newest of the address.
    """
    async with request.app.state.database.reading() as session:
        if reference:
            named = await find_service_request(session, _normalize_reference(reference))
            return [saved_id(named)] if named is not None and _own_point(named, contact) else []
        channel, address = _read_contact(contact, request.app.state.settings)
        moment = now()
        return await find_newest_ids(
            session, channel, address,
            now=moment, closed_since=moment - RECENTLY_CLOSED, limit=MAX_LINKS,
        )  # fmt: skip


async def _send(request: Request, ids: Sequence[int], contact: str) -> None:
    """Send each link to that address. Nobody waits for it, so a failure is only logged."""
    try:
        async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
            for request_id in ids:
                service_request = await lock_by_id(uow.session, request_id)
                point = _own_point(service_request, contact, uow.settings)
                if point is not None:
                    await _queue_link(uow, service_request, point)
    except (PortalError, SQLAlchemyError) as error:
        log.error("a link that a customer asked for was not sent", error=type(error).__name__)  # noqa: TRY400 (a trace says no more)


async def _queue_link(uow: UnitOfWork, request: ServiceRequest, point: ContactPoint) -> None:
    cause = f"find:{request.id}:{_interval_number(uow.now)}"
    if await was_link_sent(uow.session, cause):
        return
    if request.live_link is None:
        # The old link is revoked; the new one goes to the customer's own address.
        request.links.append(TrackingLink(created_at=uow.now))
        await uow.session.flush()
    renderer = await uow.renderer(request)
    body = renderer.say("new_link")
    await uow.outbox.queue(
        request, Draft(MessageKind.LINK, cause, body, urgent=True), channels=[point.channel]
    )


def _own_point(
    request: ServiceRequest, contact: str, settings: Settings | None = None
) -> ContactPoint | None:
    """The customer's valid contact point with this address, in any spelling; None for another."""
    moment = now()
    points = [
        point
        for point in request.customer.contact_points
        if point.valid_until is None or moment < point.valid_until
    ]
    for point in points:
        try:
            if _normalize_contact(contact, point) == point.address:
                return point
        except ValueError:
            continue
    if settings is not None:
        address = _read_contact(contact, settings)
        return next((point for point in points if (point.channel, point.address) == address), None)
    return None


def _normalize_contact(contact: str, point: ContactPoint) -> str:
    """The address as stored. A number without a country code is read as one of the customer's country."""
    if point.channel == Channel.EMAIL:
        return parse_email_address(contact)
    return parse_phone(contact, _country_of(point.address))


def _read_contact(contact: str, settings: Settings) -> tuple[Channel, str]:
    """The channel and the address as stored. Raises BadInput where it cannot be read.

    A number without a country code is one of the country that we text from.
    """
    try:
        if "@" in contact:
            return Channel.EMAIL, parse_email_address(contact)
        own = settings.twilio_from_number
        return Channel.SMS, parse_phone(contact, _country_of(own) if own else None)
    except ValueError:
        raise BadInput(
            LazyString("Please give the whole number, with its country code, or an e-mail address.")
        ) from None


def _country_of(number: str) -> str | None:
    """The country of an E.164 number; of its country code where its range is not known."""
    parsed = phonenumbers.parse(number)
    country: str | None = phonenumbers.region_code_for_number(parsed)
    return country or phonenumbers.region_code_for_country_code(parsed.country_code or 0)


def _normalize_reference(reference: str) -> str:
    """The reference in its stored form, from any spacing, dashes and case."""
    letters = re.sub(r"[\W_]", "", reference).upper()
    return f"{letters[:-7]}-{letters[-7:-3]}-{letters[-3:]}"


def _require_contact(contact: str) -> None:
    if "@" not in contact and not any(letter.isdecimal() for letter in contact):
        raise BadInput(
            LazyString("Please give the mobile number or the e-mail address that we have of you."),
            fields={"contact": "a number or an address"},
        )


def _interval_number(now: datetime) -> int:
    return int(now.timestamp()) // LINK_INTERVAL_SECONDS


def _form(
    request: Request,
    *,
    reference: str = "",
    contact: str = "",
    refusal: str | None = None,
    wrong_field: str = "",
    status: int = 200,
) -> Response:
    context = {
        "reference": reference,
        "contact": contact,
        "refusal": refusal,
        "wrong_field": wrong_field,
    }
    return templating.page(request, "tracking/find.html", context, status)
