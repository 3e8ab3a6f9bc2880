"""Whether a browser is trusted as the customer's, and the cookie that proves it."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from portal import business_time
from portal.models import TRUST_DURATION, TrustedDevice
from portal.queries.trusted_devices import find_device
from portal.settings import Settings
from portal.tracking.status_page.redaction import LINK_ONLY, Visibility
from portal.tracking.verification.recent_uploads_cookie import recently_sent_keys
from portal.web import templating
from portal.web.cookies import delete_cookie, read_cookie, set_cookie

DEVICE_COOKIE = "kept_device"
MAX_SECRET_LENGTH = 64


def read_device_secret(connection: HTTPConnection) -> str | None:
    """The secret in the browser's cookie; None without one of ours."""
    secret = read_cookie(connection, DEVICE_COOKIE)
    return secret if 0 < len(secret) <= MAX_SECRET_LENGTH else None


async def find_trusted_device(connection: HTTPConnection, request_id: int) -> TrustedDevice | None:
    """The device of this browser, where the request's customer trusts it and that has not expired."""
    secret = read_device_secret(connection)
    if secret is None:
        return None
    async with connection.app.state.database.reading() as session:
        return await find_device(session, secret, request_id, business_time.now())


async def is_trusted(connection: HTTPConnection, request_id: int) -> bool:
    """True for a browser that the customer of this request has verified by a code."""
    return await find_trusted_device(connection, request_id) is not None


async def visibility_of(connection: HTTPConnection, request_id: int) -> Visibility:
    """What this browser may see of this request."""
    if connection.app.state.settings.verify_for == "nothing" or not connection.cookies:
        return LINK_ONLY
    if await is_trusted(connection, request_id):
        return Visibility(is_trusted=True)
    return Visibility(own_message_keys=recently_sent_keys(connection))


async def may_see_files(connection: HTTPConnection, request_id: int, message_id: int) -> bool:
    """Whether this browser may see the attachments of this message."""
    if connection.app.state.settings.verify_for == "nothing":
        return True
    visibility = await visibility_of(connection, request_id)
    return visibility.is_trusted or str(message_id) in visibility.own_message_keys


def set_device_cookie(settings: Settings, response: Response, secret: str) -> None:
    """Set the cookie."""
    set_cookie(settings, response, DEVICE_COOKIE, secret, lifetime=TRUST_DURATION)


def delete_device_cookie(settings: Settings, response: Response) -> None:
    """Let the browser forget its secret."""
    delete_cookie(settings, response, DEVICE_COOKIE)


def see_other(url: str) -> Response:
    """A 303 with the headers of every page: its Location may contain a secret."""
    return RedirectResponse(url, 303, headers=templating.headers())


def redirect_to_code_form(request: Request, next_path: str) -> Response:
    """To the code form, which leads on to ``next_path``, a path below the link's."""
    return see_other(f"/r/{request.path_params['token']}/code?to={next_path}")
