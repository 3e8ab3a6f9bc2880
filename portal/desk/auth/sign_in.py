"""Signing in and out at the desk."""

from urllib.parse import urlsplit

import structlog
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.desk.auth.access import answer, field, layout_context, read_form
from portal.desk.auth.client_browser import client_of
from portal.desk.auth.current_staff import CurrentStaff, find_current_staff
from portal.desk.auth.passwords import verify_password
from portal.desk.auth.sign_in_cookie import (
    clear_sign_in_cookie,
    read_known_browser,
    read_sign_in_token,
    set_sign_in_cookies,
)
from portal.desk.auth.sign_in_limits import RECORDED_REFUSALS, sign_in_limits
from portal.errors import RateLimited
from portal.models import SYSTEM_ACTOR, AccountEventKind, StaffMember
from portal.models.columns import saved_id
from portal.operations.accounts import end_sign_in, record_account_event, start_sign_in
from portal.queries.staff import find_staff_by_email
from portal.web.client_address import client_address

log = structlog.get_logger()

SIGN_IN_FAILED = "That e-mail and password do not belong together. Please try again."
TOO_MANY_FAILURES = (
    "There were too many wrong passwords. Please try again in a minute, in a browser in which you "
    "have signed in before; or ask your administrator for a new invitation."
)
DEMO_HINT = (
    "Sign in as one of the sample people: the terminal that runs the demo shows their password."
)


async def show_sign_in(request: Request) -> Response:
    """`GET /desk/sign-in`: the form; a person who is signed in is redirected to the board."""
    back = _own_path(request.query_params.get("back", ""))
    if await find_current_staff(request) is not None:
        return RedirectResponse(back, 303)
    return await _form(request, back)


async def sign_in(request: Request) -> Response:
    """`POST /desk/sign-in`: a sign-in begins, or the same refusal for every cause."""
    form = await read_form(request)
    back, email, password = (
        _own_path(field(form, "back")),
        field(form, "email"),
        form.get("password"),
    )
    state = request.app.state
    async with state.database.reading() as session:
        staff = await find_staff_by_email(session, email)
    password_hash = staff.password_hash if staff and not staff.disabled_at else None
    browser = read_known_browser(state.settings, request)
    response: Response | None = None
    try:
        async with state.rate_limiter.attempt(
            sign_in_limits(request, email, staff, browser)
        ) as attempt:
            text = password if isinstance(password, str) else ""
            if await verify_password(password_hash, text) and staff is not None:
                response = await begin_sign_in(
                    request, staff, back, notify=not browser.is_known_to(staff)
                )
            if response is None:
                attempt.fail()
    except RateLimited as refusal:
        response = await _form(request, back, email, TOO_MANY_FAILURES, refusal.status)
        response.headers.update(refusal.headers)
        return _recorded(request, response, staff, AccountEventKind.SIGN_IN_LIMITED)
    if response is not None:
        return response
    response = await _form(request, back, email, SIGN_IN_FAILED, 422)
    return _recorded(request, response, staff, AccountEventKind.SIGN_IN_FAILED)


async def begin_sign_in(
    request: Request, staff: StaffMember, back: str, *, notify: bool
) -> Response | None:
    """Redirect to ``back`` with the cookies of a new sign-in; an earlier one of this browser ends.

    None where the person was disabled or got another password since they were read.
    """
    state, client, earlier = request.app.state, client_of(request), read_sign_in_token(request)
    async with state.operations.begin(staff.actor) as uow:
        if earlier is not None:
            await end_sign_in(uow, earlier, client)
        started = await start_sign_in(
            uow, saved_id(staff), staff.password_hash, client, notify=notify
        )
    if started is None:
        return None
    response = RedirectResponse(back, 303)
    browser = read_known_browser(state.settings, request)
    set_sign_in_cookies(state.settings, response, *started, browser)
    return response


async def sign_out(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/sign-out`: this sign-in ends, whoever has its cookie."""
    async with request.app.state.operations.begin(reader.staff.actor) as uow:
        token = read_sign_in_token(request) or ""
        await end_sign_in(uow, token, client_of(request))
    response = RedirectResponse("/desk/sign-in", 303)
    clear_sign_in_cookie(request.app.state.settings, response)
    return response


async def _form(
    request: Request, back: str, email: str = "", error: str = "", status: int = 200
) -> Response:
    context = {
        "back": back,
        "typed": {"email": email},
        "errors": {"": error} if error else {},
        "hint": DEMO_HINT if request.app.state.demo else None,
        **layout_context(None),
    }
    return await answer(request, "desk/auth/sign_in.html", context, status)


def _recorded(
    request: Request, response: Response, staff: StaffMember | None, kind: AccountEventKind
) -> Response:
    """The response; the record follows it, so that its time tells nothing of the account."""
    response.background = BackgroundTask(_record_refusal, request, staff, kind)
    return response


async def _record_refusal(
    request: Request, staff: StaffMember | None, kind: AccountEventKind
) -> None:
    state, client = request.app.state, client_of(request)
    if kind == AccountEventKind.SIGN_IN_LIMITED:
        who = str(staff.id) if staff is not None else client_address(request)
        try:
            await state.rate_limiter.allow(RECORDED_REFUSALS, "refused", who)
        except RateLimited:
            return
    if staff is None:
        log.info("sign-in of nobody", event_kind=kind.value, network=client.network or None)
        return
    async with state.operations.begin(SYSTEM_ACTOR) as uow:
        await record_account_event(uow, staff, kind, client=client)


def _own_path(back: str) -> str:
    """Where to redirect after the sign-in: only a path of the desk, whatever the link contains."""
    parts = urlsplit(back)
    is_relative = not parts.scheme and not parts.netloc and "\\" not in back and back.isprintable()
    is_desk_path = parts.path == "/desk" or parts.path.startswith("/desk/")
    is_sign_in_page = parts.path.startswith("/desk/sign-")
    return (
        back
        if is_relative and is_desk_path and not is_sign_in_page and ".." not in parts.path
        else "/desk"
    )
