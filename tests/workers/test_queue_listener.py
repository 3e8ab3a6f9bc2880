"""Redis holds nothing that a worker trusts: malformed and foreign jobs are dropped."""

import asyncio
import json
import os
import pickle
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from structlog.testing import capture_logs

from portal.jobs import DELIVER, QUEUE, JobQueue, decode_job
from portal.settings import Settings
from workers import queue_listener
from workers.queue_listener import listen_for_work

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    # arq closes its connections by a method that redis-py is about to rename, and leaves those open
    # that a cancelled call had.
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]

SOON = 10
"""Seconds in which a wake-up has come; a test waits so long only when it fails."""


class Malicious:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def job(**changes: Any) -> bytes:
    """A job as Kept writes it, with changes."""
    return json.dumps({"t": None, "f": DELIVER, "a": [1], "k": {}, "et": 1} | changes).encode()


@pytest.fixture
async def woken(
    settings: Settings, queue: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncio.Event]:
    """Set for each wake-up that the listener has received."""
    monkeypatch.setattr(queue_listener, "RETRY_SECONDS", 0.05)
    woken = asyncio.Event()
    listening = asyncio.create_task(
        listen_for_work(settings.model_copy(update={"redis_url": queue}), woken.set)
    )
    yield woken
    assert not listening.done()
    while not listening.done():
        listening.cancel()  # arq may lose one while a job ends.
        await asyncio.wait({listening}, timeout=2)


async def wake(queue: str, woken: asyncio.Event) -> None:
    """Enqueue a job as a web process does, and wait for the wake-up."""
    woken.clear()
    jobs = JobQueue(queue)
    try:
        async with asyncio.timeout(SOON):
            await jobs.deliver([7])
            await woken.wait()
    finally:
        await jobs.close()


def put(queue: str, data: bytes, job_id: bytes = b"foreign") -> None:
    """Put a job into the queue, as anybody could who can write to Redis."""
    with Redis.from_url(queue) as redis:
        redis.set(b"arq:job:" + job_id, data)
        redis.zadd(QUEUE, {job_id: 1})


async def taken(queue: str) -> None:
    """Wait until the queue is empty."""
    with Redis.from_url(queue) as redis:
        async with asyncio.timeout(SOON):
            while redis.exists(QUEUE):  # noqa: ASYNC110 (Redis has no event for it)
                await asyncio.sleep(0.01)


async def test_a_pickled_job_does_not_run(queue: str, woken: asyncio.Event, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    malicious = {"t": None, "f": DELIVER, "a": (Malicious(ran),), "k": {}, "et": 1}
    with capture_logs() as lines:
        put(queue, pickle.dumps(malicious))
        await taken(queue)
    assert not ran.exists()
    assert [line["event"] for line in lines] == ["a job that Kept did not write was dropped"]
    await wake(queue, woken)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        job(f="os.system"),
        job(f=[1]),
        job(a="12"),
        job(a=[1, 2]),
        job(a=["1"]),
        job(k={"x": 1}),
        job(t="first"),
        job(et="now"),
    ],
)
async def test_a_malformed_job_is_dropped_and_the_listener_goes_on(
    queue: str, woken: asyncio.Event, data: bytes
) -> None:
    put(queue, data)
    await taken(queue)
    assert not woken.is_set()
    await wake(queue, woken)


async def test_a_job_id_that_is_no_text_is_dropped(queue: str, woken: asyncio.Event) -> None:
    put(queue, job(), job_id=b"\xff\xff")
    await taken(queue)
    await wake(queue, woken)


async def test_a_queue_of_another_type_is_emptied(queue: str, woken: asyncio.Event) -> None:
    with Redis.from_url(queue) as redis:
        redis.set(QUEUE, "rubbish")
    await taken(queue)
    await wake(queue, woken)


async def test_jobs_are_json(queue: str, settings: Settings) -> None:
    jobs = JobQueue(queue)
    await jobs.deliver([7])
    await jobs.close()
    with Redis.from_url(queue) as redis:
        (name,) = redis.keys("arq:job:*")
        assert decode_job(redis.get(name))["a"] == [7]
