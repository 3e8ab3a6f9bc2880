"""One worker process: its resources, and its jobs, which run concurrently."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal.database import Database
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
from workers.sweep import Sweep

log = structlog.get_logger()

SHUTDOWN_SECONDS = 15.0
"""Seconds to finish what is being sent at the end; longer than one call may take."""


class Worker:
    """Opens the database and the gateways, runs all jobs, and closes what it opened.

    The jobs do not need each other: without Redis nothing wakes the sender, which looks for due
    messages by itself every few seconds.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = f"{socket.gethostname()}:{os.getpid()}"[:120]
        self.database = Database(settings.database_url)
        self.jobs = JobQueue(settings.redis_url)
        self.live = LiveUpdates(settings.redis_url)
        self.operations = Operations(settings, self.database, self.jobs, self.live)
        self.gateways = create_gateways(settings, self.database)
        self.channel_senders = [
            ChannelSender(self.operations, gateway) for gateway in self.gateways.all()
        ]
        self.sweep = Sweep(self.operations, self.wake, self.name)
        self.dropped_ball_detector = DroppedBallDetector(self.operations, self.wake)
        self.duration_measurer = DurationMeasurer(self.database)
        self.reconciler = Reconciler(self.operations, self.gateways)
        self.receipt_poller = ReceiptPoller(self.operations, self.gateways)
        self.media_client = create_media_client(settings)
        self.media_fetcher = MediaFetcher(self.operations, self.media_client)

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

        A round that has begun is finished: a cancellation in the middle of a database call can
        block the driver (aiosqlite) for ever.
        """
        shutdown = asyncio.Event()
        loops = [
            *(sender.run(shutdown) for sender in self.channel_senders),
            self._repeat(self.sweep.once, shutdown),
            self._repeat(self.dropped_ball_detector.once, shutdown),
            self._repeat(self.duration_measurer.once, shutdown),
            # Apart from the sweep: a slow provider must not delay the rest.
            self._repeat(self.reconciler.once, shutdown),
            self._repeat(self.receipt_poller.once, shutdown),
            self._repeat(self.media_fetcher.once, shutdown),
        ]
        tasks = {asyncio.create_task(task) for task in loops}
        queue_listener = asyncio.create_task(listen_for_work(self.settings, self.wake))
        stop_task = asyncio.create_task(_wait_for(stop_event))
        log.info("the worker is at work", worker=self.name)
        waited_for = {stop_task, queue_listener, *tasks}
        done, _ = await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        shutdown.set()
        self.wake()
        queue_listener.cancel()
        await _finish(tasks)
        await asyncio.gather(*(sender.finish(SHUTDOWN_SECONDS) for sender in self.channel_senders))
        stop_task.cancel()
        for task in done - {stop_task}:
            task.result()  # A job never ends by itself: its error ends the process.

    def wake(self) -> None:
        """Something may be due to be sent."""
        for sender in self.channel_senders:
            sender.wake()

    async def _repeat(self, job: Callable[[], Awaitable[None]], shutdown: asyncio.Event) -> None:
        """Run it every ``KEPT_SWEEP_SECONDS`` seconds until ``shutdown``, whatever it raises."""
        while not shutdown.is_set():
            try:
                await job()
            except (SQLAlchemyError, OSError) as error:
                log.warning("a job could not be finished", error=type(error).__name__)
            except Exception as error:
                log.exception("a job failed with an error", error=repr(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.sweep_seconds):
                    await shutdown.wait()


async def _finish(tasks: set[asyncio.Task[None]]) -> None:
    """Let the jobs end their round; cancel what takes too long, as often as it takes."""
    _, unfinished = await asyncio.wait(tasks, timeout=SHUTDOWN_SECONDS)
    while unfinished:
        for task in unfinished:
            task.cancel()
        _, unfinished = await asyncio.wait(unfinished, timeout=1)


async def _wait_for(stop_event: asyncio.Event) -> None:
    await stop_event.wait()
