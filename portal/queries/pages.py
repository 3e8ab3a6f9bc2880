"""Queries that must be fast: one indexed read for each view of a page."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from portal.models import ServiceRequest


async def page_versions(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, int]:
    """The page_version of each of these requests."""
    query = sa.select(col(ServiceRequest.id), col(ServiceRequest.page_version)).where(
        col(ServiceRequest.id).in_(list(ids))
    )
    return {row.id: row.page_version for row in await connection.execute(query)}
