"""Keeping watch in a test: looks at moments of its choosing, as if nobody had ever been away."""

from datetime import timedelta

import time_machine
from sqlmodel import col, select

from portal.business_time import now
from portal.database import Database
from portal.models import DETECTION, DroppedBall, DroppedBallKind, Heartbeat
from portal.operations import Operations
from workers.detect_dropped_balls import DroppedBallDetector


class DetectionDriver:
    """Keeps watch while the clock is moved: a look every hour, as if it had never been away."""

    def __init__(
        self, operations: Operations, clock: time_machine.Traveller, database: Database
    ) -> None:
        self.watch = DroppedBallDetector(operations, lambda: None)
        self.clock = clock
        self.database = database

    async def advance_clock(self, length: timedelta) -> None:
        """Let time go by, and look at the end of it."""
        self.clock.shift(length)
        await self.look()

    async def look(self) -> None:
        """Look now; nobody has been away."""
        async with self.database.transaction() as session:
            await session.merge(Heartbeat(name=DETECTION, beat_at=now()))
        await self.watch.once()

    async def balls(self, *, standing: bool = True) -> list[DroppedBall]:
        """What has been raised, oldest first; with ``standing`` only what is open."""
        query = select(DroppedBall).order_by(col(DroppedBall.id))
        async with self.database.reading() as session:
            found = (await session.exec(query)).all()
        return [one for one in found if one.resolved_at is None or not standing]

    async def kinds(self) -> list[DroppedBallKind]:
        """The kinds of what is open."""
        return [one.kind for one in await self.balls()]
