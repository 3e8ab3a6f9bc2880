"""The page behind the link, and the stream that says when it has changed."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from portal.tracking.status_page.redaction import LINK_ONLY, Visibility
from portal.tracking.verification.device_cookie import visibility_of
from portal.web import templating

COOKIE_PREFIX = b"kept_"
"""How the names of ours begin."""
MAX_ID_DIGITS = 18
"""Digits of an event's id; anything longer is none of ours."""


class StatusPageEndpoint:
    """`GET /r/{token}`. Plain ASGI: a view of a kept page does nothing but send it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page, packed where the browser takes that; 404 where the link opens nothing."""
        token = scope["path_params"]["token"]
        visibility = await self._sight(scope, token) if _has_cookie(scope) else LINK_ONLY
        kept = await scope["app"].state.status_pages.find_cached(token, visibility)
        if kept is None:
            await unknown_link(Request(scope))(scope, receive, send)
            return
        gzipped = _takes_gzip(scope)
        body = b"" if scope["method"] == "HEAD" else kept.gzipped if gzipped else kept.plain
        await send(kept.gzipped_start if gzipped else kept.plain_start)
        await send({"type": "http.response.body", "body": body})

    @staticmethod
    async def _sight(scope: Scope, token: str) -> Visibility:
        version = await scope["app"].state.status_pages.find_version(token)
        if version is None:
            return LINK_ONLY
        return await visibility_of(HTTPConnection(scope), version.request_id)


class StatusPageStream:
    """`GET /r/{token}/live`: an event named ``timeline`` for each change of the page.

    ``Last-Event-ID``, else ``since`` in the address, is the last event that the page has had;
    without either it is the one at which the call came in, so that nothing after it is missed.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the viewer leaves; 404 where the link opens nothing."""
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
        await state.live.stream(scope, receive, send, topic=topic, since=since)


def unknown_link(request: Request) -> HTMLResponse:
    """The answer to a link that was never given out and to one that was taken back."""
    return templating.page(request, "tracking/unknown_link.html", {}, 404)


def _has_cookie(scope: Scope) -> bool:
    return any(name == b"cookie" and COOKIE_PREFIX in told for name, told in scope["headers"])


def _takes_gzip(scope: Scope) -> bool:
    for name, told in scope["headers"]:
        if name == b"accept-encoding":
            return b"gzip" in told
    return False


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > MAX_ID_DIGITS:
        return None
    return int(text)
