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
from portal.i18n.lazy_string import Sentence
from portal.models import THE_CUSTOMER, Channel, KnownDevice
from portal.operations import forget_device, send_code, take_code
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import find_by_token
from portal.queries.trusted_devices import Way, is_shared, newest_code, ways_to_know
from portal.tracking.forms import client_address, read_form
from portal.tracking.status_page.endpoints import unknown_link
from portal.tracking.verification.device_cookie import (
    COOKIE,
    PATH,
    find_known,
    remember,
    secret_of,
    see_other,
)
from portal.tracking.verification.masking import last_digits, masked
from portal.web import templating

FROM_ONE_ADDRESS = "60/minute"
ANSWER_AFTER = 0.1
"""Seconds until a code is refused: mistyped, too old, another's or none at all, it takes as long."""
LONGEST_TYPED = 40
ALL_REQUESTS = "mine"
ONWARD = re.compile(r"(?:mine|replace|preferences|files/[0-9]{1,18})?")
"""Where a code may lead, below the link."""
WRONG = Sentence(
    "This code does not work. Perhaps it is mistyped or too old: please look at our newest message, "
    "or let us send you another."
)
NO_WAY = Sentence(
    "We have no number or address of yours that we may send a code to. Please speak to us instead."
)


@dataclass(frozen=True, slots=True)
class CodePage:
    """Where a code is asked for and typed in. ``sent``: one is on its way, so it may be typed.

    ``ends_in`` is the end of the number that it goes to, ``mailbox`` the masked address; with
    neither there is no way to send one. ``onward`` is what it opens, a path below ``path``.
    """

    reference: str
    path: str
    onward: str
    purpose: Literal["mine", "replace", ""]
    sent: bool
    ends_in: str = ""
    mailbox: str = ""
    refusal: str | None = None


async def show(request: Request) -> Response:
    """`GET /r/{token}/code?to=`: whether to send a code, and where to type it in."""
    onward = _onward(request.query_params.get("to", ""))
    if await request.app.state.status_pages.find_version(request.path_params["token"]) is None:
        return unknown_link(request)
    return await _page(request, onward)


async def take(request: Request) -> Response:
    """`POST /r/{token}/code`: with `code` the digits, without it the wish to be sent some."""
    form = await read_form(request)
    token, onward = request.path_params["token"], _onward(form.get("to", ""))
    state = request.app.state
    if await state.status_pages.find_version(token) is None:
        return unknown_link(request)
    try:
        await state.rates.allow(FROM_ONE_ADDRESS, "code from", client_address(request))
        if "code" not in form:
            await _send(request, onward)
            return see_other(f"/r/{token}/code?to={onward}")
        secret = await _take(request, form["code"])
    except NotFound:
        return unknown_link(request)
    except PortalError as refusal:
        return await _page(request, onward, refusal)
    answer = _go_on(token, onward)
    remember(state.settings, answer, secret)
    return answer


async def forget(request: Request) -> Response:
    """`POST /r/{token}/forget`: whoever sits here next is asked for a code again."""
    await read_form(request)
    token, secret = request.path_params["token"], secret_of(request)
    if await request.app.state.status_pages.find_version(token) is None:
        return unknown_link(request)
    if secret is not None:
        async with request.app.state.relay.turn(THE_CUSTOMER) as turn:
            await forget_device(turn, secret)
    answer = _go_on(token, "")
    answer.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="lax")
    return answer


def choose_way(onward: str, ways: Sequence[Way]) -> Way | None:
    """Where the code goes: for all of a customer's requests, an address that is theirs alone."""
    own = [way for way in ways if not way.is_shared]
    chosen = own or ways if onward == ALL_REQUESTS else ways
    return chosen[0] if chosen else None


async def _send(request: Request, onward: str) -> None:
    async with request.app.state.relay.turn(THE_CUSTOMER) as turn:
        service_request = await lock_by_token(turn.session, request.path_params["token"])
        way = choose_way(onward, await ways_to_know(turn.session, service_request, turn.now))
        if way is None:
            raise BadInput(NO_WAY)
        await send_code(turn, service_request, way)


async def _take(request: Request, typed: str) -> str:
    """The browser's new secret. Raises BadInput for any code but the newest, in the same time."""
    answer_at = asyncio.get_running_loop().time() + ANSWER_AFTER
    async with request.app.state.relay.turn(THE_CUSTOMER) as turn:
        service_request = await lock_by_token(turn.session, request.path_params["token"])
        secret = await take_code(turn, service_request, _as_digits(typed), secret_of(request))
    # The try is committed before anybody knows how it ended: asked at once, ten count as ten.
    if secret is None:
        await asyncio.sleep(max(0.0, answer_at - asyncio.get_running_loop().time()))
        raise BadInput(WRONG, fields={"code": "the newest code"})
    return secret


async def _page(request: Request, onward: str, refusal: PortalError | None = None) -> Response:
    token = request.path_params["token"]
    async with request.app.state.database.reading() as session:
        service_request = await find_by_token(session, token)
        if service_request is None:
            return unknown_link(request)
        ways = await ways_to_know(session, service_request, business_time.now())
        code = await newest_code(session, service_request.id or 0)
    way = choose_way(onward, ways)
    device = await find_known(request, service_request.id or 0)
    if refusal is None and await _is_enough(request, device, onward, way):
        return _go_on(token, onward)
    page = CodePage(
        reference=service_request.reference,
        path=f"/r/{token}",
        onward=onward,
        purpose="mine" if onward == ALL_REQUESTS else "replace" if onward == "replace" else "",
        # Refused, it looks the same whether there is a code or not.
        sent=refusal is not None or (code is not None and code.is_open(business_time.now())),
        ends_in=last_digits(way.address) if way and way.channel == Channel.SMS else "",
        mailbox=masked(way.address) if way and way.channel == Channel.EMAIL else "",
        refusal=refusal.detail if refusal else None,
    )
    context = {"page": page, "locale": service_request.customer.locale}
    return templating.page(
        request, "tracking/code.html", context, refusal.status if refusal else 200
    )


async def _is_enough(
    request: Request, device: KnownDevice | None, onward: str, way: Way | None
) -> bool:
    """Whether the browser is known well enough for what it wants to see.

    By a family's phone it is not for all of one's requests, where there is an address of one's own.
    """
    if device is None or onward != ALL_REQUESTS or way is None or way.is_shared:
        return device is not None
    async with request.app.state.database.reading() as session:
        return not await is_shared(session, device.channel, device.address, device.customer_id)


def _go_on(token: str, onward: str) -> Response:
    return see_other(f"/r/{token}/{onward}".rstrip("/"))


def _onward(told: str) -> str:
    return told if ONWARD.fullmatch(told) else ""


def _as_digits(typed: str) -> str:
    """The digits, whichever a keyboard writes; nothing of what is far too long."""
    if len(typed) > LONGEST_TYPED:
        return ""
    return "".join(str(unicodedata.decimal(one)) for one in typed if one.isdecimal())
