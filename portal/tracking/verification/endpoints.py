"""Asking for a code and typing it in: how a browser becomes known as the customer's."""

import asyncio
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.errors import BadInput, NotFound, PortalError
from portal.i18n.lazy_string import LazyString
from portal.models import CUSTOMER_ACTOR, Channel, TrustedDevice
from portal.models.columns import saved_id
from portal.operations import forget_device, send_code, verify_code
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import find_by_token
from portal.queries.trusted_devices import (
    CodeDestination,
    code_destinations,
    is_shared,
    newest_code,
)
from portal.tracking.forms import read_form
from portal.tracking.status_page.endpoints import unknown_link
from portal.tracking.verification.device_cookie import (
    DEVICE_COOKIE,
    PATH,
    find_trusted_device,
    read_device_secret,
    see_other,
    set_device_cookie,
)
from portal.tracking.verification.masking import last_digits, mask_address
from portal.web import templating
from portal.web.rate_limit import client_address

RATE_LIMIT_PER_CLIENT = "60/minute"
MIN_RESPONSE_SECONDS = 0.1
"""Seconds until a code is refused: mistyped, too old, another's or none at all, it takes as long."""
MAX_INPUT_LENGTH = 40
ALL_REQUESTS = "mine"
NEXT_PATH_PATTERN = re.compile(r"(?:mine|replace|preferences|files/[0-9]{1,18})?")
"""Where a code may lead, below the link."""
WRONG_CODE = LazyString(
    "This code does not work. Perhaps it is mistyped or too old: please look at our newest message, "
    "or let us send you another."
)
NO_ADDRESS = LazyString(
    "We have no number or address of yours that we may send a code to. Please speak to us instead."
)


@dataclass(frozen=True, slots=True)
class CodePage:
    """Where a code is asked for and typed in. ``sent``: one is on its way, so it may be typed.

    ``phone_ending`` is the end of the number that it goes to, ``mailbox`` the masked address; with
    neither there is no way to send one. ``onward`` is what it opens, a path below ``path``.
    """

    reference: str
    path: str
    next_path: str
    purpose: Literal["mine", "replace", ""]
    sent: bool
    phone_ending: str = ""
    mailbox: str = ""
    refusal: str | None = None


async def show(request: Request) -> Response:
    """`GET /r/{token}/code?to=`: whether to send a code, and where to type it in."""
    next_path = _onward(request.query_params.get("to", ""))
    if await request.app.state.status_pages.find_version(request.path_params["token"]) is None:
        return unknown_link(request)
    return await _page(request, next_path)


async def take(request: Request) -> Response:
    """`POST /r/{token}/code`: with `code` the digits, without it the wish to be sent some."""
    form = await read_form(request)
    token, next_path = request.path_params["token"], _onward(form.get("to", ""))
    state = request.app.state
    if await state.status_pages.find_version(token) is None:
        return unknown_link(request)
    try:
        await state.rate_limiter.allow(RATE_LIMIT_PER_CLIENT, "code from", client_address(request))
        if "code" not in form:
            await _send(request, next_path)
            return see_other(f"/r/{token}/code?to={next_path}")
        secret = await _take(request, form["code"])
    except NotFound:
        return unknown_link(request)
    except PortalError as refusal:
        return await _page(request, next_path, refusal)
    answer = _go_on(token, next_path)
    set_device_cookie(state.settings, answer, secret)
    return answer


async def forget(request: Request) -> Response:
    """`POST /r/{token}/forget`: whoever sits here next is asked for a code again."""
    await read_form(request)
    token, secret = request.path_params["token"], read_device_secret(request)
    if await request.app.state.status_pages.find_version(token) is None:
        return unknown_link(request)
    if secret is not None:
        async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
            await forget_device(uow, secret)
    answer = _go_on(token, "")
    answer.delete_cookie(DEVICE_COOKIE, path=PATH, httponly=True, samesite="lax")
    return answer


def choose_address(next_path: str, ways: Sequence[CodeDestination]) -> CodeDestination | None:
    """Where the code goes: for all of a customer's requests, an address that is theirs alone."""
    own = [way for way in ways if not way.is_shared]
    chosen = own or ways if next_path == ALL_REQUESTS else ways
    return chosen[0] if chosen else None


async def _send(request: Request, next_path: str) -> None:
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, request.path_params["token"])
        way = choose_address(
            next_path, await code_destinations(uow.session, service_request, uow.now)
        )
        if way is None:
            raise BadInput(NO_ADDRESS)
        await send_code(uow, service_request, way)


async def _take(request: Request, typed: str) -> str:
    """The browser's new secret. Raises BadInput for any code but the newest, in the same time."""
    answer_at = asyncio.get_running_loop().time() + MIN_RESPONSE_SECONDS
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, request.path_params["token"])
        secret = await verify_code(
            uow, service_request, _as_digits(typed), read_device_secret(request)
        )
    # The try is committed before anybody knows how it ended: asked at once, ten count as ten.
    if secret is None:
        await asyncio.sleep(max(0.0, answer_at - asyncio.get_running_loop().time()))
        raise BadInput(WRONG_CODE, fields={"code": "the newest code"})
    return secret


async def _page(request: Request, next_path: str, refusal: PortalError | None = None) -> Response:
    token = request.path_params["token"]
    async with request.app.state.database.reading() as session:
        service_request = await find_by_token(session, token)
        if service_request is None:
            return unknown_link(request)
        ways = await code_destinations(session, service_request, business_time.now())
        code = await newest_code(session, saved_id(service_request))
    way = choose_address(next_path, ways)
    device = await find_trusted_device(request, saved_id(service_request))
    if refusal is None and await _is_enough(request, device, next_path, way):
        return _go_on(token, next_path)
    page = CodePage(
        reference=service_request.reference,
        path=f"/r/{token}",
        next_path=next_path,
        purpose="mine"
        if next_path == ALL_REQUESTS
        else "replace"
        if next_path == "replace"
        else "",
        # Refused, it looks the same whether there is a code or not.
        sent=refusal is not None or (code is not None and code.is_open(business_time.now())),
        phone_ending=last_digits(way.address) if way and way.channel == Channel.SMS else "",
        mailbox=mask_address(way.address) if way and way.channel == Channel.EMAIL else "",
        refusal=refusal.detail if refusal else None,
    )
    context = {"page": page, "locale": service_request.customer.locale}
    return templating.page(
        request, "tracking/code.html", context, refusal.status if refusal else 200
    )


async def _is_enough(
    request: Request, device: TrustedDevice | None, next_path: str, way: CodeDestination | None
) -> bool:
    """Whether the browser is known well enough for what it wants to see.

    By a family's phone it is not for all of one's requests, where there is an address of one's own.
    """
    if device is None or next_path != ALL_REQUESTS or way is None or way.is_shared:
        return device is not None
    async with request.app.state.database.reading() as session:
        return not await is_shared(session, device.channel, device.address, device.customer_id)


def _go_on(token: str, next_path: str) -> Response:
    return see_other(f"/r/{token}/{next_path}".rstrip("/"))


def _onward(told: str) -> str:
    return told if NEXT_PATH_PATTERN.fullmatch(told) else ""


def _as_digits(typed: str) -> str:
    """The digits, whichever a keyboard writes; nothing of what is far too long."""
    if len(typed) > MAX_INPUT_LENGTH:
        return ""
    return "".join(str(unicodedata.decimal(one)) for one in typed if one.isdecimal())
