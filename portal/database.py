"""The database: SQLite in WAL mode on one machine, PostgreSQL beyond it; one code path."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.database_errors import DatabaseReason, describe, find_reason
from portal.paths import make_private_file, make_private_folder

SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout=30000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a commit survives a power cut (docs/decisions/0018)
    "PRAGMA foreign_keys=ON",
    # What is deleted or replaced is overwritten with zeros, not only marked as free.
    "PRAGMA secure_delete=ON",
    "PRAGMA mmap_size=268435456",
)
DEFAULT_POOL_SIZE = 20  # connections
POOL_WAIT_SECONDS = 10.0  # seconds that a caller waits for a free connection
WAL_WAIT_SECONDS = 30.0
WAL_RETRY_SECONDS = 0.02


def create_engine(url: str, pool_size: int = DEFAULT_POOL_SIZE) -> AsyncEngine:
    """An engine whose SQLite transactions begin IMMEDIATE, so that no update is ever lost.

    A deferred transaction that reads and then writes would silently overwrite another process's
    change (or fail with "locked"); read-only connections say so and begin plainly. ``pool_size`` is
    the most connections; half of them stay open. An error never holds the values of a statement.
    """
    parsed = make_url(url)
    idle = (pool_size + 1) // 2
    options: dict[str, Any] = {
        "pool_size": idle,
        "max_overflow": pool_size - idle,
        "pool_timeout": POOL_WAIT_SECONDS,
        "hide_parameters": True,
    }
    if parsed.get_backend_name() != "sqlite":
        engine = create_async_engine(url, pool_pre_ping=True, **options)
        event.listen(engine.sync_engine, "do_connect", _connect)
        return engine
    if parsed.database:
        # SQLite gives -wal and -shm the mode of the database.
        make_private_folder(Path(parsed.database).parent)
        make_private_file(Path(parsed.database))
    engine = create_async_engine(url, **options)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in SQLITE_PRAGMAS:
            _execute_pragma(cursor, pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        read_only = connection.get_execution_options().get("kept_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _execute_pragma(cursor: Any, pragma: str) -> None:
    """Execute it, again while another process brings a new file into WAL mode.

    That change fails at once where the file is locked, whatever ``busy_timeout`` says.
    """
    deadline = time.monotonic() + WAL_WAIT_SECONDS
    while True:
        try:
            cursor.execute(pragma)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            await_only(asyncio.sleep(WAL_RETRY_SECONDS))
        else:
            return


def _connect(dialect: Any, _record: Any, args: Any, kwargs: Any) -> Any:
    """Connect; a server that is not there is a database's error, like every other.

    Until it is connected the driver's errors come as they are, and nobody would know them.
    """
    try:
        return dialect.connect(*args, **kwargs)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise dialect.dbapi.OperationalError(f"{type(error).__name__}: {error}") from error


class Database:
    """Sessions for work that changes things, and for work that only reads."""

    def __init__(self, url: str, pool_size: int = DEFAULT_POOL_SIZE) -> None:
        self.url = url
        self.engine = create_engine(url, pool_size)
        self._write_failure: tuple[float, str] | None = None
        event.listen(self.engine.sync_engine, "handle_error", self._remember_write_failure)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._reading = self.engine.execution_options(
            **({"kept_read_only": True} if self.is_sqlite else {})
        )
        # SQLite has one writer: waiting here is cheaper than waiting in its busy loop.
        self._one_writer = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        if self._one_writer is None:
            async with self._begun(self.engine) as session:
                yield session
        else:
            async with self._one_writer, self._begun(self.engine) as session:
                yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A consistent look at the data; nothing written here is kept."""
        async with AsyncSession(self._reading, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A bare read-only connection, for the reads that must be fast."""
        async with self._reading.connect() as connection:
            yield connection

    async def truncate_log(self) -> None:
        """Bring SQLite's write-ahead log into the database file and empty it.

        Until then the log still has what was erased. Readers that stay busy for two seconds delay
        it to the next time: writers wait meanwhile. On PostgreSQL nothing happens: VACUUM is the
        server's.
        """
        if not self.is_sqlite:
            return
        async with self.engine.connect() as connection:
            # On the driver's own connection: within a transaction it is refused.
            raw = await connection.get_raw_connection()
            if raw.driver_connection is not None:
                await raw.driver_connection.execute("PRAGMA busy_timeout=2000")
                try:
                    await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    await raw.driver_connection.execute(SQLITE_PRAGMAS[0])

    def recent_write_failure(self, seconds: float) -> str:
        """What kept this process from writing in the last ``seconds``; empty where nothing did."""
        if self._write_failure is None or time.monotonic() - self._write_failure[0] > seconds:
            return ""
        return self._write_failure[1]

    def _remember_write_failure(self, context: sa.engine.ExceptionContext) -> None:
        error = context.sqlalchemy_exception or context.original_exception
        if find_reason(error) is DatabaseReason.CANNOT_WRITE:
            self._write_failure = (time.monotonic(), describe(error))

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()

    @staticmethod
    @asynccontextmanager
    async def _begun(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        async with (
            AsyncSession(engine, expire_on_commit=False, autoflush=False) as session,
            session.begin(),
        ):
            yield session
