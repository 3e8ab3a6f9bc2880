"""An end to waiting for the body of a call."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MIN_BYTES_PER_SECOND = 16_000
"""Slower than any phone that can send a photo."""


class BodyTimeout:
    """Ends a call whose body does not arrive in time, as if the caller had hung up.

    A body has ``seconds``, and one more for each MIN_BYTES_PER_SECOND that have arrived.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] == "http":
            receive = _TimedBody(receive, self._seconds).receive
        await self._app(scope, receive, send)


class _TimedBody:
    """The body of one call. Its time runs from the first read."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._deadline: float | None = None
        self._is_complete = False

    async def receive(self) -> Message:
        """The next piece; ``http.disconnect`` where it comes too late."""
        if self._is_complete:
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self._is_complete = True
            return {"type": "http.disconnect"}
        self._deadline += len(message.get("body", b"")) / MIN_BYTES_PER_SECOND
        self._is_complete = not message.get("more_body", False)
        return message
