"""Keyboard shortcuts, which each person can disable (WCAG 2.1, 2.1.4)."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.desk.auth.access import (
    SHORTCUTS_COOKIE,
    SHORTCUTS_OFF,
    answer,
    field,
    layout_context,
    read_form,
)
from portal.desk.auth.current_staff import CurrentStaff

COOKIE_MAX_AGE_SECONDS = 365 * 24 * 3600


async def show_shortcuts(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/keys`: the list of shortcuts, and whether they are on."""
    return await answer(request, "desk/shortcuts.html", layout_context(reader))


async def toggle_shortcuts(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/keys`: `keys=on` or `off`; this browser remembers it."""
    del reader
    value = field(await read_form(request), "keys")
    response = RedirectResponse("/desk/keys", 303)
    settings = request.app.state.settings
    response.set_cookie(
        SHORTCUTS_COOKIE,
        SHORTCUTS_OFF if value == SHORTCUTS_OFF else "on",
        max_age=COOKIE_MAX_AGE_SECONDS,
        path="/desk",
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https:"),
    )
    return response
