"""Listens for arq jobs that wake the sender; the database says what to send."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import structlog
from arq.connections import RedisSettings
from arq.typing import WorkerCoroutine
from arq.worker import Worker, func
from redis.exceptions import RedisError

from portal.jobs import DELIVER, QUEUE
from portal.settings import Settings

log = structlog.get_logger()

POLL_SECONDS = 0.1
"""Seconds between two looks at the queue: the most that a text is delayed."""
RETRY_SECONDS = 2.0


async def listen_for_work(settings: Settings, wake: Callable[[], None]) -> None:
    """Call ``wake`` for each job; start again whenever Redis is back."""
    if settings.redis_url is None:
        await asyncio.Event().wait()
    while True:
        try:
            await _run_arq_worker(settings, wake)
        except (RedisError, OSError) as error:
            log.warning("the queue is away; the sweep delivers", error=str(error))
        await asyncio.sleep(RETRY_SECONDS)


async def _run_arq_worker(settings: Settings, wake: Callable[[], None]) -> None:
    async def deliver(context: dict[str, Any], message_id: int) -> None:
        del context, message_id  # Whatever is due, oldest first: the database says what.
        wake()

    redis = RedisSettings.from_dsn(settings.redis_url or "")
    redis.conn_retries = 0
    worker = Worker(
        functions=[func(cast(WorkerCoroutine, deliver), name=DELIVER, keep_result=0, max_tries=1)],
        redis_settings=redis,
        queue_name=QUEUE,
        handle_signals=False,
        max_jobs=100,
        keep_result=0,
        poll_delay=POLL_SECONDS,
        log_results=False,
    )
    try:
        await worker.async_run()
    finally:
        await worker.close()
