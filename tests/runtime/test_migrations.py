"""Migrations create exactly the tables of the models, on both databases."""

import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

import portal.models  # noqa: F401 (makes the tables known)
from portal.carriers import tracking_key
from portal.database import create_engine
from portal.errors import PortalError
from portal.paths import MIGRATIONS
from portal.runtime.migrations import configuration, migrate
from tests.support.database.filled_database import ROWS, count_rows, fill_tables

pytestmark = pytest.mark.filterwarnings("ignore:.*autogenerate:UserWarning")


@pytest.fixture
def fresh_url(request, database_url, tmp_path):
    """An empty database."""
    if database_url.startswith("sqlite"):
        yield f"sqlite+aiosqlite:///{tmp_path / 'new' / 'fresh.db'}"
        return
    server = request.getfixturevalue("postgres")
    server.create("fresh")
    yield server.url("fresh")
    server.drop("fresh")


async def look(url, question):
    """Run a function on a connection of its own."""
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(question)
    finally:
        await engine.dispose()


def differences(connection):
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, SQLModel.metadata)


def revision(connection):
    return MigrationContext.configure(connection).get_current_revision()


def tables(connection):
    return set(sa.inspect(connection).get_table_names())


async def test_migrated_schema_equals_the_models(database_url):
    assert await look(database_url, differences) == []


async def test_migrating_twice_changes_nothing(fresh_url):
    newest = ScriptDirectory.from_config(configuration(fresh_url)).get_current_head()
    for _ in range(2):
        await asyncio.to_thread(migrate, fresh_url)
        assert await look(fresh_url, revision) == newest
    assert await look(fresh_url, differences) == []


async def test_concurrent_processes_migrate_once(fresh_url):
    # Forked, so that they begin together and need not import everything again.
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as processes:
        running = [processes.submit(migrate, fresh_url) for _ in range(4)]
        await asyncio.gather(*map(asyncio.wrap_future, running))
    assert await look(fresh_url, differences) == []


async def test_every_migration_can_be_downgraded(fresh_url):
    await asyncio.to_thread(migrate, fresh_url)
    await asyncio.to_thread(command.downgrade, configuration(fresh_url), "base")
    assert await look(fresh_url, revision) is None
    assert await look(fresh_url, tables) == {"alembic_version"}
    await asyncio.to_thread(migrate, fresh_url)
    assert await look(fresh_url, differences) == []


async def change(url, work):
    """Run a function on a connection of its own, and commit."""
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def filled(url):
    """Fill an empty database at the first revision, and give its counts of rows."""
    await asyncio.to_thread(command.upgrade, configuration(url), "0001")
    await change(url, fill_tables)
    counts = await look(url, count_rows)
    assert set(counts.values()) == {ROWS}
    return counts


async def test_each_migration_keeps_the_rows_of_a_filled_database(fresh_url):
    before = await filled(fresh_url)
    script = ScriptDirectory.from_config(configuration(fresh_url))
    for step in reversed(list(script.walk_revisions("0001", "heads"))):
        await asyncio.to_thread(command.upgrade, configuration(fresh_url), step.revision)
        after = await look(fresh_url, count_rows)
        assert {name: after[name] for name in before if name in after} == before
    assert await look(fresh_url, differences) == []


async def test_tracking_numbers_of_before_are_found_whatever_signs_they_have(fresh_url):
    numbers = {1: "jd/014_5", 2: "94 00-1.2", 3: ""}
    await filled(fresh_url)
    await asyncio.to_thread(command.upgrade, configuration(fresh_url), "0011")

    def write(connection):
        for number, text in numbers.items():
            connection.execute(
                sa.text("UPDATE stage_run SET tracking_number = :text WHERE id = :id"),
                {"text": text, "id": number},
            )

    await change(fresh_url, write)
    await asyncio.to_thread(command.upgrade, configuration(fresh_url), "0012")
    query = sa.text("SELECT tracking_key FROM stage_run ORDER BY id")
    keys = await look(fresh_url, lambda connection: connection.scalars(query).all())
    assert keys == [tracking_key(text) for text in numbers.values()] == ["JD0145", "940012", ""]


BATCH_CHANGE = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "next", {head!r}

def upgrade():
    with op.batch_alter_table("service_request") as batch:
        batch.add_column(sa.Column("mood", sa.String(20), nullable=False, server_default="calm"))
        batch.alter_column("title", type_=sa.String(400), existing_nullable=False)
"""
LOSING_CHANGE = """
from alembic import op

revision, down_revision = "next", {head!r}

def upgrade():
    op.execute("UPDATE message SET request_id = 99")
"""


def with_next_migration(url, folder, source):
    """The configuration with one more migration, which comes after the newest."""
    head = ScriptDirectory.from_config(configuration(url)).get_current_head()
    (folder / "next.py").write_text(source.format(head=head))
    config = configuration(url)
    config.set_main_option("path_separator", "os")
    config.set_main_option(
        "version_locations", os.pathsep.join((str(MIGRATIONS / "versions"), str(folder)))
    )
    return config


async def test_a_batch_change_of_a_parent_table_keeps_its_children(fresh_url, tmp_path):
    """SQLite makes the table anew: with foreign keys on, the old one could not be dropped."""
    await filled(fresh_url)
    await asyncio.to_thread(migrate, fresh_url)
    before = await look(fresh_url, count_rows)
    config = with_next_migration(fresh_url, tmp_path, BATCH_CHANGE)
    await asyncio.to_thread(command.upgrade, config, "next")
    assert await look(fresh_url, count_rows) == before

    def moods(connection):
        return connection.exec_driver_sql("SELECT DISTINCT mood FROM service_request").all()

    assert await look(fresh_url, moods) == [("calm",)]
    assert await look(fresh_url, foreign_keys) == []


def foreign_keys(connection):
    """The rows whose foreign key leads nowhere; PostgreSQL refuses them by itself."""
    if connection.dialect.name != "sqlite":
        return []
    return connection.exec_driver_sql("PRAGMA foreign_key_check").all()


async def test_a_migration_that_loses_parents_changes_nothing(fresh_url, tmp_path):
    await filled(fresh_url)
    await asyncio.to_thread(migrate, fresh_url)
    newest = await look(fresh_url, revision)
    config = with_next_migration(fresh_url, tmp_path, LOSING_CHANGE)
    with pytest.raises((PortalError, sa.exc.IntegrityError), match="message"):
        await asyncio.to_thread(command.upgrade, config, "next")
    assert await look(fresh_url, revision) == newest
    assert await look(fresh_url, foreign_keys) == []


def test_migrations_have_one_head():
    heads = ScriptDirectory.from_config(configuration("sqlite://")).get_heads()
    assert len(heads) == 1
