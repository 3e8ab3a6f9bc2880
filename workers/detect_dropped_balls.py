"""Detection: raises dropped balls within seconds, escalates them, and notifies staff by mail.

Each request stores when its next ball may be dropped. Only those whose time has come are checked,
so a million open requests cost only what is due.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time, operations
from portal.models import DETECTION, SYSTEM_ACTOR, Heartbeat, MonitoringGap
from portal.operations import Operations, UnitOfWork
from portal.queries.requests import find_due_for_detection, lock_by_id

log = structlog.get_logger()

BATCH_SIZE = 100
MAX_MONITORING_GAP = timedelta(minutes=2)
"""A detection that has not run for longer was an outage."""
MAX_GRACE = timedelta(minutes=15)
RETRY_DELAY = timedelta(minutes=10)
"""When a request whose check failed is checked again."""


class DroppedBallDetector:
    """Checks the requests that are due; several workers may run it at once."""

    def __init__(self, operations: Operations, wake: Callable[[], None]) -> None:
        self._operations = operations
        self._wake = wake

    async def once(self) -> None:
        """One run: detect, escalate, notify."""
        await self.awake(business_time.now())
        await self._run_in_transaction(operations.schedule_ownerless_checks)
        await self._until_done(self._inspect_batch)
        await self._until_done(lambda: self._run_in_transaction(operations.escalate))
        if await self._run_in_transaction(operations.queue_staff_notices):
            self._wake()

    async def awake(self, now: datetime) -> None:
        """Record the heartbeat; after a long gap staff have time to catch up first."""
        async with self._operations.database.transaction() as session:
            await _record_heartbeat(session, now)

    async def _inspect_batch(self) -> int:
        """Check a batch in one transaction; where a request fails, each by itself."""
        now = business_time.now()
        async with self._operations.database.reading() as session:
            ids = await find_due_for_detection(session, now, BATCH_SIZE)
        try:
            async with self._operations.begin(SYSTEM_ACTOR) as uow:
                await operations.inspect_requests(uow, ids)
        except Exception as error:
            log.exception("requests could not be checked together", error=repr(error))
            for request_id in ids:
                await self._inspect_one(request_id)
        if ids:
            await self.awake(business_time.now())
        return len(ids) if len(ids) == BATCH_SIZE else 0

    async def _inspect_one(self, request_id: int) -> None:
        try:
            async with self._operations.begin(SYSTEM_ACTOR) as uow:
                await operations.inspect_requests(uow, [request_id])
        except Exception as error:
            log.exception("a request could not be checked", request=request_id, error=repr(error))
            async with self._operations.database.transaction() as session:
                request = await lock_by_id(session, request_id)
                request.next_check_at = business_time.now() + RETRY_DELAY

    async def _run_in_transaction(self, operation: Callable[[UnitOfWork], Awaitable[int]]) -> int:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            return await operation(uow)

    async def _until_done(self, step: Callable[[], Awaitable[int]]) -> None:
        while await step():
            pass


async def _record_heartbeat(session: AsyncSession, now: datetime) -> None:
    heartbeat = await session.get(Heartbeat, DETECTION, with_for_update=True)
    if heartbeat is None:
        session.add(Heartbeat(name=DETECTION, beat_at=now))
        return
    gap = now - heartbeat.beat_at
    if gap > MAX_MONITORING_GAP:
        log.warning("detection did not run for a while", seconds=int(gap.total_seconds()))
        grace_until = now + min(gap, MAX_GRACE)
        session.add(
            MonitoringGap(began_at=heartbeat.beat_at, ended_at=now, grace_until=grace_until)
        )
    heartbeat.beat_at = max(heartbeat.beat_at, now)
