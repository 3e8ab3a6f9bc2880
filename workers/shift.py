"""One worker's shift: everything it needs, and its duties side by side."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal.database import Database
from portal.jobs import Jobs
from portal.live import Live
from portal.relay import Relay
from portal.settings import Settings
from workers.deliver import Courier
from workers.doors import open_doors
from workers.fetch import Fetcher, open_media
from workers.inquire import Inquirer
from workers.reconcile import Reconciler
from workers.sweep import Sweep
from workers.wake import listen_for_work

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

    def wake(self) -> None:
        """Something may be due to be sent."""
        for courier in self.couriers:
            courier.wake()

    async def _every_sweep(self, once: Callable[[], Awaitable[None]]) -> None:
        """Do it for ever, and survive whatever it meets."""
        while True:
            try:
                await once()
            except (SQLAlchemyError, OSError) as error:
                log.warning("a duty could not be finished", error=type(error).__name__)
            except Exception as error:
                log.exception("a duty met an error", error=repr(error))
            await asyncio.sleep(self.settings.sweep_every)

    async def until(self, leaving: asyncio.Event) -> None:
        """Work until ``leaving`` is set; then claim nothing more and finish what is under way."""
        work = [
            *(courier.run() for courier in self.couriers),
            self.sweep.run(),
            # Apart from the sweep: a slow provider must not hold up what does not need it.
            self._every_sweep(self.reconciler.once),
            self._every_sweep(self.inquirer.once),
            self._every_sweep(self.fetcher.once),
            listen_for_work(self.settings, self.wake),
        ]
        duties = [asyncio.create_task(one) for one in work]
        log.info("the worker is at work", worker=self.name)
        over = asyncio.create_task(_told(leaving))
        done, _ = await asyncio.wait({over, *duties}, return_when=asyncio.FIRST_COMPLETED)
        await _end(duties)
        await asyncio.gather(*(courier.finish(FAREWELL) for courier in self.couriers))
        over.cancel()
        for duty in done - {over}:
            duty.result()  # A duty never ends by itself: let its error end the process.


async def _end(duties: Iterable[asyncio.Task[None]]) -> None:
    """Cancel them until they have ended.

    Once is not enough: where a cancellation meets a call to the database, the driver may raise an
    error of its own in its place, and the duty, which survives errors, would go on.
    """
    going = set(duties)
    while going:
        for duty in going:
            duty.cancel()
        _, going = await asyncio.wait(going, timeout=1)


async def _told(leaving: asyncio.Event) -> None:
    await leaving.wait()
