"""One worker process: what it opens, and its rounds side by side."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog

from portal.database import Database
from portal.database_errors import describe, is_database_away
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.operations import Operations
from portal.settings import Settings
from workers.delivery.deliver import ChannelSender
from workers.delivery.gateways import create_gateways
from workers.detect_dropped_balls import DroppedBallDetector
from workers.fetch_media import MediaFetcher, create_media_client
from workers.measure_durations import DurationMeasurer
from workers.poll_receipts import ReceiptPoller
from workers.queue_listener import listen_for_work
from workers.reconcile import Reconciler
from workers.retention import DailyRetention
from workers.sweep import Sweep

log = structlog.get_logger()

SHUTDOWN_SECONDS = 15.0
"""Seconds to end the rounds and finish what is being sent; longer than one call may take, and less
than the supervisor waits."""
MIN_FINISH_SECONDS = 1.0
"""Seconds to record what has been sent, however long the rounds took."""


class Worker:
    """Opens the database and the gateways, runs all rounds, and closes what it opened.

    The rounds do not need each other: without Redis nothing wakes the sender, which looks for due
    messages by itself every few seconds.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = f"{socket.gethostname()}:{os.getpid()}"[:120]
        self.database = Database(settings.database_url, settings.database_pool_size)
        self.jobs = JobQueue(settings.redis_url)
        self.live = LiveUpdates(settings.redis_url)
        self.operations = Operations(settings, self.database, self.jobs, self.live)
        self.gateways = create_gateways(settings, self.database)
        self.channel_senders = [
            ChannelSender(self.operations, gateway) for gateway in self.gateways.all()
        ]
        self.sweep = Sweep(self.operations, self.wake, self.name)
        self.detector = DroppedBallDetector(self.operations, self.wake)
        self.duration_measurer = DurationMeasurer(self.database)
        self.reconciler = Reconciler(self.operations, self.gateways)
        self.receipt_poller = ReceiptPoller(self.operations, self.gateways)
        self.retention = DailyRetention(self.operations)
        self.media_client = create_media_client(settings)
        self.media_fetcher = MediaFetcher(self.operations, self.media_client)
        self.is_stuck = False
        """Whether a round goes on after the end, such as in a database call that waits for a lock."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.media_client is not None:
            await self.media_client.close()
        await self.gateways.close()
        await self.live.stop()
        await self.jobs.close()
        await self.database.close()

    async def until(self, stop_event: asyncio.Event) -> None:
        """Work until ``stop_event`` is set; then claim nothing more and finish what is being sent.

        A round that has begun is finished. What is cancelled because it takes too long may not even
        end then: see ``is_stuck``.
        """
        ending = asyncio.Event()
        named = {
            "sweep": self.sweep.once,
            "detection": self.detector.once,
            "durations": self.duration_measurer.once,
            # Apart from the sweep: a slow provider must not delay the rest.
            "reconciliation": self.reconciler.once,
            "receipts": self.receipt_poller.once,
            "media": self.media_fetcher.once,
            "retention": self.retention.once,
        }
        rounds = {
            asyncio.create_task(self._rounds(once, ending), name=name)
            for name, once in named.items()
        }
        rounds |= {
            asyncio.create_task(channel_sender.run(ending), name="sending")
            for channel_sender in self.channel_senders
        }
        listening = asyncio.create_task(listen_for_work(self.settings, self.wake))
        stopping = asyncio.create_task(_wait_for(stop_event))
        log.info("the worker is at work", worker=self.name)
        tasks = {stopping, listening, *rounds}
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        self.wake()
        listening.cancel()
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        await self._end(rounds)
        left = max(deadline - time.monotonic(), MIN_FINISH_SECONDS)
        await asyncio.gather(
            *(channel_sender.finish(left) for channel_sender in self.channel_senders)
        )
        stopping.cancel()
        for task in done - {stopping}:
            task.result()  # Rounds never end by themselves: let the error end the process.

    async def _end(self, rounds: set[asyncio.Task[None]]) -> None:
        """Let each round end; cancel what takes too long.

        Once: SQLAlchemy ends the connection of a database call that is cancelled, and a second
        cancellation meanwhile leaves its driver (aiosqlite) waiting for ever.
        """
        _, going = await asyncio.wait(rounds, timeout=SHUTDOWN_SECONDS)
        for round_ in going:
            log.warning("a round did not end in time", round=round_.get_name())
            round_.cancel()
        if going:
            _, going = await asyncio.wait(going, timeout=MIN_FINISH_SECONDS)
        self.is_stuck = bool(going)

    def wake(self) -> None:
        """Something may be due to be sent."""
        for channel_sender in self.channel_senders:
            channel_sender.wake()

    async def _rounds(self, once: Callable[[], Awaitable[None]], ending: asyncio.Event) -> None:
        """Run it every ``KEPT_SWEEP_SECONDS`` seconds until ``ending``, whatever it raises."""
        while not ending.is_set():
            try:
                await once()
            except Exception as error:
                if is_database_away(error):
                    log.warning("a round waits for the database", reason=describe(error))
                else:
                    log.exception("a round failed", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.sweep_seconds):
                    await ending.wait()


async def _wait_for(stop_event: asyncio.Event) -> None:
    await stop_event.wait()
