"""The headers that every response carries, whoever makes it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.settings import Settings

HSTS_SECONDS = 365 * 24 * 3600
TOO_MANY_REQUESTS = 429
RETRY_AFTER = (b"retry-after", b"60")
"""Seconds; for a 429 that does not say when another call may be allowed."""
DEFAULTS = {
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


def default_headers(settings: Settings) -> dict[bytes, bytes]:
    """The headers of a response that says nothing else; HSTS (RFC 6797) only over https."""
    if not settings.public_url.startswith("https:"):
        return DEFAULTS
    # Not for subdomains, which may be somebody else's.
    return {**DEFAULTS, b"strict-transport-security": f"max-age={HSTS_SECONDS}".encode()}


class ResponseHeaders:
    """Adds each default header that a response does not have. Wraps everything, errors included."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._defaults = default_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._complete(message)}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _complete(self, start: Message) -> list[tuple[bytes, bytes]]:
        headers: list[tuple[bytes, bytes]] = list(start.get("headers", ()))
        present = {name.lower() for name, _ in headers}
        headers += [item for item in self._defaults.items() if item[0] not in present]
        if start["status"] == TOO_MANY_REQUESTS and b"retry-after" not in present:
            headers.append(RETRY_AFTER)
        return headers
