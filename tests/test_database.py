"""The database: commits are durable, times are UTC, and two writers lose no change."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import aiosqlite
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, MissingGreenlet, OperationalError, StatementError
from sqlmodel import SQLModel, col, select

import portal.database
from portal.database import Database
from portal.models import Department, ServiceRequest, StaffMember, Stage, StageRun
from tests.support.processes import ROOT

NIGHT = datetime(2025, 6, 3, 22, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-4)))


def department(key, **words):
    return Department(key=key, name=key.title(), **words)


async def departments(database):
    async with database.reading() as session:
        return (await session.exec(select(Department.key).order_by(col(Department.id)))).all()


async def test_transaction_commits_all_or_nothing(database):
    async with database.transaction() as session:
        session.add(department("kept"))

    async def fail() -> None:
        async with database.transaction() as session:
            session.add(department("lost"))
            await session.flush()
            raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        await fail()
    assert await departments(database) == ["kept"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_commit_waits_for_the_disk(database, monkeypatch):
    """Every connection of the product; PostgreSQL does so by itself."""
    pragmas = portal.database.SQLITE_PRAGMAS
    monkeypatch.setattr(portal.database, "SQLITE_PRAGMAS", pragmas[:-1])  # as the product has them
    async with database.transaction() as session:
        connection = await session.connection()
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one() == 2, "FULL"
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar_one() == "wal"


async def test_reading_session_commits_nothing(database):
    async with database.reading() as session:
        session.add(department("lost"))
        await session.flush()
    assert await departments(database) == []


async def test_times_of_any_zone_are_read_back_in_utc(database):
    async with database.transaction() as session:
        session.add(StaffMember(email="a@x.example", name="A", invited_until=NIGHT))
    async with database.reading() as session:
        [person] = (await session.exec(select(StaffMember))).all()
    assert person.invited_until == NIGHT
    assert person.invited_until.tzinfo is UTC


async def test_time_without_zone_is_rejected(database):
    async def store() -> None:
        async with database.transaction() as session:
            session.add(
                StaffMember(email="a@x.example", name="A", invited_until=datetime(2025, 1, 1))  # noqa: DTZ001
            )

    with pytest.raises(StatementError, match="without a time zone"):
        await store()


async def test_times_compare_across_zones(database):
    async with database.transaction() as session:
        session.add(StaffMember(email="a@x.example", name="A", invited_until=NIGHT))
    async with database.reading() as session:
        query = select(StaffMember).where(col(StaffMember.invited_until) == NIGHT.astimezone(UTC))
        assert (await session.exec(query)).one()
        query = select(StaffMember).where(
            col(StaffMember.invited_until) < NIGHT + timedelta(microseconds=1)
        )
        assert (await session.exec(query)).one()


async def test_enum_is_stored_by_value(database, card_request):
    async with database.connection() as connection:
        row = (await connection.execute(sa.text("SELECT status FROM service_request"))).one()
    assert row.status == "open"


async def test_foreign_keys_are_enforced(database, organisation, card_request):
    async def point_nowhere() -> None:
        async with database.transaction() as session:
            run = card_request.open_runs[0].model_dump(exclude={"id"})
            session.add(StageRun(**run | {"request_id": 10**9}))

    with pytest.raises(IntegrityError):
        await point_nowhere()


async def test_concurrent_writers_lose_no_update(database):
    async with database.transaction() as session:
        session.add(department("count", reply_within="0h"))

    async def add_one() -> None:
        async with database.transaction() as session:
            query = select(Department).where(col(Department.key) == "count").with_for_update()
            found = (await session.exec(query)).one()
            await asyncio.sleep(0)
            found.reply_within = f"{int(found.reply_within[:-1]) + 1}h"
            session.add(found)

    await asyncio.gather(*(add_one() for _ in range(20)))
    async with database.reading() as session:
        found = (await session.exec(select(Department))).one()
    assert found.reply_within == "20h"


async def test_second_writing_process_waits_for_the_first(settings, database):
    """Two Database objects know nothing of each other, like two processes."""
    other = Database(settings.database_url)
    writing = asyncio.Event()

    async def first() -> None:
        async with database.transaction() as session:
            session.add(department("first"))
            await session.flush()
            writing.set()

    async def second() -> None:
        await writing.wait()
        async with other.transaction() as session:
            session.add(department("second"))

    try:
        await asyncio.gather(first(), second())
    finally:
        await other.close()
    assert set(await departments(database)) == {"first", "second"}


def test_two_processes_on_one_sqlite_file_lose_no_update(tmp_path):
    """Each transaction begins IMMEDIATE: with a plain BEGIN both read the same number."""
    path, times = tmp_path / "counter.db", 15
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE counter (number INTEGER NOT NULL)")
        connection.execute("INSERT INTO counter VALUES (0)")
        connection.commit()
    module, url = "tests.support.counter_process", f"sqlite+aiosqlite:///{path}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module, url, str(times)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
        for process in processes:
            process.stdin.write("start\n")
            process.stdin.flush()
        errors = [process.communicate(timeout=60)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert errors == ["", ""]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT number FROM counter").fetchone() == (2 * times,)


async def test_reader_is_not_blocked_by_writer(database):
    async with database.transaction() as session:
        session.add(department("unseen"))
        await session.flush()
        assert await departments(database) == []
    assert await departments(database) == ["unseen"]


async def test_lazy_loading_raises(database, card_request):
    async with database.reading() as session:
        found = (await session.exec(select(ServiceRequest))).one()
        with pytest.raises((sa.exc.InvalidRequestError, MissingGreenlet)):
            _ = found.runs


def test_every_queried_foreign_key_has_an_index():
    """The rows of a request are read with every page."""
    of_a_request = [
        table
        for table in SQLModel.metadata.sorted_tables
        if "request_id" in table.c and table.name != "consent"
    ]
    assert len(of_a_request) > 5
    for table in of_a_request:
        leading = {next(iter(index.columns)).name for index in table.indexes}
        unique = {
            next(iter(constraint.columns)).name
            for constraint in table.constraints
            if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
        }
        assert "request_id" in leading | unique, table.name


def test_every_table_is_named_like_its_class():
    for mapper in ServiceRequest._sa_registry.mappers:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", mapper.class_.__name__).lower()
        assert mapper.local_table.name == name


async def test_stage_belongs_to_one_workflow_version(database, organisation):
    async with database.reading() as session:
        stages = (await session.exec(select(Stage))).all()
    assert len({(stage.workflow_id, stage.key) for stage in stages}) == len(stages)


@pytest.mark.parametrize("url", ["postgresql+asyncpg://k@127.0.0.1:1/k", "/nowhere"])
async def test_unreachable_server_raises_the_database_error(url):
    """Pages then respond with 503 and workers retry, without knowledge of the driver."""
    database = Database(url if "@" in url else f"postgresql+asyncpg://k@/k?host={url}")

    async def look() -> None:
        async with database.connection() as connection:
            await connection.execute(sa.text("SELECT 1"))

    with pytest.raises(OperationalError):
        await look()
    await database.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_failed_checkpoint_leaves_the_busy_timeout(database, monkeypatch):
    """The connection goes back to the pool, and must wait for writers as before."""
    execute = aiosqlite.Connection.execute

    async def refuse(connection, sql, *parameters):
        if "wal_checkpoint" in sql:
            raise sqlite3.OperationalError("disk I/O error")
        return await execute(connection, sql, *parameters)

    with monkeypatch.context() as patch:
        patch.setattr(aiosqlite.Connection, "execute", refuse)
        with pytest.raises(sqlite3.OperationalError):
            await database.truncate_log()
    async with database.connection() as connection:
        timeout = (await connection.exec_driver_sql("PRAGMA busy_timeout")).scalar_one()
    assert timeout == 30_000
