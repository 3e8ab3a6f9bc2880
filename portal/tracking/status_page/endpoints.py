"""The status page, and the event stream of its changes."""

import re

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from portal.errors import UnknownLink
from portal.live import Permission
from portal.models.requests.tracking_link import TOKEN_LENGTH
from portal.queries.status_page.reader import PageVersion
from portal.tracking.status_page.cache import StatusPageCache
from portal.tracking.status_page.redaction import LINK_ONLY, Visibility
from portal.tracking.status_page.view_models import StatusPage
from portal.tracking.verification.device_cookie import visibility_of
from portal.web import templating
from portal.web.client_address import client_address
from portal.web.stream_limits import MAX_PER_CLIENT, MAX_PER_LINK

COOKIES = (b"kept_device=", b"kept_sent=")
"""The ends of our cookies' names: `portal.web.cookies` may put a prefix before them."""
TOKEN_WITHIN = re.compile(rf"\A[^\w-]{{0,9}}([\w-]{{{TOKEN_LENGTH}}})", re.ASCII)
"""A token with other characters around it."""
MAX_ID_DIGITS = 18
"""Digits of an event's id at most; a longer one is ignored."""


class StatusPageEndpoint:
    """`GET /r/{token}`. Plain ASGI: a view of a cached page only sends it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page, gzipped where the browser accepts it; 404 for an unknown or revoked link.

        A link with characters around its token is redirected to its page.
        """
        token = scope["path_params"]["token"]
        visibility = await self._visibility(scope, token) if _has_cookie(scope) else LINK_ONLY
        cached = await scope["app"].state.status_pages.get_page(token, visibility)
        if cached is None:
            response = await _redirect_to_token(scope, token) or unknown_link(Request(scope))
            await response(scope, receive, send)
            return
        gzipped = _accepts_gzip(scope)
        body = b"" if scope["method"] == "HEAD" else cached.gzipped if gzipped else cached.plain
        await send(cached.gzipped_start if gzipped else cached.plain_start)
        await send({"type": "http.response.body", "body": body})

    @staticmethod
    async def _visibility(scope: Scope, token: str) -> Visibility:
        version = await scope["app"].state.status_pages.find_version(token)
        if version is None:
            return LINK_ONLY
        return await visibility_of(HTTPConnection(scope), version.request_id)


class StatusPageStream:
    """`GET /r/{token}/live`: an event named ``timeline`` for each change of the page.

    ``Last-Event-ID``, else ``since`` in the URL, is the last event that the page shows; without
    either it is the newest event at the time of the call, so that no later one is missed.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the browser closes it or the link is revoked; 404 for an unknown link.

        Raises RateLimited where the link or the client has too many streams.
        """
        request = Request(scope)
        state = request.app.state
        version = await state.status_pages.find_version(request.path_params["token"])
        if version is None:
            await unknown_link(request)(scope, receive, send)
            return
        if request.method == "HEAD":
            head = templating.headers()
            await Response(media_type="text/event-stream", headers=head)(scope, receive, send)
            return
        since = _number(request.headers.get("last-event-id"))
        if since is None:
            since = _number(request.query_params.get("since"))
        if since is None:
            since = version.page_version
        topic = f"request:{version.request_id}"
        token = request.path_params["token"]

        async def is_live() -> bool:
            return await state.status_pages.find_version(token) is not None

        with state.stream_limits.hold(
            (topic, MAX_PER_LINK), (f"client:{client_address(request)}", MAX_PER_CLIENT)
        ):
            await state.live.stream(
                scope,
                receive,
                send,
                topic=topic,
                since=since,
                permission=Permission(("link", token), is_live),
            )


async def open_link(request: Request) -> PageVersion:
    """What the link in the URL opens. Raises UnknownLink."""
    status_pages: StatusPageCache = request.app.state.status_pages
    version = await status_pages.find_version(request.path_params["token"])
    if version is None:
        raise UnknownLink
    return version


async def open_page(request: Request, visibility: Visibility = LINK_ONLY) -> StatusPage:
    """The values of the page behind the link in the URL. Raises UnknownLink."""
    status_pages: StatusPageCache = request.app.state.status_pages
    page = await status_pages.build_page(request.path_params["token"], visibility)
    if page is None:
        raise UnknownLink
    return page


def unknown_link(request: Request) -> HTMLResponse:
    """The answer to an unknown link and to a revoked one: the same 404."""
    return templating.page(request, "tracking/unknown_link.html", {}, 404)


async def show_unknown_link(request: Request, _: Exception) -> Response:
    """The answer to UnknownLink, wherever on a customer's page it is raised."""
    return unknown_link(request)


async def _redirect_to_token(scope: Scope, path: str) -> Response | None:
    """To the page whose token the path contains, as where a phone takes ")." into the link."""
    found = TOKEN_WITHIN.search(path)
    if found is None or found[1] == path:
        return None
    if await scope["app"].state.status_pages.find_version(found[1]) is None:
        return None
    return RedirectResponse(f"/r/{found[1]}", 303, headers=templating.headers())


def _has_cookie(scope: Scope) -> bool:
    return any(
        name == b"cookie" and any(cookie in value for cookie in COOKIES)
        for name, value in scope["headers"]
    )


def _accepts_gzip(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            return b"gzip" in value
    return False


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > MAX_ID_DIGITS:
        return None
    return int(text)
