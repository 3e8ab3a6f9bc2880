"""The reference of `send`: `python -m tests.bench.arq_sender QUEUE URL TEXTS [enqueue]`."""

import asyncio
import sys
from typing import Any

import aiohttp
import uvloop
from arq.connections import RedisSettings, create_pool
from arq.worker import Worker, func

CALLS_AT_ONCE = 200


async def send(context: dict[str, Any], number: int) -> None:
    """One job, one text."""
    form = {"To": f"+1{2_000_000_000 + number}", "From": "+15005550006", "Body": "Acme: hello"}
    async with context["session"].post(context["url"], data=form) as answer:
        await answer.json()


async def main(queue: str, url: str, texts: int, *, enqueue: bool) -> None:
    """Enqueue, or work until ended."""
    redis = RedisSettings.from_dsn(queue)
    if enqueue:
        pool = await create_pool(redis)
        for start in range(0, texts, 100):
            await asyncio.gather(
                *(pool.enqueue_job("send", start + number) for number in range(100))
            )
        await pool.aclose()
        return
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CALLS_AT_ONCE)
    ) as session:
        worker = Worker(
            functions=[func(send, name="send", keep_result=0)],  # type: ignore[arg-type]
            redis_settings=redis, ctx={"session": session, "url": url}, keep_result=0,
            max_jobs=CALLS_AT_ONCE, poll_delay=0.01, log_results=False, handle_signals=True,
        )  # fmt: skip
        await worker.async_run()


if __name__ == "__main__":
    asked = sys.argv[1:]
    uvloop.run(main(asked[0], asked[1], int(asked[2]), enqueue="enqueue" in asked))
