"""Migrations create exactly the tables of the models, on both databases."""

import asyncio
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
from portal.database import create_engine
from portal.runtime.migrations import configuration, migrate

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


def test_migrations_have_one_head():
    heads = ScriptDirectory.from_config(configuration("sqlite://")).get_heads()
    assert len(heads) == 1
