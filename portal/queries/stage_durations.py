"""Measures how long stages and requests took, and reads it for new dates."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import (
    WHOLE_REQUEST,
    RequestStatus,
    RunState,
    ServiceRequest,
    Stage,
    StageDuration,
    StageDurations,
    StageRun,
    Workflow,
)

MAX_SAMPLES = 500
"""The newest runs that are measured: older ones say little about a department's current speed."""
MIN_SAMPLES = 20
"""Fewer samples give no measurement."""
DONE_STATUSES = (RequestStatus.COMPLETED, RequestStatus.AWAITING_CONFIRMATION)


async def load_stage_durations(session: AsyncSession, workflow: str) -> StageDurations:
    """What has been measured of the workflow of that key, whichever its version."""
    query = select(StageDuration).where(col(StageDuration.workflow_key) == workflow)
    return StageDurations(
        {duration.stage_key: duration for duration in (await session.exec(query)).all()}
    )


async def last_measured_at(session: AsyncSession) -> datetime | None:
    """When anything was last measured; None before the first time."""
    query = (
        select(StageDuration.measured_at).order_by(col(StageDuration.measured_at).desc()).limit(1)
    )
    return (await session.exec(query)).first()


async def measure_stage_durations(session: AsyncSession, now: datetime) -> int:
    """Measure each stage of each workflow, and each workflow as a whole; return how many could be.

    Reads the newest few hundred of each, however many there are. What has too few samples stays
    unmeasured.
    """
    sample_count = 0
    stages = (
        await session.exec(
            select(Workflow.key, Stage.key, Stage.id)
            .join(Stage, col(Stage.workflow_id) == col(Workflow.id))
            .order_by(col(Workflow.key), col(Stage.key), col(Stage.id))
        )
    ).all()
    for (workflow, stage), versions in groupby(stages, key=lambda row: (row[0], row[1])):
        durations = await _stage_durations(session, [row[2] or 0 for row in versions])
        sample_count += await _store_duration(session, workflow, stage, durations, now)
    workflows = select(Workflow.key, Workflow.id).order_by(col(Workflow.key), col(Workflow.id))
    for workflow, ids in groupby((await session.exec(workflows)).all(), key=lambda row: row[0]):
        durations = await _request_durations(session, [row[1] or 0 for row in ids])
        sample_count += await _store_duration(session, workflow, WHOLE_REQUEST, durations, now)
    return sample_count


async def _stage_durations(session: AsyncSession, stage_ids: Sequence[int]) -> list[int]:
    query = (
        select(StageRun.duration_seconds)
        .where(
            col(StageRun.stage_id).in_(stage_ids),
            col(StageRun.state) == RunState.COMPLETED,
            col(StageRun.duration_seconds).is_not(None),
        )
        .order_by(col(StageRun.id).desc())
        .limit(MAX_SAMPLES)
    )
    return [seconds for seconds in (await session.exec(query)).all() if seconds is not None]


async def _request_durations(session: AsyncSession, workflow_ids: Sequence[int]) -> list[int]:
    """From the opening to the end of the last stage; the confirmation may come much later."""
    newest = (
        select(ServiceRequest.id, ServiceRequest.opened_at)
        .where(
            col(ServiceRequest.workflow_id).in_(workflow_ids),
            col(ServiceRequest.status).in_(DONE_STATUSES),
        )
        .order_by(col(ServiceRequest.id).desc())
        .limit(MAX_SAMPLES)
        .subquery()
    )
    query = (
        sa.select(newest.c.opened_at, sa.func.max(col(StageRun.completed_at)))
        .join(StageRun, col(StageRun.request_id) == newest.c.id)
        .where(col(StageRun.state) == RunState.COMPLETED)
        .group_by(newest.c.id, newest.c.opened_at)
    )
    rows = (await (await session.connection()).execute(query)).all()
    return [int((ended - opened).total_seconds()) for opened, ended in rows]


async def _store_duration(
    session: AsyncSession, workflow: str, stage: str, durations: Iterable[int], now: datetime
) -> bool:
    sorted_durations = sorted(durations)
    if len(sorted_durations) < MIN_SAMPLES:
        return False
    await session.merge(
        StageDuration(
            workflow_key=workflow,
            stage_key=stage,
            p50_seconds=_percentile(sorted_durations, 50),
            p80_seconds=_percentile(sorted_durations, 80),
            sample_count=len(sorted_durations),
            measured_at=now,
        )
    )
    return True


def _percentile(lengths: Sequence[int], percent: int) -> int:
    """The length within which so many of the hundred are done (the nearest rank)."""
    return lengths[-(-len(lengths) * percent // 100) - 1]
