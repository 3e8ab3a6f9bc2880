"""Rows that a round of the worker could not process: conditions and selects."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.models import JobFailure


def is_waiting(job: str, row_id: Any, now: datetime) -> sa.Exists:
    """The condition that the row with this id failed, and is not tried again yet.

    A subquery, whatever the number of failures: a driver binds only some 32,000 values.
    """
    return sa.exists().where(
        col(JobFailure.job) == job,
        col(JobFailure.row_id) == row_id,
        col(JobFailure.retry_at) > now,
    )


async def find_failed(session: AsyncSession, job: str, ids: Collection[int]) -> Sequence[int]:
    """Those of these rows whose last try failed."""
    query = select(JobFailure.row_id).where(
        col(JobFailure.job) == job, col(JobFailure.row_id).in_(ids)
    )
    return (await session.exec(query)).all()


async def count_failures(session: AsyncSession, job: str) -> int:
    """How many rows of this job failed at their last try."""
    query = select(sa.func.count()).select_from(JobFailure).where(col(JobFailure.job) == job)
    return (await session.exec(query)).one()


async def find_outdated_failures(
    session: AsyncSession, before: datetime, limit: int
) -> Sequence[tuple[str, int]]:
    """The job and the row of failures that were to be tried again before this time."""
    query = (
        select(JobFailure.job, JobFailure.row_id)
        .where(col(JobFailure.retry_at) < before)
        .order_by(col(JobFailure.retry_at))
        .limit(limit)
    )
    return (await session.exec(query)).all()
