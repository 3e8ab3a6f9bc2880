"""The tables of a PostgreSQL database, of one moment, while others write; and back again."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.database import create_engine
from portal.errors import Conflict, PortalError
from portal.runtime.backup.archive import Table
from portal.runtime.backup.sqlite_copy import Progress
from portal.runtime.migrations import MIGRATION_LOCK

SESSION = (
    # The text of a time does not depend on the server's settings, and a long copy is not ended.
    "SET LOCAL datestyle = 'ISO'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
COLUMNS = """
SELECT c.relname, a.attname,
       pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND a.attgenerated = ''
ORDER BY c.relname, a.attnum
"""
OTHER_SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
SESSION_END_TRIES = 20  # tenths of a second
VERSION_TABLE = "alembic_version"


def dump_tables(url: str, folder: Path, progress: Progress) -> dict[str, Table]:
    """Write each table to ``folder/TABLE.copy``; they come in the order of their foreign keys."""
    return asyncio.run(_dump(url, folder, progress))


def load_tables(url: str, folder: Path, tables: Mapping[str, Table], progress: Progress) -> None:
    """Fill empty tables of the same revision in one transaction: all or none.

    Raises PortalError if another number of rows arrives.
    """
    asyncio.run(_load(url, folder, tables, progress))


def count_rows(url: str) -> dict[str, int]:
    """The rows of each table of the product; empty if there is no table."""
    return asyncio.run(_count(url))


def set_aside(url: str, schema: str) -> None:
    """Move every table to a new schema. Raises Conflict if another session uses the database."""
    asyncio.run(_set_aside(url, schema))


async def _dump(url: str, folder: Path, progress: Progress) -> dict[str, Table]:
    async with _transaction(url) as guard:
        # A migration waits until the copy is made, and the copy for a migration that runs.
        await guard.execute(sa.text(f"SELECT pg_advisory_xact_lock_shared({MIGRATION_LOCK})"))
        async with _transaction(
            url, isolation_level="REPEATABLE READ", postgresql_readonly=True
        ) as connection:
            columns, sequences = await _columns(connection)
            order = [name for name in await _order(connection) if name in columns]
            driver, tables = await _driver(connection), {}
            for number, name in enumerate(order, 1):
                path = folder / f"{name}.copy"
                command_tag = await driver.copy_from_table(name, columns=columns[name], output=path)
                counted_to = None
                if name in sequences:
                    last = sa.text(f"SELECT last_value FROM {sequences[name][1]}")  # noqa: S608 (quoted by PostgreSQL)
                    counted_to = (await connection.execute(last)).scalar_one()
                tables[name] = Table(
                    rows=_rows(command_tag), columns=columns[name], counted_to=counted_to
                )
                progress(f"database: table {number} of {len(order)} ({name}).")
            return tables


async def _load(url: str, folder: Path, tables: Mapping[str, Table], progress: Progress) -> None:
    async with _transaction(url) as connection:
        columns, sequences = await _columns(connection)
        driver = await _driver(connection)
        for name in reversed([name for name in tables if name in columns]):
            # Migrations write rows too, such as the key of this installation's digests.
            await connection.execute(sa.text(f'DELETE FROM "{name}"'))  # noqa: S608 (a table's name)
        for number, (name, table) in enumerate(tables.items(), 1):
            if set(columns.get(name, ())) != set(table.columns):
                raise PortalError(f"The backup's table {name} is not that of its revision.")
            command_tag = await driver.copy_to_table(
                name, columns=table.columns, source=folder / f"{name}.copy"
            )
            if _rows(command_tag) != table.rows:
                raise PortalError(f"The table {name} did not take all rows.")
            if name in sequences:
                column, sequence = sequences[name]
                last = f'greatest(max("{column}"), CAST(:last AS bigint), 1)'
                await connection.execute(
                    sa.text(f"SELECT setval('{sequence}', {last}) FROM \"{name}\""),  # noqa: S608 (names of the schema)
                    {"last": table.counted_to},
                )
            progress(f"database: table {number} of {len(tables)} ({name}).")


async def _count(url: str) -> dict[str, int]:
    async with _transaction(url) as connection:
        columns, _ = await _columns(connection)
        return {
            name: (
                await connection.execute(sa.text(f'SELECT count(*) FROM "{name}"'))  # noqa: S608 (names of the schema)
            ).scalar_one()
            for name in columns
        }


async def _set_aside(url: str, schema: str) -> None:
    async with _transaction(url) as connection:
        if others := await _count_other_sessions(connection):
            raise Conflict(
                f"Something else uses the database ({others} sessions): stop every `kept web` and "
                "`kept worker` first."
            )
        columns, _ = await _columns(connection)
        await connection.execute(sa.text(f'CREATE SCHEMA "{schema}"'))
        for name in (*columns, VERSION_TABLE):
            await connection.execute(sa.text(f'ALTER TABLE "{name}" SET SCHEMA "{schema}"'))


async def _count_other_sessions(connection: AsyncConnection) -> int:
    """The other sessions; one that has just been closed may take a moment to end."""
    for _ in range(SESSION_END_TRIES):
        others: int = (await connection.execute(sa.text(OTHER_SESSIONS))).scalar_one()
        if not others:
            break
        await asyncio.sleep(0.1)
        await connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
    return others


@asynccontextmanager
async def _transaction(url: str, **options: Any) -> AsyncIterator[AsyncConnection]:
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(**options)
            async with connection.begin():
                for statement in SESSION:
                    await connection.execute(sa.text(statement))
                yield connection
    finally:
        await engine.dispose()


async def _driver(connection: AsyncConnection) -> Any:
    """The driver's connection, within the transaction that SQLAlchemy has begun on it."""
    return (await connection.get_raw_connection()).driver_connection


async def _columns(
    connection: AsyncConnection,
) -> tuple[dict[str, list[str]], dict[str, tuple[str, str]]]:
    """The columns of each table, and the numbered column of a table with its sequence."""
    columns: dict[str, list[str]] = {}
    sequences: dict[str, tuple[str, str]] = {}
    for table, column, sequence in await connection.execute(sa.text(COLUMNS)):
        if table != VERSION_TABLE:
            columns.setdefault(table, []).append(column)
            if sequence:
                sequences[table] = (column, sequence)
    return columns, sequences


async def _order(connection: AsyncConnection) -> list[str]:
    """The tables, each after those to which its foreign keys refer."""
    found = await connection.run_sync(
        lambda sync: sa.inspect(sync).get_sorted_table_and_fkc_names()
    )
    return [name for name, _ in found if name]


def _rows(command_tag: str) -> int:
    """The rows in PostgreSQL's answer to COPY, such as `COPY 12`."""
    return int(command_tag.rpartition(" ")[2])
