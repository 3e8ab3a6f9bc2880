"""The code form: sends a verification code and checks it, so that a browser becomes trusted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.errors import BadInput, PortalError, UnknownLink
from portal.i18n.lazy_string import LazyString
from portal.models import CUSTOMER_ACTOR, Channel, TrustedDevice
from portal.models.columns import saved_id
from portal.operations import forget_device, send_code, verify_code
from portal.queries.requests import lock_by_token
from portal.queries.tracking_links import get_by_token
from portal.queries.trusted_devices import (
    CodeDestination,
    code_destinations,
    is_shared,
    newest_code,
)
from portal.tracking.forms import read_form
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.codes import WRONG_CODE, after_a_moment, as_digits
from portal.tracking.verification.device_cookie import (
    delete_device_cookie,
    find_trusted_device,
    read_device_secret,
    see_other,
    set_device_cookie,
)
from portal.tracking.verification.masking import last_digits, mask_address
from portal.web import templating

ALL_REQUESTS = "mine"
NEXT_PATH_PATTERN = re.compile(
    r"(?:mine|replace|withdraw|preferences|(?:start|address)(?:-sms|-email)?|files/[0-9]{1,18})?"
)
"""The paths below the link that may follow the code form; ``start`` leads to the preferences.

``start-sms`` and ``start-email`` do so too, after a code by that channel; ``address`` likewise.
"""
START_MESSAGES, CHANGE_ADDRESS = "start", "address"
START_CHANNELS = {f"{START_MESSAGES}-{channel.value}": channel for channel in Channel}
ADDRESS_CHANNELS = {f"{CHANGE_ADDRESS}-{channel.value}": channel for channel in Channel}
CODE_CHANNELS = START_CHANNELS | ADDRESS_CHANNELS
PURPOSES: Mapping[str, Literal["mine", "replace", "withdraw", "address", "start"]] = {
    ALL_REQUESTS: "mine", "replace": "replace", "withdraw": "withdraw", START_MESSAGES: "start",
    CHANGE_ADDRESS: "address", **dict.fromkeys(ADDRESS_CHANNELS, "address"),
    **dict.fromkeys(START_CHANNELS, "start"),
}  # fmt: skip
NO_ADDRESS = LazyString(
    "We have no number or address of yours that we may send a code to. Please speak to us instead."
)


@dataclass(frozen=True, slots=True)
class CodePage:
    """The code form. ``sent``: a code has been sent, so the form has a field for it.

    ``phone_ending`` is the end of the number that it goes to, ``masked_email`` the address; with
    neither, no code can be sent. ``next_path``, below ``path``, is shown after the code.
    ``other_path`` asks for a code by the other channel, for who has lost their phone.
    """

    reference: str
    path: str
    next_path: str
    purpose: Literal["mine", "replace", "withdraw", "address", "start", ""]
    sent: bool
    phone_ending: str = ""
    masked_email: str = ""
    refusal: str | None = None
    other_path: str = ""


async def show_code_form(request: Request) -> Response:
    """`GET /r/{token}/code?to=`: the form to send a code and to enter it."""
    next_path = _next_path(request.query_params.get("to", ""))
    await open_link(request)
    return await _page(request, next_path)


async def submit_code(request: Request) -> Response:
    """`POST /r/{token}/code`: checks the `code`; without one, sends a new one."""
    state, token, next_path = request.app.state, request.path_params["token"], ""
    await open_link(request)
    try:
        form = await read_form(request)
        next_path = _next_path(form.get("to", ""))
        if "code" not in form:
            await _send(request, next_path)
            return see_other(f"/r/{token}/code?to={next_path}")
        async with after_a_moment():
            secret = await _verify(request, form["code"])
    except UnknownLink:
        raise
    except PortalError as refusal:
        return await _page(request, next_path, refusal)
    response = _redirect(token, next_path)
    set_device_cookie(state.settings, response, secret)
    return response


async def forget_browser(request: Request) -> Response:
    """`POST /r/{token}/forget`: the browser is no longer trusted."""
    await read_form(request)
    token, secret = request.path_params["token"], read_device_secret(request)
    await open_link(request)
    if secret is not None:
        async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
            await forget_device(uow, secret)
    response = _redirect(token, "")
    delete_device_cookie(request.app.state.settings, response)
    return response


def choose_address(
    next_path: str, destinations: Sequence[CodeDestination]
) -> CodeDestination | None:
    """The address for the code.

    For ``mine``, one that no other customer uses where there is one; for messages by one channel,
    the address of that channel and no other.
    """
    if next_path in CODE_CHANNELS:
        channel = CODE_CHANNELS[next_path]
        return next((each for each in destinations if each.channel == channel), None)
    unshared = [destination for destination in destinations if not destination.is_shared]
    candidates = unshared or destinations if next_path == ALL_REQUESTS else destinations
    return candidates[0] if candidates else None


async def _send(request: Request, next_path: str) -> None:
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, request.path_params["token"])
        destination = choose_address(
            next_path, await code_destinations(uow.session, service_request, uow.now)
        )
        if destination is None:
            raise BadInput(NO_ADDRESS)
        await send_code(uow, service_request, destination)


async def _verify(request: Request, code: str) -> str:
    """The browser's new secret. Raises BadInput for a wrong code."""
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, request.path_params["token"])
        secret = await verify_code(
            uow, service_request, as_digits(code), read_device_secret(request)
        )
    # The attempt is committed before the response, so that concurrent attempts all count.
    if secret is None:
        raise BadInput(WRONG_CODE, fields={"code": "the newest code"})
    return secret


