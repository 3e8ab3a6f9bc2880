"""The only home of job names: one typed function a job. Redis only wakes; it holds nothing."""

import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError

log = structlog.get_logger()

QUEUE = "kept:jobs"
DELIVER = "deliver"


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
            log.warning("the queue cannot be reached; the sweep will deliver", error=str(error))

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _connected(self) -> ArqRedis:
        if self._pool is None:
            settings = RedisSettings.from_dsn(self._url or "")
            settings.conn_retries = 0
            self._pool = await create_pool(settings, default_queue_name=QUEUE)
        return self._pool
