"""One worker's shift: everything it needs, and its duties side by side."""

import asyncio
import os
import socket
from types import TracebackType
from typing import Self

import structlog

from portal.database import Database
from portal.jobs import Jobs
from portal.live import Live
from portal.relay import Relay
from portal.settings import Settings
from workers.deliver import Courier
from workers.doors import open_doors
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
        self.doors = open_doors(settings)
        self.courier = Courier(self.relay, self.doors)
        self.sweep = Sweep(self.relay, self.doors, self.courier, self.name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.doors.close()
        await self.live.stop()
        await self.jobs.close()
        await self.database.close()

    async def until(self, leaving: asyncio.Event) -> None:
        """Work until ``leaving`` is set; then claim nothing more and finish what is under way."""
        duties: list[asyncio.Task[None]] = [
            asyncio.create_task(self.courier.run(), name="courier"),
            asyncio.create_task(self.sweep.run(), name="sweep"),
            asyncio.create_task(listen_for_work(self.settings, self.courier), name="wake"),
        ]
        log.info("the worker is at work", worker=self.name)
        over = asyncio.create_task(_told(leaving))
        done, _ = await asyncio.wait({over, *duties}, return_when=asyncio.FIRST_COMPLETED)
        for duty in duties:
            duty.cancel()
        await asyncio.gather(*duties, return_exceptions=True)
        await self.courier.finish(FAREWELL)
        over.cancel()
        for duty in done - {over}:
            duty.result()  # A duty never ends by itself: let its error end the process.


async def _told(leaving: asyncio.Event) -> None:
    await leaving.wait()
