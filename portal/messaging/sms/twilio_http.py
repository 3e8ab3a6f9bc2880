"""The transport under Twilio's SDK: our own session, and whether a call has written anything."""

import base64
import logging
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import aiohttp
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response


class TwilioHttp(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's transport, signing in by a header: aiohttp warns of the object that it uses."""

    async def request(
        self, *args: Any, auth: tuple[str, str] | None = None, **kwargs: Any
    ) -> Response:
        """Make one call; ``auth`` is sent as HTTP Basic (RFC 7617)."""
        if auth:
            word = base64.b64encode(":".join(auth).encode()).decode()
            kwargs["headers"] = {**kwargs.get("headers", {}), "Authorization": f"Basic {word}"}
        return await super().request(*args, **kwargs)


wire: ContextVar[SimpleNamespace] = ContextVar("wire")
"""Whether the current call of this task has sent anything yet."""

quiet_log = logging.getLogger("portal.messaging.twilio")
quiet_log.setLevel(logging.WARNING)  # The SDK would log numbers and texts at INFO.


def trace_config() -> aiohttp.TraceConfig:
    """Record when the head of a request is sent: before that, nothing can have been accepted."""

    async def written(*_: object) -> None:
        wire.get().written = True

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(written)
    return tracing
