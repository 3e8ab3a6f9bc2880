"""What every page of the desk checks first: the sign-in, and the origin of a form."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from sqlalchemy.exc import DBAPIError
from starlette.background import BackgroundTasks
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import business_time
from portal.desk.auth.current_staff import CurrentStaff, as_person, find_current_staff
from portal.desk.auth.sign_in_cookie import is_valid_form_token
from portal.desk.badges import Badges, load_badges
from portal.errors import BadInput, NotAllowed, NotFound, PortalError
from portal.models.columns import saved_id
from portal.models.requests.tracking_link import TOKEN_LENGTH
from portal.operations.accounts import mark_seen
from portal.web import templating
from portal.web.cookies import read_cookie
from portal.web.form_origin import check_form_origin

Endpoint = Callable[[Request], Awaitable[Response]]
StaffEndpoint = Callable[[Request, CurrentStaff], Awaitable[Response]]

MAX_FORM_FIELDS = 40
FOLLOWING_ELEMENT = "desk"
"""The id of the element that loads a page again when something has changed."""
LONGEST_NUMBER = 18  # digits; with one more it could pass 2**63
SHORTCUTS_COOKIE = "kept_keys"
SHORTCUTS_OFF = "off"
OUT_OF_BAND_TEMPLATES = (
    "desk/unanswered_count.html",
    "desk/failed_message_count.html",
    "desk/dropped_ball_count.html",
    "desk/alerts.html",
)


def require_staff(endpoint: StaffEndpoint, *, max_files: int = 0) -> Endpoint:
    """Require a sign-in, else redirect to the sign-in page. Forms must come from this site.

    ``max_files`` is how many files a form may bring.
    """

    async def guarded(request: Request) -> Response:
        reader = await find_current_staff(request)
        if reader is None:
            return redirect_to_sign_in(request)
        try:
            if request.method == "POST":
                await _check_form(request, max_files)
            response = await endpoint(request, reader)
        except PortalError as refusal:
            response = await notice(request, reader, refusal)
        finally:
            await request.close()  # The files of the form.
        _mark_seen_afterwards(request, reader, response)
        return _with_page_headers(response)

    return guarded


def allow_anonymous(endpoint: Endpoint) -> Endpoint:
    """The sign-in page itself: no sign-in is needed, but forms of other sites are refused."""

    async def guarded(request: Request) -> Response:
        try:
            if request.method == "POST":
                check_form_origin(request)
            return _with_page_headers(await endpoint(request))
        except PortalError as refusal:
            return _with_page_headers(await notice(request, None, refusal))

    return guarded


def redirect_to_sign_in(request: Request) -> Response:
    """Redirect to the sign-in page, which leads back to the page requested."""
    if is_fragment(request):
        # HX-Redirect loads the whole page: a fragment must not contain the sign-in page.
        page = urlsplit(request.headers.get("hx-current-url", ""))
        back = page.path + (f"?{page.query}" if page.query else "")
        return Response(status_code=401, headers={"HX-Redirect": _sign_in_url(back)})
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(_sign_in_url(back if request.method == "GET" else ""), 303)


async def notice(request: Request, reader: CurrentStaff | None, refusal: PortalError) -> Response:
    """A page, or its fragment, with the reason of a refusal."""
    context = {"title": refusal.title, "detail": refusal.detail, **layout_context(reader)}
    return await answer(request, "desk/notice.html", context, refusal.status)


async def answer(
    request: Request, name: str, context: Mapping[str, Any], status: int = 200
) -> Response:
    """The page; for htmx its block ``desk``, and the counts of the bar above it.

    ``context`` has what `layout_context` gives. The counts are read here.
    """
    reader: CurrentStaff | None = context["current_staff"]
    badges = Badges()
    if reader is not None:
        async with request.app.state.database.reading() as session:
            badges = await load_badges(session, reader)
    keys = read_cookie(request, SHORTCUTS_COOKIE) != SHORTCUTS_OFF
    link_length = len(f"{request.app.state.settings.public_url}/r/") + TOKEN_LENGTH
    context = {
        **context, **badges._asdict(),
        "keys": keys, "link_length": link_length, "beside": is_fragment(request),
    }  # fmt: skip
    if is_fragment(request):
        out_of_band = OUT_OF_BAND_TEMPLATES if reader else ()
        return templating.fragment(request, name, "desk", context, status, out_of_band=out_of_band)
    return templating.page(request, name, context, status)


def layout_context(reader: CurrentStaff | None) -> dict[str, Any]:
    """What the layout of each page of the desk needs, except the counts in its bar."""
    return {
        "current_staff": reader,
        "me": as_person(reader.staff) if reader else None,
        "form_token": reader.form_token if reader else "",
    }


def is_fragment(request: Request) -> bool:
    """True when htmx asks for a part of the page."""
    return "hx-request" in request.headers


async def read_form(request: Request, max_files: int = 0) -> FormData:
    """The fields of the form. More than ``max_files`` files are rejected."""
    return await request.form(max_files=max_files, max_fields=MAX_FORM_FIELDS)


def field(form: FormData, name: str) -> str:
    """The text of one field, trimmed; empty where it is missing."""
    value = form.get(name, "")
    return value.replace("\x00", "").strip() if isinstance(value, str) else ""


async def _check_form(request: Request, max_files: int) -> None:
    check_form_origin(request)
    token = field(await read_form(request, max_files), "form_token")
    if not is_valid_form_token(request, token):
        raise NotAllowed(
            "This form is from an earlier sign-in, so nothing was done. "
            "Please go back, load the page again and repeat it."
        )


def _mark_seen_afterwards(request: Request, reader: CurrentStaff, response: Response) -> None:
    """Note the use of the sign-in once the response is sent, where the person did something.

    What an open page does by itself (following the live stream, presence) is no use.
    """
    is_by_itself = request.headers.get("hx-trigger") == FOLLOWING_ELEMENT
    is_by_itself = is_by_itself or request.url.path.endswith("/presence")
    sign_in = reader.sign_in
    if sign_in is None or is_by_itself or not sign_in.is_use_worth_noting(business_time.now()):
        return
    tasks = BackgroundTasks([response.background] if response.background else [])
    tasks.add_task(_mark_seen, request, saved_id(sign_in))
    response.background = tasks


async def _mark_seen(request: Request, sign_in_id: int) -> None:
    with contextlib.suppress(DBAPIError):  # The next request notes it.
        async with request.app.state.database.transaction() as session:
            await mark_seen(session, sign_in_id, business_time.now())


def _sign_in_url(back: str) -> str:
    return f"/desk/sign-in?back={quote(back)}" if back.startswith("/desk") else "/desk/sign-in"


def _with_page_headers(response: Response) -> Response:
    # Under no-referrer, the policy of other pages, our own forms would send Origin "null".
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Vary"] = "HX-Request"
    return response


def read_number(text: str, name: str) -> int:
    """A whole number from a hidden field. Raises BadInput where the form was tampered with."""
    if not _is_number(text):
        raise BadInput(f"Please load the page again: its {name} is missing.")
    return int(text)


def id_in_path(request: Request, noun: str) -> int:
    """The id in the path. Raises NotFound, naming the noun, for what is no possible id."""
    text: str = request.path_params["id"]
    if not _is_number(text):
        raise NotFound(f"There is no such {noun}.")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
