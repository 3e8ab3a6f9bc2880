"""Signing in and out, and the first password of an invited person."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import business_time
from portal.desk.auth.access import answer, field, layout_context, read_form
from portal.desk.auth.current_staff import CurrentStaff, as_person, find_current_staff
from portal.desk.auth.passwords import hash_password, verify_password
from portal.desk.auth.sign_in_cookie import clear_sign_in_cookie, set_sign_in_cookie
from portal.errors import BadInput, NotFound, PortalError
from portal.models import SYSTEM_ACTOR, StaffMember
from portal.queries.staff import find_by_invitation, find_staff_by_email
from portal.web.rate_limit import RateLimited, client_address

SIGN_IN_FAILED = "That e-mail and password do not belong together. Please try again."
RATE_LIMIT_PER_EMAIL = "10/minute"
RATE_LIMIT_PER_CLIENT = "60/minute"
DEMO_HINT = (
    "Sign in as one of the sample people: the terminal that runs the demo shows their password."
)


class InvalidInvitation(NotFound):
    """Used, replaced, expired or unknown: the response is the same."""

    title = "This invitation does not work any more"


async def show_sign_in(request: Request) -> Response:
    """`GET /desk/sign-in`: the form; a person who is signed in is redirected to the board."""
    back = _own_path(request.query_params.get("back", ""))
    if await find_current_staff(request) is not None:
        return RedirectResponse(back, 303)
    return await _form(request, back)


async def sign_in(request: Request) -> Response:
    """`POST /desk/sign-in`: a cookie for twelve hours, or the same refusal for every cause."""
    form = await read_form(request)
    back, email = _own_path(field(form, "back")), field(form, "email")
    try:
        await _limit_rate(request, email.lower())
    except RateLimited as refusal:
        return await _form(request, back, email, refusal.detail, refusal.status)
    async with request.app.state.database.reading() as session:
        staff = await find_staff_by_email(session, email)
    password_hash = staff.password_hash if staff and not staff.disabled_at else None
    password = form.get("password")
    is_valid = await verify_password(password_hash, password if isinstance(password, str) else "")
    if staff is None or not is_valid:
        return await _form(request, back, email, SIGN_IN_FAILED, 422)
    return _start_sign_in(request, staff, back)


async def sign_out(_request: Request, _reader: CurrentStaff) -> Response:
    """`POST /desk/sign-out`."""
    response = RedirectResponse("/desk/sign-in", 303)
    clear_sign_in_cookie(response)
    return response


async def show_invitation(request: Request) -> Response:
    """`GET /desk/invitations/{token}`: choose a password. Raises InvalidInvitation."""
    await request.app.state.rate_limiter.allow(
        RATE_LIMIT_PER_CLIENT, "invitation", client_address(request)
    )
    async with request.app.state.database.reading() as session:
        invited = _still_invited(await find_by_invitation(session, request.path_params["token"]))
    return await _invitation(request, invited)


async def accept_invitation(request: Request) -> Response:
    """`POST /desk/invitations/{token}`: the password is set once, and the person is signed in."""
    await request.app.state.rate_limiter.allow(
        RATE_LIMIT_PER_CLIENT, "invitation", client_address(request)
    )
    token: str = request.path_params["token"]
    async with request.app.state.database.reading() as session:
        invited = _still_invited(await find_by_invitation(session, token))
    password = (await read_form(request)).get("password")
    try:
        password_hash = await hash_password(password if isinstance(password, str) else "")
    except BadInput as refusal:
        return await _invitation(request, invited, refusal)
    async with request.app.state.operations.begin(SYSTEM_ACTOR) as uow:
        staff = _still_invited(await find_by_invitation(uow.session, token))
        staff.set_password(password_hash)
        uow.session.add(staff)
    return _start_sign_in(request, staff, "/desk")


def _still_invited(staff: StaffMember | None) -> StaffMember:
    if staff is None or not staff.may_accept_invitation(business_time.now()):
        raise InvalidInvitation("Whoever looks after the desk can send you a new one.")
    return staff


def _start_sign_in(request: Request, staff: StaffMember, back: str) -> Response:
    response = RedirectResponse(back, 303)
    set_sign_in_cookie(request.app.state.settings, response, staff)
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


async def _invitation(
    request: Request, invited: StaffMember, refusal: PortalError | None = None
) -> Response:
    context = {
        "invited": as_person(invited),
        "token": request.path_params["token"],
        "errors": refusal.fields if refusal else {},
        **layout_context(None),
    }
    status = refusal.status if refusal else 200
    return await answer(request, "desk/auth/invitation.html", context, status)


async def _limit_rate(request: Request, email: str) -> None:
    rate_limiter = request.app.state.rate_limiter
    await rate_limiter.allow(RATE_LIMIT_PER_CLIENT, "sign-in", client_address(request))
    await rate_limiter.allow(RATE_LIMIT_PER_EMAIL, "sign-in", email[:254])


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
