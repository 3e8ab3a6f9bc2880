"""Alembic's way in: the same engine and the same tables as the product."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import portal.models  # noqa: F401 (makes the tables known)
from portal.database import create_engine
from portal.runtime.migrations import MIGRATION_LOCK


def run(connection: Connection) -> None:
    """Bring this connection's database to the wanted revision, in one transaction.

    It is begun before Alembic looks where the database is: of several processes one migrates, and
    the others wait and find it done. (SQLite: BEGIN IMMEDIATE. Left to itself Alembic would end a
    transaction after each step there.)
    """
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


async def connect_and_run(url: str) -> None:
    """Open a connection of our own when the command line has none to give."""
    engine = create_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect_and_run(context.config.attributes["url"]))
