"""The only home of job names: one typed function a job. Redis only wakes; it holds nothing.

Jobs are JSON, so whoever can write to Redis can wake a worker, and no more.
"""

import json
from typing import Any

import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError

log = structlog.get_logger()

QUEUE = "kept:jobs"
DELIVER = "deliver"


def encode_job(job: dict[str, Any]) -> bytes:
    """The JSON of a job or of its result, for arq; what JSON has no type for is written as text."""
    return json.dumps(job, default=str).encode()


def decode_job(data: bytes) -> dict[str, Any]:
    """The job in ``data``, in arq's form. Raises ValueError for anything that Kept does not write."""
    job = json.loads(data)
    if not isinstance(job, dict) or job.get("f") != DELIVER or job.get("k") != {}:
        raise ValueError("This is no job of Kept.")
    arguments, enqueued_at = job.get("a"), job.get("et")
    if not isinstance(arguments, list) or [type(value) for value in arguments] != [int]:
        raise ValueError("The job has other arguments than one id.")
    if type(enqueued_at) is not int or job.get("t") is not None:
        raise ValueError("The job has no time, or counts its tries.")
    return job


class JobQueue:
    """Wakes workers. Losing a call costs one sweep's delay, so a Redis that is away is no error."""

    def __init__(self, redis_url: str | None) -> None:
        self._url = redis_url
        self._pool: ArqRedis | None = None

    async def deliver(self, message_ids: list[int]) -> None:
        """These messages are in the outbox now. One wake-up serves them all."""
        if not message_ids or self._url is None:
            return
        try:
            pool = await self._connected()
            await pool.enqueue_job(DELIVER, message_ids[0], _queue_name=QUEUE)
        except (RedisError, OSError) as error:
            log.warning(
                "the queue cannot be reached; the sweep will deliver", error=type(error).__name__
            )

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _connected(self) -> ArqRedis:
        if self._pool is None:
            settings = RedisSettings.from_dsn(self._url or "")
            settings.conn_retries = 0
            self._pool = await create_pool(
                settings,
                default_queue_name=QUEUE,
                job_serializer=encode_job,
                job_deserializer=decode_job,
            )
        return self._pool
