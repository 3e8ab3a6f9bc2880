"""Texts sent per second while the provider responds after 50 ms, compared with arq jobs."""

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from portal.business_time import now
from portal.models import Channel, Direction, FollowUp, Message, MessageStatus
from portal.runtime.embedded_redis import EmbeddedRedis
from tests.bench.runner import (
    ROOT,
    Server,
    cpu_seconds,
    databases,
    environment,
    server,
    settings_for,
    table,
    with_organisation,
)
from tests.bench.seed import seed_requests
from tests.support.factories import Organisation

IN_FLIGHT = 200
LATENCY = 0.05
RESPONSE_TIMEOUT_SECONDS = 120.0


def run(options: Any) -> None:
    """Print texts a second and their ratio to the ideal."""
    ideal, rows = IN_FLIGHT / LATENCY, []
    with databases(options) as urls, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kept-queue-")))
        queue = stack.enter_context(EmbeddedRedis(folder)).url
        rows.append(["ideal", "", ideal, 1.0, ""])
        reference = by_arq(queue, options.messages)
        rows.append(["an arq job for each text, aiohttp", "", *_said(reference, ideal)])
        for name, url in urls.items():
            rows.append(["the worker", name, *_said(ours(url, queue, options.messages), ideal)])
    table(
        f"{options.messages:,} texts, {IN_FLIGHT} in flight, answered in 50 ms",
        ["sender", "database", "a second", "of the ideal", "µs of cpu_seconds"],
        rows,
    )


def _said(measured: tuple[float, float], ideal: float) -> list[float]:
    rate, cpu_seconds = measured
    return [rate, rate / ideal, cpu_seconds]


def ours(url: str, queue: str, texts: int) -> tuple[float, float]:
    """The worker, its outbox full: texts a second, and its cpu_seconds's µs for each."""
    with server("provider") as provider:
        settings = settings_for(
            url, REDIS_URL=queue, TWILIO_API_URL=f"http://127.0.0.1:{provider.port}"
        )
        with_organisation(settings, lambda organisation: queue_messages(organisation, texts))
        return _measure([sys.executable, "-m", "workers"], environment(settings), provider, texts)


async def queue_messages(organisation: Organisation, texts: int) -> None:
    """So many texts due now, each to a person of their own; nothing else is owed."""
    await seed_requests(organisation, texts * 8)
    out = sa.and_(col(Message.channel) == Channel.SMS, col(Message.direction) == Direction.OUT)
    due = (
        sa.select(sa.func.min(col(Message.id)))
        .where(out)
        .group_by(col(Message.to_address))
        .order_by(sa.func.min(col(Message.id)))
        .limit(texts)
    )
    async with organisation.database.engine.begin() as connection:
        await connection.execute(sa.update(FollowUp).values(next_at=None))
        await connection.execute(sa.update(Message).values(status=MessageStatus.DELIVERED))
        await connection.execute(
            sa.update(Message)
            .where(col(Message.id).in_(due))
            .values(status=MessageStatus.QUEUED, due_at=now())
        )
    async with organisation.database.engine.begin() as connection:
        await connection.execute(sa.text("ANALYZE message"))


def by_arq(queue: str, texts: int) -> tuple[float, float]:
    """The usual way: a job for each text, as many at once, each calling by aiohttp."""
    with server("provider") as provider:
        url = f"http://127.0.0.1:{provider.port}/Messages.json"
        words = [sys.executable, "-m", "tests.bench.arq_sender", queue, url, str(texts)]
        subprocess.run([*words, "enqueue"], check=True, cwd=ROOT)
        return _measure(words, {"PATH": "/usr/bin:/bin"}, provider, texts)


def _measure(
    words: list[str], told: dict[str, str], provider: Server, texts: int
) -> tuple[float, float]:
    sender = subprocess.Popen(words, env=told, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + RESPONSE_TIMEOUT_SECONDS
        while not _count(provider.port)[0]:
            time.sleep(0.02)
        begun = cpu_seconds(sender.pid)  # Without what starting took.
        while (counted := _count(provider.port))[0] < texts:
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        count, first, last = counted
        return (count - 1) / (last - first or 1), (cpu_seconds(sender.pid) - begun) * 1e6 / max(
            count, 1
        )
    finally:
        sender.send_signal(signal.SIGTERM)
        sender.wait()


def _count(port: int) -> tuple[int, float, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/count") as answer:
        count, first, last = json.load(answer)
    return count, first, last