async def _page(request: Request, next_path: str, refusal: PortalError | None = None) -> Response:
    token = request.path_params["token"]
    async with request.app.state.database.reading() as session:
        service_request = await get_by_token(session, token)
        destinations = await code_destinations(session, service_request, business_time.now())
        code = await newest_code(session, saved_id(service_request))
    destination = choose_address(next_path, destinations)
    device = await find_trusted_device(request, saved_id(service_request))
    if refusal is None and await _is_sufficient(request, device, next_path, destination):
        return _redirect(token, next_path)
    page = CodePage(
        reference=service_request.reference,
        path=f"/r/{token}",
        next_path=next_path,
        purpose=PURPOSES.get(next_path, ""),
        # After an error the form is the same whether or not a code was sent.
        sent=refusal is not None or (code is not None and code.is_open(business_time.now())),
        phone_ending=last_digits(destination.address)
        if destination and destination.channel == Channel.SMS
        else "",
        masked_email=mask_address(destination.address)
        if destination and destination.channel == Channel.EMAIL
        else "",
        refusal=refusal.detail if refusal else None,
        other_path=_other_path(next_path, destination, destinations),
    )
    context = {"page": page, "locale": service_request.customer.locale}
    response = templating.page(
        request, "tracking/code.html", context, refusal.status if refusal else 200
    )
    response.headers.update(refusal.headers if refusal else {})
    return response


def _other_path(
    next_path: str, chosen: CodeDestination | None, destinations: Sequence[CodeDestination]
) -> str:
    if PURPOSES.get(next_path) != CHANGE_ADDRESS or chosen is None:
        return ""
    others = [each.channel for each in destinations if each.channel != chosen.channel]
    return f"{CHANGE_ADDRESS}-{others[0].value}" if others else ""


async def _is_sufficient(
    request: Request,
    device: TrustedDevice | None,
    next_path: str,
    destination: CodeDestination | None,
) -> bool:
    """Whether the browser is trusted enough for ``next_path``.

    For ``mine``, a trust by a shared address is not, where the customer has one of their own; for
    messages by one channel, a trust by another channel is not.
    """
    if next_path in START_CHANNELS:
        return device is not None and device.channel == START_CHANNELS[next_path]
    if device is None or next_path != ALL_REQUESTS or destination is None or destination.is_shared:
        return device is not None
    async with request.app.state.database.reading() as session:
        return not await is_shared(session, device.channel, device.address, device.customer_id)


def _redirect(token: str, next_path: str) -> Response:
    if next_path == START_MESSAGES or next_path in START_CHANNELS:
        next_path = "preferences?verified"
    elif next_path in ADDRESS_CHANNELS:
        next_path = CHANGE_ADDRESS
    return see_other(f"/r/{token}/{next_path}".rstrip("/"))


def _next_path(path: str) -> str:
    return path if NEXT_PATH_PATTERN.fullmatch(path) else ""
