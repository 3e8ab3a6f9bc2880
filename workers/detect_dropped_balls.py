"""Detection: raises dropped balls within seconds, escalates them, and notifies staff by mail.

Each request stores when its next ball may be dropped. Only those whose time has come are checked,
so a million open requests cost only what is due.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time, operations
from portal.database_errors import is_database_away
from portal.models import DETECTION, SYSTEM_ACTOR, Heartbeat, MonitoringGap, ServiceRequest
from portal.operations import Operations, UnitOfWork
from portal.operations.dropped_balls.escalation import BATCH_SIZE as ESCALATION_BATCH_SIZE
from portal.operations.dropped_balls.escalation import (
    ESCALATION,
    NOTICES,
    find_due_escalations,
    find_people_to_notify,
)
from portal.queries.requests import find_due_for_detection
from workers.failing_rows import FailingRows

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
        self._failing_rows = FailingRows(operations)

    async def once(self) -> None:
        """One run: detect, escalate, notify."""
        await self.awake(business_time.now())
        await self._step(lambda: self._run(operations.schedule_ownerless_checks))
        await self._step(lambda: self._until_done(self._check_batch))
        await self._step(lambda: self._until_done(self._escalate_batch))
        if await self._step(self._notify):
            self._wake()

    async def _step(self, step: Callable[[], Awaitable[int]]) -> int:
        """Run one step: where it fails, the others are still run. Raises where the database is away."""
        try:
            return await step()
        except Exception as error:
            if is_database_away(error):
                raise
            log.exception("a step of the detection failed", error=type(error).__name__)
            return 0

    async def awake(self, now: datetime) -> None:
        """Record the heartbeat; after a long gap staff have time to catch up first."""
        async with self._operations.database.transaction() as session:
            await _record_heartbeat(session, now)

    async def _check_batch(self) -> int:
        """Check the requests that are due; one that fails is checked again later."""
        now = business_time.now()
        async with self._operations.database.reading() as session:
            ids = await find_due_for_detection(session, now, BATCH_SIZE)
        if not ids:
            return 0
        requests = {request_id: request_id for request_id in ids}
        failed = await self._failing_rows.process(
            "detection", requests, operations.inspect_requests
        )
        if failed:
            await self._check_later(failed)
        await self.awake(business_time.now())
        return len(ids) if len(ids) == BATCH_SIZE else 0

    async def _check_later(self, ids: Collection[int]) -> None:
        async with self._operations.database.transaction() as session:
            # Not by the model: the row may be unreadable.
            connection = await session.connection()
            await connection.execute(
                sa.update(ServiceRequest)
                .where(col(ServiceRequest.id).in_(ids))
                .values(next_check_at=business_time.now() + RETRY_DELAY)
            )

    async def _escalate_batch(self) -> int:
        """Escalate the balls that are due; one that fails is tried again later."""
        async with self._operations.database.reading() as session:
            balls = await find_due_escalations(session, business_time.now())
        if balls:
            await self._failing_rows.process(ESCALATION, balls, operations.escalate)
        return len(balls) if len(balls) == ESCALATION_BATCH_SIZE else 0

    async def _notify(self) -> int:
        """Queue the e-mails to staff; gives for how many people. None where no SMTP server is set."""
        if not self._operations.settings.sends_mail:
            return 0
        async with self._operations.database.reading() as session:
            people = await find_people_to_notify(session, business_time.now())
        notified = 0

        async def queue(uow: UnitOfWork, ids: Sequence[int]) -> None:
            nonlocal notified
            notified += await operations.queue_staff_notices(uow, ids)

        if people:
            await self._failing_rows.process(NOTICES, dict.fromkeys(people), queue)
        return notified

    async def _run(self, operation: Callable[[UnitOfWork], Awaitable[int]]) -> int:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            return await operation(uow)

    async def _until_done(self, step: Callable[[], Awaitable[int]]) -> int:
        while await step():
            pass
        return 0


async def _record_heartbeat(session: AsyncSession, now: datetime) -> None:
    seen = await session.get(Heartbeat, DETECTION, with_for_update=True)
    if seen is None:
        session.add(Heartbeat(name=DETECTION, beat_at=now))
        return
    away = now - seen.beat_at
    if away > MAX_MONITORING_GAP:
        log.warning(
            "no worker detected dropped balls for a while", seconds=int(away.total_seconds())
        )
        until = now + min(away, MAX_GRACE)
        session.add(MonitoringGap(began_at=seen.beat_at, ended_at=now, grace_until=until))
    seen.beat_at = max(seen.beat_at, now)
