"""A database that is away, full, not migrated or refuses us is one true sentence without secrets."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from structlog.testing import capture_logs

from portal.commands.staff import list_people
from portal.database import Database
from portal.database_errors import (
    NOT_MIGRATED,
    DatabaseReason,
    describe,
    find_reason,
    is_database_away,
)
from portal.errors import PortalError
from portal.models import ServiceRequest
from portal.runtime.database_start import DatabaseUnavailable, prepare_database
from portal.settings import Settings
from tests.support.database.postgres import PostgresServer
from tests.tracking.page_requests import link


@pytest.fixture
def limited_role(postgres: PostgresServer) -> Iterator[str]:
    """A role that is allowed no connection."""
    postgres.execute("CREATE ROLE limited LOGIN CONNECTION LIMIT 0")
    yield "limited"
    postgres.execute("DROP ROLE limited")


def settings_for(url: str) -> Settings:
    return Settings(_env_file=None, DATABASE_URL=url, KEPT_SECRET_KEY="x" * 32)


@pytest.mark.postgres
def test_missing_role_ends_the_start_and_every_command(postgres: PostgresServer) -> None:
    settings = settings_for(postgres.url("kept").replace("postgres@", "nobody_here:topsecret@"))
    for start in (prepare_database, list_people):
        with pytest.raises(PortalError) as raised:
            start(settings)
        assert str(raised.value) == (
            "The database refuses the connection, see DATABASE_URL: "
            'role "nobody_here" does not exist.'
        )


@pytest.mark.postgres
def test_full_server_is_waited_for_by_processes_and_named_by_commands(
    postgres: PostgresServer, limited_role: str
) -> None:
    settings = settings_for(postgres.url("kept").replace("postgres@", f"{limited_role}@"))
    prepare_database(settings)  # raises nothing: it passes by itself
    with pytest.raises(DatabaseUnavailable) as raised:
        list_people(settings)
    assert str(raised.value) == (
        'The database has no free connection: too many connections for role "limited".'
    )


def test_server_out_of_reach_is_named_without_the_password() -> None:
    settings = settings_for("postgresql://kept:topsecret@127.0.0.1:1/kept")
    prepare_database(settings)
    with pytest.raises(DatabaseUnavailable) as raised:
        list_people(settings)
    assert str(raised.value).startswith("The database cannot be reached: ")
    assert "topsecret" not in str(raised.value)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_web_logs_the_remedy_of_a_database_that_is_not_migrated(
    client: httpx2.AsyncClient, database: Database, card_request: ServiceRequest
) -> None:
    async with database.transaction() as session:
        await (await session.connection()).execute(sa.text("ALTER TABLE message RENAME TO letter"))
    with capture_logs() as logs:
        answer = await client.post(f"{link(card_request)}/messages", data={"body": "Hello"})
    assert answer.status_code == 503
    (line,) = [line for line in logs if line["event"] == "the database is away"]
    assert line["reason"] == NOT_MIGRATED


def test_wrong_password_is_a_refusal() -> None:
    error = asyncpg.InvalidPasswordError('password authentication failed for user "kept"')
    assert find_reason(error) is DatabaseReason.REFUSED
    assert describe(error).endswith('password authentication failed for user "kept".')


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("INSERT", {}, asyncpg.UniqueViolationError("Key (name)=(Martin) exists")),
        DataError("INSERT", {}, asyncpg.InvalidTextRepresentationError('integer: "Martin"')),
        DataError("INSERT", {}, asyncpg.DataError("invalid input for query argument: 'Martin'")),
        asyncpg.RaiseError("refused: Martin"),
    ],
)
def test_message_that_may_hold_a_value_is_not_repeated(error: Exception) -> None:
    assert "Martin" not in describe(error)


def test_full_sqlite_disk_is_a_database_that_cannot_write() -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("PRAGMA max_page_count=2")
        connection.execute("CREATE TABLE t (x)")
        with pytest.raises(sqlite3.OperationalError) as raised:
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    assert find_reason(raised.value) is DatabaseReason.CANNOT_WRITE
    assert describe(raised.value) == "The database cannot write: database or disk is full."


def test_sqlite_text_that_cannot_be_decoded_is_not_repeated() -> None:
    with (
        sqlite3.connect(":memory:") as connection,
        pytest.raises(sqlite3.OperationalError) as raised,
    ):
        connection.execute("SELECT CAST(x'ff4d617274696e' AS TEXT)").fetchone()
    assert "Martin" in str(raised.value)
    assert describe(raised.value) == "The database refuses: OperationalError."


@pytest.mark.parametrize(
    ("error", "is_away"),
    [
        (asyncpg.DeadlockDetectedError("deadlock detected"), True),
        (asyncpg.LockNotAvailableError("lock timeout"), True),
        (asyncpg.AdminShutdownError("terminating connection"), True),
        (asyncpg.InsufficientPrivilegeError("permission denied"), True),
        (asyncpg.CharacterNotInRepertoireError("0x00"), False),
        (asyncpg.NumericValueOutOfRangeError("out of range"), False),
        (asyncpg.UniqueViolationError("Key (name)=(Martin) exists"), False),
        (asyncpg.RaiseError("refused"), False),
        (OSError("Connect call failed"), True),
        (ValueError("Mars/Phobos"), False),
    ],
)
def test_away_is_what_no_row_causes(error: Exception, *, is_away: bool) -> None:
    assert is_database_away(error) is is_away
    assert is_database_away(DBAPIError("SELECT", {}, error)) is is_away


def test_locked_sqlite_is_away(tmp_path: Path) -> None:
    with (
        sqlite3.connect(tmp_path / "kept.db", timeout=0) as writer,
        sqlite3.connect(tmp_path / "kept.db", timeout=0) as other,
    ):
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as raised:
            other.execute("BEGIN IMMEDIATE")
    assert is_database_away(raised.value)
