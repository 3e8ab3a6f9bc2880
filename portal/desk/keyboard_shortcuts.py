"""Keyboard shortcuts, which each person can disable (WCAG 2.1, 2.1.4)."""

from datetime import timedelta

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
from portal.web.cookies import set_cookie

COOKIE_LIFETIME = timedelta(days=365)


async def show_shortcuts(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/keys`: the list of shortcuts, and whether they are on."""
    return await answer(request, "desk/shortcuts.html", layout_context(reader))


async def toggle_shortcuts(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/keys`: `keys=on` or `off`; this browser remembers it."""
    del reader
    value = field(await read_form(request), "keys")
    response = RedirectResponse("/desk/keys", 303)
    set_cookie(
        request.app.state.settings,
        response,
        SHORTCUTS_COOKIE,
        SHORTCUTS_OFF if value == SHORTCUTS_OFF else "on",
        lifetime=COOKIE_LIFETIME,
    )
    return response
