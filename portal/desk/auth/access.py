"""What stands before every page of the desk: who is there, and whether the form is our own."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.desk.auth.current_staff import (
    CurrentStaff,
    as_person,
    find_current_staff,
    is_valid_form_token,
)
from portal.errors import BadInput, NotAllowed, PortalError
from portal.web import templating

Endpoint = Callable[[Request], Awaitable[Response]]
StaffEndpoint = Callable[[Request, CurrentStaff], Awaitable[Response]]

MAX_FORM_FIELDS = 40
SHORTCUTS_COOKIE = "kept_keys"
SHORTCUTS_OFF = "off"
OUT_OF_BAND_TEMPLATES = (
    "desk/to_answer.html",
    "desk/to_mend.html",
    "desk/to_catch.html",
    "desk/alerts.html",
)


def require_staff(endpoint: StaffEndpoint) -> Endpoint:
    """Let in who is signed in; send others to the door. Forms must be our own."""

    async def guarded(request: Request) -> Response:
        reader = await find_current_staff(request)
        if reader is None:
            return redirect_to_sign_in(request)
        try:
            if request.method == "POST":
                await _check_form(request)
            return _dressed(await endpoint(request, reader))
        except PortalError as refusal:
            return _dressed(notice(request, reader, refusal))

    return guarded


def allow_anonymous(endpoint: Endpoint) -> Endpoint:
    """The door itself: no sign-in is asked for, but forms of other sites are refused."""

    async def guarded(request: Request) -> Response:
        try:
            if request.method == "POST":
                check_origin(request)
            return _dressed(await endpoint(request))
        except PortalError as refusal:
            return _dressed(notice(request, None, refusal))

    return guarded


def redirect_to_sign_in(request: Request) -> Response:
    """To the sign-in, and from there back to the page that was asked for."""
    if is_fragment(request):
        # The page's own script takes the whole page there: no door inside a fragment.
        page = urlsplit(request.headers.get("hx-current-url", ""))
        back = page.path + (f"?{page.query}" if page.query else "")
        return Response(status_code=401, headers={"HX-Redirect": _door(back)})
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(_door(back if request.method == "GET" else ""), 303)


def notice(request: Request, reader: CurrentStaff | None, refusal: PortalError) -> Response:
    """A kind page, or its part, for what could not be done."""
    context = {"title": refusal.title, "detail": refusal.detail, **layout_context(reader)}
    return answer(request, "desk/notice.html", context, refusal.status)


def answer(request: Request, name: str, context: dict[str, Any], status: int = 200) -> Response:
    """The page; for htmx its block ``desk``, and what the bar above it says by now."""
    context = context | {"keys": request.cookies.get(SHORTCUTS_COOKIE) != SHORTCUTS_OFF}
    if is_fragment(request):
        out_of_band = OUT_OF_BAND_TEMPLATES if context["me"] else ()
        context = context | {"beside": True}
        return templating.fragment(request, name, "desk", context, status, out_of_band=out_of_band)
    return templating.page(request, name, context | {"beside": False}, status)


def layout_context(reader: CurrentStaff | None) -> dict[str, Any]:
    """What the frame of each page of the desk asks for."""
    if reader is None:
        return {
            "me": None,
            "form_token": "",
            "to_answer": 0,
            "to_mend": 0,
            "to_catch": 0,
            "alerts": (),
        }
    return {
        "me": as_person(reader.staff),
        "form_token": reader.form_token,
        "to_answer": reader.to_answer,
        "to_mend": reader.to_mend,
        "to_catch": reader.to_catch,
        "alerts": reader.alerts,
    }


def is_fragment(request: Request) -> bool:
    """True when htmx asks for a part of the page."""
    return "hx-request" in request.headers


async def read_form(request: Request) -> FormData:
    """What was typed. Files have no place here."""
    return await request.form(max_files=0, max_fields=MAX_FORM_FIELDS)


def field(form: FormData, name: str) -> str:
    """The words of one field, trimmed; empty where it is missing."""
    value = form.get(name, "")
    return value.replace("\x00", "").strip() if isinstance(value, str) else ""


def check_origin(request: Request) -> None:
    """Raises NotAllowed for a form that another site sends.

    Browsers say where a form stands in ``Sec-Fetch-Site`` (W3C Fetch Metadata), older ones in
    ``Origin``; whoever says neither is no browser and brings no sign-in of anybody's.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        is_ours = origin is None or origin == request.app.state.settings.public_url
    if not is_ours:
        raise NotAllowed("This form did not come from our own page, so nothing was done.")


async def _check_form(request: Request) -> None:
    check_origin(request)
    token = field(await read_form(request), "form_token")
    if not is_valid_form_token(request.app.state.settings, request, token):
        raise NotAllowed(
            "This form is from an earlier sign-in, so nothing was done. "
            "Please go back, load the page again and repeat it."
        )


def _door(back: str) -> str:
    return f"/desk/sign-in?back={quote(back)}" if back.startswith("/desk") else "/desk/sign-in"


def _dressed(response: Response) -> Response:
    # Our own forms may say where they stand (Origin is "null" under no-referrer).
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Vary"] = "HX-Request"
    return response


def read_number(words: str, name: str) -> int:
    """A whole number from a hidden field. Raises BadInput where the form was tampered with."""
    if not (words.isascii() and words.isdecimal() and len(words) <= 18):
        raise BadInput(f"Please load the page again: its {name} is missing.")
    return int(words)
