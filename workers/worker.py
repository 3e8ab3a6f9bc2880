"""One worker's shift: everything it needs, and its duties side by side."""

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
from portal.jobs import Jobs
from portal.live import Live
from portal.operations import Relay
from portal.settings import Settings
from workers.delivery.deliver import Courier
from workers.delivery.gateways import open_doors
from workers.detect_dropped_balls import Watch
from workers.fetch_media import Fetcher, open_media
from workers.measure_durations import Measurer
from workers.poll_receipts import Inquirer
from workers.queue_listener import listen_for_work
from workers.reconcile import Reconciler
from workers.sweep import Sweep

log = structlog.get_logger()

FAREWELL = 15.0
"""Seconds to finish what is being sent when the shift ends; longer than one call may take."""


class Shift:
    """Opens the database and the ways out, does all duties, and closes what it opened.

    The duties do not need each other: with Redis away nobody wakes the courier, and it finds
    its work by itself every few seconds.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = f"{socket.gethostname()}:{os.getpid()}"[:120]
        self.database = Database(settings.database_url)
        self.jobs = Jobs(settings.redis_url)
        self.live = Live(settings.redis_url)
        self.relay = Relay(settings, self.database, self.jobs, self.live)
        self.doors = open_doors(settings, self.database)
        self.couriers = [Courier(self.relay, door) for door in self.doors.all()]
        self.sweep = Sweep(self.relay, self.wake, self.name)
        self.watch = Watch(self.relay, self.wake)
        self.measurer = Measurer(self.database)
        self.reconciler = Reconciler(self.relay, self.doors)
        self.inquirer = Inquirer(self.relay, self.doors)
        self.media = open_media(settings)
        self.fetcher = Fetcher(self.relay, self.media)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.media is not None:
            await self.media.close()
        await self.doors.close()
        await self.live.stop()
        await self.jobs.close()
        await self.database.close()

    async def until(self, leaving: asyncio.Event) -> None:
        """Work until ``leaving`` is set; then claim nothing more and finish what is under way.

        A round that has been begun is ended, not broken off: a cancellation in the middle of a
        call to the database can leave the driver (aiosqlite) waiting for ever.
        """
        ending = asyncio.Event()
        work = [
            *(courier.run(ending) for courier in self.couriers),
            self._rounds(self.sweep.once, ending),
            self._rounds(self.watch.once, ending),
            self._rounds(self.measurer.once, ending),
            # Apart from the sweep: a slow provider must not hold up what does not need it.
            self._rounds(self.reconciler.once, ending),
            self._rounds(self.inquirer.once, ending),
            self._rounds(self.fetcher.once, ending),
        ]
        duties = {asyncio.create_task(one) for one in work}
        listening = asyncio.create_task(listen_for_work(self.settings, self.wake))
        told = asyncio.create_task(_told(leaving))
        log.info("the worker is at work", worker=self.name)
        over = {told, listening, *duties}
        done, _ = await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        self.wake()
        listening.cancel()
        await _end(duties)
        await asyncio.gather(*(courier.finish(FAREWELL) for courier in self.couriers))
        told.cancel()
        for duty in done - {told}:
            duty.result()  # A duty never ends by itself: let its error end the process.

    def wake(self) -> None:
        """Something may be due to be sent."""
        for courier in self.couriers:
            courier.wake()

    async def _rounds(self, once: Callable[[], Awaitable[None]], ending: asyncio.Event) -> None:
        """Do it every ``KEPT_SWEEP_EVERY`` seconds until ``ending``, and survive what it meets."""
        while not ending.is_set():
            try:
                await once()
            except (SQLAlchemyError, OSError) as error:
                log.warning("a duty could not be finished", error=type(error).__name__)
            except Exception as error:
                log.exception("a duty met an error", error=repr(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.sweep_every):
                    await ending.wait()


async def _end(duties: set[asyncio.Task[None]]) -> None:
    """Let them end the round they are in; break off what takes too long, as often as it takes."""
    _, going = await asyncio.wait(duties, timeout=FAREWELL)
    while going:
        for duty in going:
            duty.cancel()
        _, going = await asyncio.wait(going, timeout=1)


async def _told(leaving: asyncio.Event) -> None:
    await leaving.wait()
