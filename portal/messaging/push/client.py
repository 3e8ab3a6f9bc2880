"""Sends one notification to a push service, which a browser has named: an untrusted address."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pywebpush import WebPusher

from portal.messaging.push.target import PushTarget

TIMEOUT_SECONDS = 4.0
TIME_TO_LIVE_SECONDS = 86_400
"""How long the push service keeps it for a phone that is off."""

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]


class PushUnavailable(Exception):
    """The push service was not reached, or its address is not a public one."""


class PushClient:
    """Sends notifications. ``post`` gives the HTTP status of one call; by default it is a real one."""

    def __init__(self, post: Post | None = None) -> None:
        self._post = post or self._post_publicly
        self._session: aiohttp.ClientSession | None = None

    async def send(self, target: PushTarget, payload: bytes, authorization: str) -> int:
        """The push service's HTTP status, in one attempt of at most TIMEOUT_SECONDS.

        Only the browser can read the payload (RFC 8291). Raises PushUnavailable.
        """
        keys = {"p256dh": target.p256dh, "auth": target.auth}
        try:
            target.check()
            pusher = WebPusher({"endpoint": target.endpoint, "keys": keys})
            body: bytes = pusher.encode(payload, "aes128gcm")["body"]
            headers = {
                "Authorization": authorization,
                "Content-Encoding": "aes128gcm",
                "Content-Type": "application/octet-stream",
                "TTL": str(TIME_TO_LIVE_SECONDS),
                "Urgency": "high",
            }
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._post(target.endpoint, headers, body)
        except (OSError, TimeoutError, ValueError, aiohttp.ClientError) as error:
            raise PushUnavailable(type(error).__name__) from error

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post_publicly(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=PublicResolver())
            self._session = aiohttp.ClientSession(connector=connector)
        async with self._session.post(
            url, data=body, headers=dict(headers), allow_redirects=False
        ) as answer:
            return answer.status


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only: a name may lead into our own network (SSRF)."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The public addresses. Raises OSError where one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        if not all(ipaddress.ip_address(each["host"]).is_global for each in found):
            raise OSError("not a public address")
        return found

    async def close(self) -> None:
        """End the resolver."""
        await self._resolver.close()
