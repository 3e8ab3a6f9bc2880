"""The databases of the tests: SQLite and PostgreSQL, each with every migration.

A test that uses ``database_url`` or what is built on it runs on both, unless its module has one of
these marks::

    pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # on SQLite
    pytestmark = pytest.mark.either_database  # on one of the two, chosen by the name of the test

With ``--both-databases`` every test with the second mark runs on both.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

import portal.database as database_module
from portal.runtime.migrations import migrate
from tests.support.database.postgres import PostgresServer

STATEMENTS_KEPT = 20_000
POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`bin/test --both-databases`."""
    parser.addoption("--both-databases", action="store_true", help="run all tests on both")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each test of an ``either_database`` module on one of the two databases."""
    if config.getoption("--both-databases"):
        return
    skipped = [item for item in items if _runs_on_the_other_database(item)]
    if skipped:
        config.hook.pytest_deselected(items=skipped)
        items[:] = [item for item in items if item not in set(skipped)]


def _runs_on_the_other_database(item: pytest.Item) -> bool:
    case = getattr(item, "callspec", None)
    if case is None or "database_url" not in case.params or not _is_on_either_database(item):
        return False
    databases = ("sqlite", "postgres")
    name = "-".join(
        part for part in (item.originalname, *case.id.split("-")) if part not in databases
    )
    return databases[crc32(name.encode()) % 2] != case.params["database_url"]


def _is_on_either_database(item: pytest.Item) -> bool:
    return item.get_closest_marker("either_database") is not None


@pytest.fixture(scope="session", autouse=True)
def no_fsync() -> Iterator[None]:
    """No SQLite connection of this process waits for the disk: the data is gone after the run."""
    with pytest.MonkeyPatch.context() as patch:
        pragmas = (*database_module.SQLITE_PRAGMAS, "PRAGMA synchronous=OFF")
        patch.setattr(database_module, "SQLITE_PRAGMAS", pragmas)
        yield


@pytest.fixture(scope="session", autouse=True)
def shared_statements() -> Iterator[None]:
    """SQL is compiled once in a process, as in production, not once for each test's engine.

    The tests of all parts together have more statements than SQLAlchemy keeps (500): those that it
    drops would be compiled again in the middle of another test.
    """
    compiled: dict[str, sa.Engine] = {}
    create_async_engine = database_module.create_async_engine

    def create(url: str, **options: Any) -> AsyncEngine:
        engine = create_async_engine(url, query_cache_size=STATEMENTS_KEPT, **options)
        first = compiled.setdefault(engine.dialect.name, engine.sync_engine)
        # Its pool connects by its own dialect: whoever listens to the shared one is heard there.
        engine.dialect.dispatch, engine.dialect._has_events = first.dialect.dispatch, True
        engine.sync_engine.dialect = first.dialect
        engine.sync_engine._compiled_cache = first._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_module, "create_async_engine", create)
        yield


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with every migration; each test gets a copy."""
    path = tmp_path_factory.mktemp("template") / "kept.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, with a database ``kept`` that has every migration."""
    server = PostgresServer()
    try:
        try:
            server.start()
        except (OSError, subprocess.CalledProcessError) as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"PostgreSQL cannot start here: {error}")
        server.create("kept")
        migrate(server.url("kept"))
        yield server
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", POSTGRES])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database with every migration: on SQLite, and again on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "kept.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    yield server.url("kept")
    server.empty("kept", [table.name for table in SQLModel.metadata.sorted_tables])
