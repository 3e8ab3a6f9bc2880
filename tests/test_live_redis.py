"""Open pages are updated whatever others publish to Redis."""

import asyncio
from collections.abc import Iterable

import pytest
from redis import Redis
from starlette.types import Message

from portal.live import CHANNEL, LiveUpdates

SOON = 10
"""Seconds in which an event has come; a test waits so long only when it fails."""
MALFORMED = [b"rubbish", b"\xff\xfe", b"request:1 soon", b"request:1 " + b"9" * 5000, b"\n\n"]


@pytest.mark.parametrize("data", MALFORMED)
async def test_a_malformed_message_does_not_end_the_subscription(queue: str, data: bytes) -> None:
    sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(message: Message) -> None:
        await sent.put(message.get("body", b""))

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def versions(ids: Iterable[int]) -> dict[int, int]:
        return dict.fromkeys(ids, 1)

    live = LiveUpdates(queue, versions)
    await live.start()
    viewer = asyncio.create_task(live.stream({}, receive, send, topic="request:1", since=None))
    try:
        async with asyncio.timeout(SOON):
            with Redis.from_url(queue) as redis:
                while redis.publish(CHANNEL, data) == 0:  # noqa: ASYNC110 (not yet subscribed)
                    await asyncio.sleep(0.01)
            await live.publish(1, 2)
            while b"id: 2" not in await sent.get():
                pass
    finally:
        await live.stop()
        await viewer
