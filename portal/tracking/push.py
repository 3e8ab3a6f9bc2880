"""Notifications instead of texts: the service worker, and the browser's subscription."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from portal.errors import NotAllowed
from portal.i18n.lazy_string import LazyString
from portal.messaging.push.target import PushTarget
from portal.messaging.push.vapid import public_key
from portal.models import CUSTOMER_ACTOR
from portal.operations import subscribe_browser
from portal.queries.requests import lock_by_token
from portal.settings import Settings
from portal.tracking.forms import read_form
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.device_cookie import is_trusted
from portal.web import templating
from portal.web.static_files import static_files

WORKER = "push-worker.js"


async def show_worker(request: Request) -> Response:
    """`GET /r/{token}/push-worker.js`: the service worker, whose scope is this link's page."""
    await open_link(request)
    headers = {
        **templating.headers(),
        "Content-Type": "text/javascript; charset=utf-8",
        "Service-Worker-Allowed": f"/r/{request.path_params['token']}",
    }
    return Response(static_files()[WORKER].body, headers=headers)


async def subscribe(request: Request) -> Response:
    """`POST /r/{token}/push`: `endpoint=` `p256dh=` `auth=`, as a browser's subscription has them.

    Only a trusted browser subscribes: a finder of the link would take the customer's texts away.
    Raises NotAllowed, BadInput and Conflict.
    """
    token = request.path_params["token"]
    version = await open_link(request)
    form = await read_form(request)
    if not await is_trusted(request, version.request_id):
        raise NotAllowed(LazyString("Please enter a code first."))
    target = PushTarget(form.get("endpoint", ""), form.get("p256dh", ""), form.get("auth", ""))
    async with request.app.state.operations.begin(CUSTOMER_ACTOR) as uow:
        service_request = await lock_by_token(uow.session, token)
        key = own_public_key(request.app.state.settings)
        await subscribe_browser(uow, service_request, target, key)
    return JSONResponse({}, headers=templating.headers() | {"Content-Type": "application/json"})


def own_public_key(settings: Settings) -> str:
    """Our public key, under the newest secret key."""
    return public_key(settings.secret_keys[0].get_secret_value())
