"""A person's own page: their photo, password and sign-ins, and the record of their account."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import business_time
from portal.desk.account.presenter import load_account_record
from portal.desk.auth.access import answer, layout_context, read_form
from portal.desk.auth.client_browser import client_of
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.auth.passwords import hash_password, verify_password
from portal.desk.auth.sign_in import begin_sign_in
from portal.desk.auth.sign_in_cookie import clear_sign_in_cookie
from portal.desk.auth.sign_in_limits import password_limits
from portal.errors import BadInput, Conflict, PortalError
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import AccountEventKind, SignInEnd, StaffMember
from portal.models.columns import saved_id
from portal.operations.accounts import (
    change_password,
    end_all_sign_ins,
    lock_account,
    record_account_event,
)
from portal.queries.roster import load_full_roster
from portal.queries.staff import find_photo

SUCCESS_MESSAGES = {
    "password": "Your password is changed. Every other sign-in has ended.",
    "photo": "Your customers see this photo from now on.",
    "no-photo": "Your photo is removed. Customers see the first letter of your name.",
}
WRONG_PASSWORD = "That is not your current password."  # noqa: S105 (a sentence)
SAME_PASSWORD = "That is the password you have. Please choose a new one."  # noqa: S105 (as above)


async def show_account(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/account?done=`."""
    said = SUCCESS_MESSAGES.get(request.query_params.get("done", ""))
    return await _page(request, reader, said=said)


async def change_own_password(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/account/password` with `current_password` and `password`.

    Every sign-in ends; this browser gets a new one.
    """
    state, client = request.app.state, client_of(request)
    form = await read_form(request)
    current, chosen = (
        value if isinstance(value, str) else ""
        for value in (form.get("current_password"), form.get("password"))
    )
    try:
        await _check_current_password(request, reader.staff, current)
        if chosen == current:
            raise BadInput(SAME_PASSWORD, fields={"password": SAME_PASSWORD})
        personal = (reader.staff.name, reader.staff.email, state.settings.brand)
        password_hash = await hash_password(chosen, personal)
    except PortalError as refusal:
        return await _page(request, reader, refusal=refusal)
    async with state.operations.begin(reader.staff.actor) as uow:
        staff = await lock_account(uow, saved_id(reader.staff))
        if staff.password_hash != reader.staff.password_hash:
            raise Conflict("Your password was changed meanwhile, so nothing was done.")
        await change_password(uow, staff, password_hash, client)
    response = await begin_sign_in(request, staff, "/desk/account?done=password", notify=False)
    return response or RedirectResponse("/desk/sign-in", 303)


async def sign_out_everywhere(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/account/sign-out`: every sign-in of the person ends, this one too."""
    async with request.app.state.operations.begin(reader.staff.actor) as uow:
        await end_all_sign_ins(
            uow, reader.staff, SignInEnd.SIGNED_OUT_EVERYWHERE, client_of(request)
        )
    response = RedirectResponse("/desk/sign-in", 303)
    clear_sign_in_cookie(request.app.state.settings, response)
    return response


async def _check_current_password(request: Request, staff: StaffMember, password: str) -> None:
    """Raises BadInput for a wrong one, RateLimited after too many."""
    state = request.app.state
    async with state.rate_limiter.attempt(password_limits(staff)) as attempt:
        if await verify_password(staff.password_hash, password):
            return
        attempt.fail()
    async with state.operations.begin(staff.actor) as uow:
        await record_account_event(
            uow, staff, AccountEventKind.PASSWORD_REFUSED, client=client_of(request)
        )
    raise BadInput(WRONG_PASSWORD, fields={"current_password": WRONG_PASSWORD})


async def _page(
    request: Request,
    reader: CurrentStaff,
    *,
    said: str | None = None,
    refusal: PortalError | None = None,
) -> Response:
    state, now = request.app.state, business_time.now()
    async with state.database.reading() as session:
        roster = await load_full_roster(session, now)
        record = await load_account_record(
            session,
            state.settings,
            reader.staff,
            TimeFormatter("en", roster.timezone_of(saved_id(reader.staff)), now),
            this_id=reader.sign_in.id if reader.sign_in else None,
        )
        photo = await find_photo(session, saved_id(reader.staff))
    errors = (refusal.fields or {"": refusal.detail}) if refusal else {}
    context = {
        "record": record, "photo": photo.digest if photo else "", "said": said, "errors": errors,
        **layout_context(reader),
    }  # fmt: skip
    response = await answer(
        request, "desk/account/account.html", context, refusal.status if refusal else 200
    )
    response.headers.update(refusal.headers if refusal else {})
    return response
