"""The keys of the desk, which each person may turn off (WCAG 2.1, 2.1.4)."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.desk.auth.access import KEYS_COOKIE, KEYS_OFF, answer, field, frame, read_form
from portal.desk.auth.current_staff import Reader

A_YEAR = 365 * 24 * 3600


async def show_keys(request: Request, reader: Reader) -> Response:
    """`GET /desk/keys`: which there are, and whether they are on."""
    return answer(request, "desk/keys.html", frame(reader))


async def turn_keys(request: Request, reader: Reader) -> Response:
    """`POST /desk/keys`: `keys=on` or `off`; this browser remembers it."""
    del reader
    wanted = field(await read_form(request), "keys")
    response = RedirectResponse("/desk/keys", 303)
    settings = request.app.state.settings
    response.set_cookie(
        KEYS_COOKIE,
        KEYS_OFF if wanted == KEYS_OFF else "on",
        max_age=A_YEAR,
        path="/desk",
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https:"),
    )
    return response
