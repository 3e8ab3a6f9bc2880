"""One open stream, and what is written to it."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Send

STREAM_HEADERS: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-robots-tag", b"noindex"),
    ],
}


@dataclass(frozen=True, slots=True)
class Permission:
    """What keeps streams open: ``check`` is asked once for all streams with the same ``key``.

    ``key`` names a link or a sign-in. A check that raises neither ends the streams nor permits
    them: it is asked again with the next comparison.
    """

    key: tuple[str, str]
    check: Callable[[], Awaitable[bool]]


@dataclass(eq=False, slots=True)
class Viewer:
    """An open stream: its way out, the task that serves it, and the last event it was told.

    ``permission`` is asked again and again whether it may stay open.
    """

    send: Send
    task: asyncio.Task[Any]
    permission: Permission | None = None
    sent_version: int | None = None
    latest_version: int = 0
    closed: bool = False

    def close(self) -> None:
        """End the stream; a page takes it up again by itself."""
        if not self.closed:
            self.closed = True
            self.task.cancel()


@dataclass(eq=False, slots=True)
class Topic:
    """All who watch one thing."""

    viewers: set[Viewer] = field(default_factory=set)


def require_coroutine_function(send: Send) -> None:
    """`put` takes one step of what ``send`` returns, which only a coroutine has (PEP 492)."""
    if not inspect.iscoroutinefunction(send):
        raise RuntimeError(
            "Live pages need a server whose ASGI send is a coroutine function, as uvicorn's is."
        )


def put(viewer: Viewer, message: Message) -> None:
    """Write without waiting: a viewer that cannot take it now is let go and catches up later."""
    if viewer.closed:
        return
    step = viewer.send(message)
    try:
        step.send(None)  # type: ignore[attr-defined]
    except StopIteration:
        return
    except Exception:  # noqa: BLE001 (whatever the server raises, the viewer is gone)
        viewer.close()
        return
    step.close()  # type: ignore[attr-defined]
    viewer.close()


def frame(version: int) -> Message:
    """The event of this version."""
    return body(f"id: {version}\nevent: timeline\ndata: {version}\n\n".encode())


def body(data: bytes) -> Message:
    """A piece of the response."""
    return {"type": "http.response.body", "body": data, "more_body": True}
