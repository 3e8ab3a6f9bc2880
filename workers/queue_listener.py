"""Listens for arq jobs that wake the sender; the database says what to send."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import structlog
from arq.connections import RedisSettings, create_pool
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from portal.jobs import DELIVER, QUEUE, decode_job, encode_job
from portal.settings import Settings

log = structlog.get_logger()

POLL_SECONDS = 0.1
"""Seconds between two looks at the queue: the most that a text is delayed."""
RETRY_SECONDS = 2.0


IGNORE = "ignore"
"""The job that takes the place of one that cannot be read."""


async def listen_for_work(settings: Settings, wake: Callable[[], None]) -> None:
    """Call ``wake`` for each job; start again whenever Redis is back.

    Never ends, whatever others have written to Redis: a malformed job is dropped, and a queue that
    cannot be read at all is emptied.
    """
    if settings.redis_url is None:
        await asyncio.Event().wait()
    while True:
        try:
            await _arq(settings, wake)
        except Exception as error:  # noqa: BLE001 (a job may hold anything)
            if _is_unreadable(error):
                log.warning("the queue cannot be read; emptying it", error=type(error).__name__)
                await _empty(settings)
                wake()
            else:
                log.warning("the queue is away; the sweep delivers", error=type(error).__name__)
        await asyncio.sleep(RETRY_SECONDS)


def _is_unreadable(error: Exception) -> bool:
    """Whether the content of the queue is at fault; subclasses of ResponseError are about Redis."""
    return not isinstance(error, RedisError | OSError) or type(error) is ResponseError


async def _empty(settings: Settings) -> None:
    with suppress(RedisError, OSError):
        async with Redis.from_url(settings.redis_url or "") as redis:
            await redis.delete(QUEUE)


def _decode_or_ignore(data: bytes) -> dict[str, Any]:
    """The job, or one that does nothing: arq would log a traceback, or end, for what is malformed."""
    try:
        return decode_job(data)
    except (ValueError, RecursionError):
        log.warning("a job that Kept did not write was dropped")
        return {"f": IGNORE, "a": [], "k": {}, "t": None, "et": 0}


async def _ignore(context: dict[str, Any]) -> None:
    del context


async def _arq(settings: Settings, wake: Callable[[], None]) -> None:
    async def deliver(context: dict[str, Any], message_id: int) -> None:
        del context, message_id  # The database says what is due, oldest first.
        wake()

    redis = RedisSettings.from_dsn(settings.redis_url or "")
    redis.conn_retries = 0
    jobs: dict[str, Any] = {DELIVER: deliver, IGNORE: _ignore}
    pool = await create_pool(redis, default_queue_name=QUEUE)
    worker = Worker(
        functions=[
            func(cast(WorkerCoroutine, job), name=name, keep_result=0, max_tries=1)
            for name, job in jobs.items()
        ],
        redis_pool=pool,
        queue_name=QUEUE,
        job_serializer=encode_job,
        job_deserializer=_decode_or_ignore,
        handle_signals=False,
        max_jobs=100,
        keep_result=0,
        poll_delay=POLL_SECONDS,
        log_results=False,
    )
    try:
        await worker.async_run()
    finally:
        try:
            await worker.close()
        finally:
            # arq leaves the connections open where it ends in the middle of a job.
            await pool.aclose(close_connection_pool=True)
