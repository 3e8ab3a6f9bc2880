"""A full database in which many requests are late at once: time until each is raised, and an idle round."""

import time
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from portal import business_time
from portal.models import DroppedBall, ServiceRequest, StageRun
from tests.bench.runner import databases, settings_for, table, with_organisation
from tests.bench.seed import STRIDE, seed_requests
from tests.support.factories import Organisation
from workers.detect_dropped_balls import DroppedBallDetector

SLIP_AT_ONCE = 100
"""One in so many requests slips at the same moment, as when a working day ends."""


def run(options: Any) -> None:
    """Print seconds until all that slipped at once is raised, and a look when nothing is due."""
    rows: list[list[Any]] = []
    with databases(options) as urls:
        for name, url in urls.items():
            rows += with_organisation(
                settings_for(url), lambda h, n=name: measure(h, n, options.requests)
            )
    heads = ["database", "open", "idle look, ms", "slipped", "all raised, s", "a second"]
    table(f"The watch, at {options.requests:,} requests", heads, rows)


async def measure(organisation: Organisation, name: str, requests: int) -> list[list[Any]]:
    """Fill the database, time an idle round, then make one request in a hundred late."""
    await seed_requests(organisation, requests)
    now = business_time.now()
    await _plan(organisation, now + timedelta(days=1))
    watch = DroppedBallDetector(organisation.operations, lambda: None)
    await watch.once()
    begun = time.perf_counter()
    await watch.once()
    idle = (time.perf_counter() - begun) * 1000
    slipped = await _let_slip(organisation, now)
    begun = time.perf_counter()
    await watch.once()
    spent = time.perf_counter() - begun
    async with organisation.database.reading() as session:
        raised = (
            await session.execute(sa.select(sa.func.count()).select_from(DroppedBall))
        ).scalar_one()
        still_open = (
            await session.execute(
                sa.select(sa.func.count())
                .select_from(ServiceRequest)
                .where(col(ServiceRequest.closed_at).is_(None))
            )
        ).scalar()
    if raised < slipped:
        raise AssertionError(f"{slipped} slipped, {raised} were raised")
    return [[name, still_open, idle, raised, spent, raised / spent]]


async def _plan(organisation: Organisation, at: datetime) -> None:
    async with organisation.database.engine.begin() as connection:
        await connection.execute(
            sa.update(ServiceRequest)
            .where(col(ServiceRequest.closed_at).is_(None))
            .values(next_check_at=at, next_update_at=None)
        )


async def _let_slip(organisation: Organisation, now: datetime) -> int:
    """These runs are past their time and grace by now; gives how many requests that is."""
    some = (
        select(StageRun.request_id)
        .where(
            col(StageRun.state) == "open",
            col(StageRun.paused_at).is_(None),
            sa.cast(col(StageRun.id) / STRIDE, sa.Integer) % SLIP_AT_ONCE == 1,
        )
        .scalar_subquery()
    )
    async with organisation.database.engine.begin() as connection:
        await connection.execute(
            sa.update(StageRun)
            .where(
                col(StageRun.state) == "open",
                sa.cast(col(StageRun.id) / STRIDE, sa.Integer) % SLIP_AT_ONCE == 1,
            )
            .values(overdue_at=now)
        )
        done = await connection.execute(
            sa.update(ServiceRequest)
            .where(col(ServiceRequest.id).in_(some))
            .values(next_check_at=now)
        )
    return done.rowcount
