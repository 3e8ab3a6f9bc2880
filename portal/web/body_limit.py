"""The limit of a route's body, refused with a sentence and unread."""

from starlette.datastructures import Headers
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.errors import PortalError
from portal.i18n.lazy_string import LazyString


class BodyTooLarge(PortalError):
    """The body has more bytes than this address takes."""

    status = 413
    title: str = LazyString("That is too much at once")


class BodyLimit:
    """Refuses a body by its Content-Length, else as soon as more than ``max_bytes`` have come.

    Raises BodyTooLarge.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._limited = RequestBodyLimitMiddleware(app, max_body_size=max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        length = content_length(scope)
        if length is None or length <= self._max_bytes:
            await self._limited(scope, receive, send)
            return
        # Under its own limit, Starlette would put a response without a sentence in place of ours.
        await RequestBodyLimitMiddleware(self._refuse, max_body_size=length)(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        raise BodyTooLarge(
            LazyString("Please send at most {most} kB.", most=self._max_bytes // 1000)
        )


def content_length(scope: Scope) -> int | None:
    """The length of the body in bytes; None where the caller does not name it."""
    text = Headers(scope=scope).get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() else None
