"""Detection of dropped balls in a test, at chosen moments and without a monitoring gap."""

from datetime import timedelta

import time_machine
from sqlmodel import col, select

from portal.business_time import now
from portal.database import Database
from portal.models import DETECTION, DroppedBall, DroppedBallKind, Heartbeat
from portal.operations import Operations
from workers.detect_dropped_balls import DroppedBallDetector


class DetectionDriver:
    """Detects dropped balls while a test moves the clock."""

    def __init__(
        self, operations: Operations, clock: time_machine.Traveller, database: Database
    ) -> None:
        self.watch = DroppedBallDetector(operations, lambda: None)
        self.clock = clock
        self.database = database

    async def advance_clock(self, length: timedelta) -> None:
        """Move the clock, and detect once."""
        self.clock.shift(length)
        await self.look()

    async def look(self) -> None:
        """Detect once, with a fresh heartbeat."""
        async with self.database.transaction() as session:
            await session.merge(Heartbeat(name=DETECTION, beat_at=now()))
        await self.watch.once()

    async def balls(self, *, standing: bool = True) -> list[DroppedBall]:
        """The dropped balls, oldest first; with ``standing`` only the open ones."""
        query = select(DroppedBall).order_by(col(DroppedBall.id))
        async with self.database.reading() as session:
            found = (await session.exec(query)).all()
        return [ball for ball in found if ball.resolved_at is None or not standing]

    async def kinds(self) -> list[DroppedBallKind]:
        """The kinds of the open balls."""
        return [ball.kind for ball in await self.balls()]
