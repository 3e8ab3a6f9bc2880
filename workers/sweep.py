"""The sweep: every few seconds it does what is due by the clock.

Redis only makes it sooner, so Redis may be lost. Its heartbeat is a row.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from portal import business_time, operations
from portal.database_errors import describe, is_database_away
from portal.models import (
    DETECTION,
    SYSTEM_ACTOR,
    FollowUp,
    Heartbeat,
    IdempotentResponse,
    ServiceRequest,
    StageRun,
    TrustedDevice,
    VerificationCode,
)
from portal.operations import Operations, UnitOfWork
from portal.queries.job_failures import is_waiting
from portal.queries.reassignment import (
    Reassignable,
    find_requests_to_reassign,
    list_unattended_balls,
)
from portal.queries.requests import lock_by_id
from portal.queries.roster import load_full_roster
from workers.failing_rows import FailingRows

log = structlog.get_logger()

BATCH_SIZE = 200
CODE_RETENTION = timedelta(days=2)
"""Longer than they are counted for."""
IDEMPOTENCY_RETENTION = timedelta(hours=24)
HEARTBEAT_RETENTION = timedelta(days=1)
CLEANUP_INTERVAL = timedelta(minutes=10)

Operation = Callable[[UnitOfWork, ServiceRequest], Awaitable[None]]


class Sweep:
    """Runs the timed jobs in order; a failure in one request does not stop the others."""

    def __init__(self, operations: Operations, wake: Callable[[], None], name: str) -> None:
        self._operations = operations
        self._wake = wake
        self._name = name
        self._failing_rows = FailingRows(operations)
        self._cleaned_at = business_time.now() - CLEANUP_INTERVAL
        self.on_first_beat: Callable[[], None] | None = None

    async def once(self) -> None:
        """One sweep: questions and holds that are due, reassignment, the heartbeat."""
        now = business_time.now()
        await self._beat(now)
        await self._step(self._reassign(now))
        await self._step(
            self._each("questions", _questions_due(now), operations.run_due_follow_ups)
        )
        await self._step(self._each("holds", _holds_over(now), operations.resume_expired_holds))
        await self._step(self._each("updates", _updates_due(now), operations.send_due_updates))
        if now - self._cleaned_at >= CLEANUP_INTERVAL:
            await self._step(self._clean(now))
            self._cleaned_at = now
        self._wake()

    async def _step(self, step: Awaitable[None]) -> None:
        """Run one step: where it cannot be done, the others still are."""
        try:
            await step
        except Exception as error:
            if is_database_away(error):
                log.warning("a step of the sweep waits for the database", reason=describe(error))
            else:
                log.exception("a step of the sweep failed", error=type(error).__name__)

    async def _reassign(self, now: datetime) -> None:
        """Reassign the work of people whose absence has begun, and work without a present owner."""
        async with self._operations.database.reading() as session:
            roster = await load_full_roster(session, now)
            ids = await find_requests_to_reassign(
                session,
                Reassignable.of(roster),
                limit=BATCH_SIZE,
                among=lambda request_id: ~is_waiting("reassignment", request_id, now),
            )
            unattended = await list_unattended_balls(session, roster)
        await self._do("reassignment", ids, operations.reassign)
        if unattended:
            async with self._operations.begin(SYSTEM_ACTOR) as uow:
                await operations.reassign_unlinked_dropped_balls(uow)

    async def _each(self, job: str, due: SelectOfScalar[int], operation: Operation) -> None:
        (request_id,) = due.selected_columns
        query = due.where(~is_waiting(job, request_id, business_time.now()))
        async with self._operations.database.reading() as session:
            ids = (await session.exec(query)).all()
        await self._do(job, ids, operation)

    async def _do(self, job: str, ids: Sequence[int], operation: Operation) -> None:
        """One transaction for each request: a failure in one does not stop the others."""
        done: list[int] = []
        for request_id in ids:
            try:
                async with self._operations.begin(SYSTEM_ACTOR) as uow:
                    await operation(uow, await lock_by_id(uow.session, request_id))
            except Exception as error:  # noqa: BLE001 (a row may hold anything)
                await self._failing_rows.postpone(job, request_id, error, request_id=request_id)
            else:
                done.append(request_id)
        await self._failing_rows.succeed(job, done)

    async def _beat(self, now: datetime) -> None:
        async with self._operations.database.transaction() as session:
            await session.merge(Heartbeat(name=self._name, beat_at=now))
        on_first_beat, self.on_first_beat = self.on_first_beat, None
        if on_first_beat is not None:
            on_first_beat()

    async def _clean(self, now: datetime) -> None:
        async with self._operations.database.transaction() as session:
            await _delete_expired(session, now)
        await self._failing_rows.forget_outdated(now)


async def _delete_expired(session: AsyncSession, now: datetime) -> None:
    connection = await session.connection()
    await connection.execute(
        sa.delete(IdempotentResponse).where(
            col(IdempotentResponse.created_at) < now - IDEMPOTENCY_RETENTION
        )
    )
    await connection.execute(
        sa.delete(VerificationCode).where(col(VerificationCode.created_at) < now - CODE_RETENTION)
    )
    await connection.execute(sa.delete(TrustedDevice).where(col(TrustedDevice.expires_at) < now))
    await connection.execute(
        sa.delete(Heartbeat).where(
            col(Heartbeat.beat_at) < now - HEARTBEAT_RETENTION, col(Heartbeat.name) != DETECTION
        )
    )


def _questions_due(now: datetime) -> SelectOfScalar[int]:
    return (
        select(FollowUp.request_id)
        .where(col(FollowUp.next_at) <= now)
        .order_by(col(FollowUp.next_at))
        .limit(BATCH_SIZE)
    )


def _holds_over(now: datetime) -> SelectOfScalar[int]:
    return (
        select(StageRun.request_id)
        .where(col(StageRun.hold_until) <= now)
        .order_by(col(StageRun.hold_until))
        .limit(BATCH_SIZE)
    )


def _updates_due(now: datetime) -> SelectOfScalar[Any]:
    return (
        select(col(ServiceRequest.id))
        .where(col(ServiceRequest.next_update_at) <= now)
        .order_by(col(ServiceRequest.next_update_at))
        .limit(BATCH_SIZE)
    )
