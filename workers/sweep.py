"""The sweep: what is due by the clock, found in the database every few seconds.

Redis wakes us sooner; this is what makes it disposable. A row of its own says that it is alive.
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
from portal.models import (
    KEPT,
    WATCH,
    AccessCode,
    FollowUp,
    Heartbeat,
    IdempotentAnswer,
    KnownDevice,
    ServiceRequest,
    StageRun,
)
from portal.operations import Relay, Turn
from portal.queries.reassignment import Movable, left_behind, stray_balls
from portal.queries.requests import lock_by_id
from portal.queries.roster import load_full_roster

log = structlog.get_logger()

AT_ONCE = 200
CODES_KEPT = timedelta(days=2)
"""Longer than they are counted for."""
ANSWERS_KEPT = timedelta(hours=24)
BEATS_KEPT = timedelta(days=1)
TIDY_EVERY = timedelta(minutes=10)

Verb = Callable[[Turn, ServiceRequest], Awaitable[None]]


class Sweep:
    """Does the timed duties one after another; what one request meets holds up no other."""

    def __init__(self, relay_: Relay, wake: Callable[[], None], name: str) -> None:
        self._relay = relay_
        self._wake = wake
        self._name = name
        self._tidied_at = business_time.now() - TIDY_EVERY

    async def once(self) -> None:
        """One sweep: questions and holds that are due, work that waits for nobody, a beat."""
        now = business_time.now()
        await self._beat(now)
        await self._stand_in(now)
        await self._each(_questions_due(now), operations.ask_what_is_due)
        await self._each(_holds_over(now), operations.end_holds_that_are_over)
        await self._each(_tellings_due(now), operations.tell_in_time)
        if now - self._tidied_at >= TIDY_EVERY:
            await self._tidy(now)
            self._tidied_at = now
        self._wake()

    async def _stand_in(self, now: datetime) -> None:
        """Absences that have begun, and whatever else still lies with nobody who is here."""
        async with self._relay.database.reading() as session:
            roster = await load_full_roster(session, now)
            ids = await left_behind(session, Movable.of(roster), limit=AT_ONCE)
            strays = await stray_balls(session, roster)
        await self._do(ids, operations.take_over)
        if strays:
            async with self._relay.turn(KEPT) as turn:
                await operations.take_over_strays(turn)

    async def _each(self, due: SelectOfScalar[int], verb: Verb) -> None:
        async with self._relay.database.reading() as session:
            ids = list((await session.exec(due)).all())
        await self._do(ids, verb)

    async def _do(self, ids: Sequence[int], verb: Verb) -> None:
        """One request, one transaction: what one of them meets does not hold up the others."""
        for request_id in ids:
            try:
                async with self._relay.turn(KEPT) as turn:
                    await verb(turn, await lock_by_id(turn.session, request_id))
            except Exception as error:
                log.exception("a request could not be swept", request=request_id, error=repr(error))

    async def _beat(self, now: datetime) -> None:
        async with self._relay.database.transaction() as session:
            await session.merge(Heartbeat(name=self._name, beat_at=now))

    async def _tidy(self, now: datetime) -> None:
        async with self._relay.database.transaction() as session:
            await _forget(session, now)


async def _forget(session: AsyncSession, now: datetime) -> None:
    connection = await session.connection()
    await connection.execute(
        sa.delete(IdempotentAnswer).where(col(IdempotentAnswer.created_at) < now - ANSWERS_KEPT)
    )
    await connection.execute(
        sa.delete(AccessCode).where(col(AccessCode.made_at) < now - CODES_KEPT)
    )
    await connection.execute(sa.delete(KnownDevice).where(col(KnownDevice.expires_at) < now))
    await connection.execute(
        sa.delete(Heartbeat).where(
            col(Heartbeat.beat_at) < now - BEATS_KEPT, col(Heartbeat.name) != WATCH
        )
    )


def _questions_due(now: datetime) -> SelectOfScalar[int]:
    return (
        select(FollowUp.request_id)
        .where(col(FollowUp.next_at) <= now)
        .order_by(col(FollowUp.next_at))
        .limit(AT_ONCE)
    )


def _holds_over(now: datetime) -> SelectOfScalar[int]:
    return (
        select(StageRun.request_id)
        .where(col(StageRun.hold_until) <= now)
        .order_by(col(StageRun.hold_until))
        .limit(AT_ONCE)
    )


def _tellings_due(now: datetime) -> SelectOfScalar[Any]:
    return (
        select(col(ServiceRequest.id))
        .where(col(ServiceRequest.tell_at) <= now)
        .order_by(col(ServiceRequest.tell_at))
        .limit(AT_ONCE)
    )
