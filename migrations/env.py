"""The environment of Alembic: the same engine and the same tables as the product."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import portal.models  # noqa: F401 (makes the tables known)
from portal.database import create_engine
from portal.errors import PortalError
from portal.runtime.migrations import MIGRATION_LOCK


def run(connection: Connection) -> None:
    """Bring this connection's database to the wanted revision, in one transaction.

    It is begun before Alembic looks where the database is: of several processes one migrates, and
    the others wait and find it done. (SQLite: BEGIN IMMEDIATE. Left to itself Alembic would end a
    transaction after each step there.) Raises PortalError, and changes nothing, where a row would
    refer to one that is gone.
    """
    if connection.dialect.name == "sqlite":
        _suspend_foreign_keys(connection)
    connection.begin()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        # A migration that cannot get its lock soon gives up rather than stop all traffic.
        connection.exec_driver_sql("SET lock_timeout = '10s'")
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            _check_foreign_keys(connection)


def _suspend_foreign_keys(connection: Connection) -> None:
    """Let a batch change drop and rename a table that others refer to; for this connection only.

    Not by a statement of SQLAlchemy's, which begins a transaction, in which this has no effect:
    https://www.sqlite.org/lang_altertable.html#otheralter
    """
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        raise PortalError(
            f"The database was not migrated: {len(broken)} rows of {tables} would refer to rows "
            "that are gone. Nothing was changed."
        )


async def connect_and_run(url: str) -> None:
    """Open a connection of our own when the command line has none to give."""
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(connect_and_run(context.config.attributes["url"]))
