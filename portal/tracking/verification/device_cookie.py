"""Whether a browser is known as the customer's, and the cookie by which it is."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from portal import business_time
from portal.models import TRUST_DURATION, TrustedDevice
from portal.queries.trusted_devices import find_device
from portal.settings import Settings
from portal.tracking.status_page.redaction import LINK_ONLY, Visibility
from portal.tracking.verification.recent_uploads_cookie import just_sent
from portal.web import templating

DEVICE_COOKIE = "kept_device"
PATH = "/r/"
LONGEST_SECRET = 64


def read_device_secret(connection: HTTPConnection) -> str | None:
    """What the browser keeps, if it keeps anything that we may have given it."""
    secret = connection.cookies.get(DEVICE_COOKIE, "")
    return secret if 0 < len(secret) <= LONGEST_SECRET else None


async def find_trusted_device(connection: HTTPConnection, request_id: int) -> TrustedDevice | None:
    """The row of this browser, where it has shown a code of this request's customer that still holds."""
    secret = read_device_secret(connection)
    if secret is None:
        return None
    async with connection.app.state.database.reading() as session:
        return await find_device(session, secret, request_id, business_time.now())


async def is_trusted(connection: HTTPConnection, request_id: int) -> bool:
    """True for a browser that has shown a code of this request's customer."""
    return await find_trusted_device(connection, request_id) is not None


async def visibility_of(connection: HTTPConnection, request_id: int) -> Visibility:
    """What this browser may see of this request."""
    if connection.app.state.settings.verify_for == "nothing" or not connection.cookies:
        return LINK_ONLY
    if await is_trusted(connection, request_id):
        return Visibility(known=True)
    return Visibility(own_message_keys=just_sent(connection))


async def may_see_files(connection: HTTPConnection, request_id: int, message_id: int) -> bool:
    """Whether this browser may see what came with this message."""
    if connection.app.state.settings.verify_for == "nothing":
        return True
    visibility = await visibility_of(connection, request_id)
    return visibility.known or str(message_id) in visibility.own_message_keys


def set_device_cookie(settings: Settings, response: Response, secret: str) -> None:
    """Give the browser the secret to keep; it comes back from a link in a text too (Lax)."""
    response.set_cookie(
        DEVICE_COOKIE,
        secret,
        max_age=int(TRUST_DURATION.total_seconds()),
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https:"),
    )


def see_other(url: str) -> Response:
    """On to another page, with the heads that every page has: a Location may be a secret too."""
    return RedirectResponse(url, 303, headers=templating.headers())


def redirect_to_code_form(request: Request, what: str) -> Response:
    """First the code, then ``what`` (a path below the link's) is shown."""
    return see_other(f"/r/{request.path_params['token']}/code?to={what}")
