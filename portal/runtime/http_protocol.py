"""The server's side of a connection, with an end to waiting: uvicorn's protocol has none for heads."""

import asyncio
import resource
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from portal.web.response_headers import DEFAULTS

RESERVED_FILES = 100
"""Open files that are kept for databases, Redis, attachments and the log."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of one process.

    ``head_seconds`` is the time for the head of a call, and for the rest of a body that is not read.
    ``stall_seconds`` is the time in which a client must take something of a response.
    """

    max_connections: int = 10_000
    head_seconds: float = 20
    max_head_bytes: int = 32_000
    stall_seconds: float = 60


def bounded_protocol(limits: ConnectionLimits) -> type[HttpToolsProtocol]:
    """The protocol class with these limits, for `uvicorn.Config`."""
    return type("BoundedHttpProtocol", (BoundedHttpProtocol,), {"limits": limits})


def available_connections(wanted: int) -> int:
    """How many of the wanted connections the limit of open files allows; raises it as far as needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED_FILES
    if resource.RLIM_INFINITY != soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - RESERVED_FILES))


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses a connection too many (503), a head that is too large (431) or too slow (408).

    It also closes a connection whose client sends the rest of a refused body too slowly, and one
    whose client takes nothing of its response.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_in_head = False
        self._is_in_body = False
        self._has_ended_a_part = False  # a head or a body, in what has just arrived
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if it is not one too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections. Please try again.")
            return
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._cancel_deadline()
        if self._stall is not None:
            self._stall.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived, and watch what is still to come."""
        if self.transport.is_closing():
            return
        self._has_ended_a_part = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_in_head and not self._has_ended_a_part:
            # The parser collects a line until it ends, so its bytes are counted as they come.
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.max_head_bytes:
                self._refuse_head()
                return
        if self._is_in_head or self._is_response_complete:
            self._start_deadline()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is complete, and may still be too large: it can arrive in one piece."""
        self._is_in_head, self._is_in_body, self._has_ended_a_part = False, True, True
        self._cancel_deadline()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.limits.max_head_bytes:
            self._refuse_head()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on, unless the call was refused by its head."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is complete, whether or not anybody reads it."""
        self._is_in_body, self._has_ended_a_part = False, True
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The response is sent; the rest of a body that was not read gets a last time."""
        super().on_response_complete()
        if self._is_in_body:
            self._start_deadline()

    def pause_writing(self) -> None:
        """The client takes less than is sent."""
        super().pause_writing()
        self._stall = self.loop.call_later(self.limits.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes the response again."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    @property
    def _is_response_complete(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's annotation leaves None out
        return cycle is None or cycle.response_complete

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.limits.head_seconds, self._close_late)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close_late(self) -> None:
        if self._is_in_head and self._is_response_complete:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The call did not arrive in time.")
        else:
            self._close()

    def _refuse_head(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of this call is too large."
        )

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Answer without the application, and close."""
        headers = {
            **DEFAULTS,
            b"content-type": b"text/plain; charset=utf-8",
            b"content-length": str(len(sentence)).encode(),
            b"connection": b"close",
        }
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers[b"retry-after"] = b"15"
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in headers.items()]
        self.transport.write(b"\r\n".join([*lines, b"", sentence.encode()]))
        self._close()

    def _close(self) -> None:
        self.transport.close()
        # A client that takes nothing would keep the closing connection open.
        self.loop.call_later(self.limits.stall_seconds, self.transport.abort)
