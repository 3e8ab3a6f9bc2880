"""Rows with values that no operation writes, on both databases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import sqlalchemy as sa
from sqlmodel import col, select

from portal.models import DroppedBall, DroppedBallKind, JobFailure, ServiceRequest
from tests.support.factories import MARTHA, Organisation

NO_UTF_8 = "CAST(x'ff41' AS TEXT)"
"""A text that Python's sqlite3 cannot decode, as SQL."""
TRIGGER = "odd_row"


async def open_for(organisation: Organisation, phone: str) -> ServiceRequest:
    """Open a request for a customer with this number."""
    return await organisation.open(
        customer=replace(MARTHA, phone=phone), by=organisation.people.tess.actor
    )


async def balls(organisation: Organisation, kind: DroppedBallKind) -> list[DroppedBall]:
    """The dropped balls of this kind, the oldest first."""
    async with organisation.database.reading() as session:
        query = select(DroppedBall).where(col(DroppedBall.kind) == kind).order_by("id")
        return list((await session.exec(query)).all())


async def job_failures(organisation: Organisation) -> list[tuple[str, int]]:
    """The job and the row of each failure."""
    async with organisation.database.reading() as session:
        query = select(JobFailure).order_by(col(JobFailure.job), col(JobFailure.row_id))
        return [(failure.job, failure.row_id) for failure in (await session.exec(query)).all()]


async def execute(organisation: Organisation, *statements: str) -> None:
    """Run statements in one transaction."""
    async with organisation.database.transaction() as session:
        connection = await session.connection()
        for statement in statements:
            await connection.execute(sa.text(statement))


@asynccontextmanager
async def unreadable(
    organisation: Organisation, table: str, column: str, row_id: int, *, writes: str
) -> AsyncIterator[None]:
    """A row that cannot be processed, until the block ends.

    On SQLite its ``column`` is not UTF-8. PostgreSQL stores no such text: there the writes to
    ``writes`` (events, ON, a table, WHEN and a condition) are refused as out of range (22003).
    """
    if organisation.database.is_sqlite:
        before = await _value(organisation, table, column, row_id)
        await execute(organisation, f"UPDATE {table} SET {column} = {NO_UTF_8} WHERE id = {row_id}")  # noqa: S608
        yield
        async with organisation.database.transaction() as session:
            statement = sa.text(f"UPDATE {table} SET {column} = :value WHERE id = {row_id}")  # noqa: S608
            await (await session.connection()).execute(statement, {"value": before})
        return
    async with refused(organisation, writes, code="22003"):
        yield


@asynccontextmanager
async def refused(organisation: Organisation, writes: str, *, code: str) -> AsyncIterator[None]:
    """PostgreSQL refuses these writes with this SQLSTATE, until the block ends."""
    await execute(
        organisation,
        f"CREATE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION 'refused by a trigger' USING ERRCODE = '{code}'; END $$",
        f"CREATE TRIGGER {TRIGGER} BEFORE {writes.replace('WHEN', 'FOR EACH ROW WHEN')} "
        f"EXECUTE FUNCTION {TRIGGER}()",
    )
    try:
        yield
    finally:
        await execute(organisation, f"DROP FUNCTION {TRIGGER}() CASCADE")


async def _value(organisation: Organisation, table: str, column: str, row_id: int) -> object:
    async with organisation.database.reading() as session:
        query = sa.text(f"SELECT {column} FROM {table} WHERE id = {row_id}")  # noqa: S608
        return (await (await session.connection()).execute(query)).scalar_one()
