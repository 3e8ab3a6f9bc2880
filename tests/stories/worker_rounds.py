"""The rounds of all workers on one clock: everything that is due happens at its time, in order."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
import time_machine
from sqlmodel import col

from portal.business_time import now
from portal.models import (
    DETECTION,
    DroppedBall,
    FollowUp,
    Heartbeat,
    Message,
    MessageStatus,
    ServiceRequest,
    StageRun,
)
from portal.operations import Operations
from tests.support.fake_gateways import deliver_due
from workers.delivery.gateways import Gateway
from workers.detect_dropped_balls import DroppedBallDetector
from workers.sweep import Sweep


class WorkerRounds:
    """The sweep, the detection of dropped balls, and delivery by these gateways.

    ``on_round`` is called after each round.
    """

    def __init__(
        self,
        operations: Operations,
        clock: time_machine.Traveller,
        *gateways: Gateway,
        on_round: Callable[[], Awaitable[None]],
    ) -> None:
        self._operations, self._clock, self._gateways = operations, clock, gateways
        self._on_round = on_round
        self._sweep = Sweep(operations, lambda: None, "sweep")
        self._detection = DroppedBallDetector(operations, lambda: None)

    async def advance_to(self, end: datetime) -> None:
        """Move the clock until then, with a round at each time at which something is due."""
        assert end >= now(), f"{end} is over"
        while (due := await self._next_due()) is not None and due <= end:
            await self.work_at(max(due, now() + timedelta(seconds=1)))
        await self.work_at(max(end, now()))

    async def work_at(self, when: datetime) -> None:
        """Run one round of all workers, without a monitoring gap."""
        self._clock.move_to(when)
        async with self._operations.database.transaction() as session:
            await session.merge(Heartbeat(name=DETECTION, beat_at=now()))
        await self._sweep.once()
        await self._detection.once()
        for gateway in self._gateways:
            await deliver_due(self._operations, gateway)
        await self._on_round()

    async def _next_due(self) -> datetime | None:
        """When any of the workers next finds something to do."""
        queued = col(Message.status) == MessageStatus.QUEUED
        standing = col(DroppedBall.resolved_at).is_(None)
        firsts = [
            sa.select(sa.func.min(ServiceRequest.next_check_at)),
            sa.select(sa.func.min(ServiceRequest.next_update_at)),
            sa.select(sa.func.min(FollowUp.next_at)),
            sa.select(sa.func.min(DroppedBall.escalates_at)).where(standing),
            sa.select(sa.func.min(StageRun.hold_until)).where(col(StageRun.held_at).is_not(None)),
            sa.select(sa.func.min(Message.due_at)).where(queued),
        ]
        async with self._operations.database.connection() as connection:
            found = [await connection.scalar(query) for query in firsts]
        return min((item for item in found if item is not None), default=None)
