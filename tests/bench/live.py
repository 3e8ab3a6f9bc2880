"""An update to every viewer: the time until the last has it, and the cost of each viewer."""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvloop
from sqlmodel import col

from portal.business_time import now
from portal.live import LiveUpdates
from portal.models import ApiKey, Event, EventKind, ServiceRequest, TrackingLink
from portal.runtime.embedded_redis import EmbeddedRedis
from tests.bench.load import get, post
from tests.bench.runner import (
    Server,
    databases,
    percentile,
    server,
    settings_for,
    table,
    with_organisation,
)
from tests.bench.seed import SCENARIOS, seed_requests
from tests.support.factories import Organisation

ROUNDS = 40
REQUESTS = 300
SETTLING = 5
"""Seconds after the last has connected: each is still compared with the database then."""
AT_ONCE = 4
"""Advances under way at a time."""


def run(options: Any) -> None:
    """Print the times and the memory, compared with those of a minimal hub."""
    options.sqlite_only = True  # The database has no part in it but one read of a version.
    with databases(options) as urls, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kept-queue-")))
        queue = stack.enter_context(EmbeddedRedis(folder)).url
        settings = settings_for(urls["SQLite"], REDIS_URL=queue)
        watched, key = with_organisation(settings, some_requests)
        with server("hub") as hub:
            minimal = uvloop.run(_many("a minimal hub", hub, "/", options.viewers, _by_post(hub)))
        token, request_id = watched[0][:2]
        with server("kept", settings) as kept:
            live = LiveUpdates(queue)
            path = f"/r/{token}/live"
            publish = _by_redis(live, request_id)
            ours = uvloop.run(_many("the page's stream", kept, path, options.viewers, publish))
        heads = ["stream", "viewers", "last has it, median ms", "p99 ms", "µs each", "kB each"]
        table("One change, many viewers", heads, [minimal, ours])
        print(f"\np99 compared with the minimal hub: {ours[3] / minimal[3]:.2f}")
        with server("kept", settings) as phones, server("kept", settings) as desk:
            row = uvloop.run(_advances(phones, desk, watched, key))
        heads = ["requests", "advances a second", "median ms", "p99 ms"]
        table("From a click at the desk to an event on the phone", heads, [row])


async def some_requests(organisation: Organisation) -> tuple[list[tuple[str, int, str]], str]:
    """Requests that are just opened: token, id and reference of each; and an API key."""
    await seed_requests(organisation, REQUESTS * len(SCENARIOS))
    key, secret = ApiKey.make("bench", now())
    async with organisation.database.transaction() as session:
        session.add(key)
    moved = sa.select(Event.request_id).where(col(Event.kind) == EventKind.STAGE_COMPLETED)
    query = (
        sa.select(col(TrackingLink.token), col(ServiceRequest.id), col(ServiceRequest.reference))
        .join(ServiceRequest, col(ServiceRequest.id) == col(TrackingLink.request_id))
        .where(col(ServiceRequest.id).not_in(moved))
        .limit(REQUESTS)
    )
    async with organisation.database.connection() as connection:
        return [tuple(row) for row in await connection.execute(query)], secret


class Viewer(asyncio.Protocol):
    """One open stream; notes when an event came."""

    def __init__(self, call: bytes) -> None:
        self.call = call
        self.open = asyncio.get_running_loop().create_future()
        self.told = asyncio.get_running_loop().create_future()
        self.at = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.call)

    def data_received(self, data: bytes) -> None:
        if b"event: timeline" in data:
            self.at = time.perf_counter()
            if not self.told.done():
                self.told.set_result(None)
        elif (b"retry:" in data or b": hello" in data) and not self.open.done():
            self.open.set_result(None)

    def again(self) -> None:
        """Wait for the next event."""
        self.told = asyncio.get_running_loop().create_future()


async def _watch(port: int, paths: Sequence[str]) -> list[Viewer]:
    loop = asyncio.get_running_loop()
    viewers: list[Viewer] = []
    for start in range(0, len(paths), 100):
        made = [
            loop.create_connection(partial(Viewer, get(path)), "127.0.0.1", port)
            for path in paths[start : start + 100]
        ]
        fresh = [viewer for _, viewer in await asyncio.gather(*made)]
        await asyncio.gather(*(viewer.open for viewer in fresh))
        viewers += fresh
    return viewers


async def _many(title: str, of: Server, path: str, count: int, publish: Any) -> list[Any]:
    warm = await _watch(of.port, [path] * 20)
    before = of.resident_bytes
    viewers = await _watch(of.port, [path] * count)
    await asyncio.sleep(SETTLING)
    each = (of.resident_bytes - before) / count / 1000
    times, spent = [], of.cpu_seconds
    for number in range(ROUNDS):
        for viewer in viewers:
            viewer.again()
        begun = time.perf_counter()
        await publish(number + 1)
        await asyncio.gather(*(viewer.told for viewer in viewers))
        times.append((max(viewer.at for viewer in viewers) - begun) * 1000)
        await asyncio.sleep(0.02)
    spent = (of.cpu_seconds - spent) / ROUNDS / count * 1e6
    for viewer in (*warm, *viewers):
        viewer.transport.close()
    return [title, count, percentile(times, 0.5), percentile(times, 0.99), spent, each]


def _by_post(hub: Server) -> Any:
    async def publish(number: int) -> None:
        frame = f"id: {number}\nevent: timeline\ndata: {number}\n\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(post("/", frame, "text/plain"))
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    return publish


def _by_redis(live: LiveUpdates, request_id: int) -> Any:
    async def publish(number: int) -> None:
        await live.publish(request_id, 2 + number)

    return publish


async def _advances(
    phones: Server, desk: Server, watched: Sequence[tuple[str, int, str]], key: str
) -> list[Any]:
    viewers = await _watch(phones.port, [f"/r/{token}/live" for token, _, _ in watched])
    supply = iter(zip(viewers, watched, strict=True))
    sent: dict[int, float] = {}

    async def advance() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
        for viewer, (_, request_id, reference) in supply:
            sent[request_id] = time.perf_counter()
            body = json.dumps({}).encode()
            path = f"/api/v1/requests/{reference}/advance"
            writer.write(post(path, body, "application/json", f"Authorization: Bearer {key}"))
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise RuntimeError(head.decode())
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            await viewer.told
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(advance() for _ in range(AT_ONCE)))
    took = time.perf_counter() - begun
    times = [
        (viewer.at - sent[request_id]) * 1000
        for viewer, (_, request_id, _) in zip(viewers, watched, strict=True)
    ]
    return [len(viewers), len(viewers) / took, percentile(times, 0.5), percentile(times, 0.99)]
