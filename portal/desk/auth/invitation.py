"""The first password of an invited person."""

from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.desk.auth.access import answer, layout_context, read_form
from portal.desk.auth.client_browser import client_of
from portal.desk.auth.current_staff import as_person
from portal.desk.auth.passwords import hash_password
from portal.desk.auth.sign_in import begin_sign_in
from portal.desk.auth.sign_in_limits import invitation_limits
from portal.errors import BadInput, NotFound, PortalError
from portal.models import StaffMember
from portal.operations.accounts import change_password
from portal.queries.staff import find_by_invitation


class InvalidInvitation(NotFound):
    """Used, replaced, expired or unknown: the response is the same."""

    title = "This invitation does not work any more"


async def show_invitation(request: Request) -> Response:
    """`GET /desk/invitations/{token}`: choose a password. Raises InvalidInvitation."""
    return await _page(request, await _find_invited(request))


async def accept_invitation(request: Request) -> Response:
    """`POST /desk/invitations/{token}`: the password is set once, and the person is signed in."""
    invited = await _find_invited(request)
    password = (await read_form(request)).get("password")
    settings = request.app.state.settings
    try:
        password_hash = await hash_password(
            password if isinstance(password, str) else "",
            (invited.name, invited.email, settings.brand),
        )
    except BadInput as refusal:
        return await _page(request, invited, refusal)
    async with request.app.state.operations.begin(invited.actor) as uow:
        token: str = request.path_params["token"]
        staff = _still_invited(await find_by_invitation(uow.session, token))
        await change_password(uow, staff, password_hash, client_of(request))
    return await begin_sign_in(request, staff, "/desk", notify=False) or _refuse()


async def _find_invited(request: Request) -> StaffMember:
    """The person with this invitation; an invitation that does not work counts as a failure."""
    state = request.app.state
    async with state.rate_limiter.attempt(invitation_limits(request)) as attempt:
        async with state.database.reading() as session:
            invited = await find_by_invitation(session, request.path_params["token"])
        if invited is None:
            attempt.fail()
    return _still_invited(invited)


def _still_invited(staff: StaffMember | None) -> StaffMember:
    if staff is None or not staff.may_accept_invitation(business_time.now()):
        _refuse()
    return staff


def _refuse() -> NoReturn:
    raise InvalidInvitation("Whoever looks after the desk can send you a new one.")


async def _page(
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
