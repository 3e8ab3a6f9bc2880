"""The customer's page by one statement, through the driver and without the ORM.

A page is looked at far more often than it changes, so a view asks only ``find_version``. What has
changed is read anew by ``find_page_row``: one statement with the page's version and all that
stands on the page, so that a new page is never kept under an old version.
"""

import sqlite3
from typing import Any, NamedTuple, Protocol

import asyncpg
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from portal.queries.status_page.rows import (
    StatusPageRow,
    StatusPageStatements,
    read_status_page_row,
)

BUSY_TIMEOUT_MS = 250
"""Milliseconds at most that the loop waits for SQLite, which a reader in WAL mode hardly does."""
POOL_SIZE = 4
"""To PostgreSQL, for each process; a read takes well under a millisecond."""
QUERY_TIMEOUT_SECONDS = 5.0
"""Seconds for PostgreSQL to let us in, and to answer; then it is away, and the page says so."""
DATABASE_UNAVAILABLE = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A server that goes in the middle of an answer leaves the driver in a state that it does not know.
    asyncpg.InternalClientError,
)


class PageVersion(NamedTuple):
    """What a page kept in memory must match to be true still."""

    request_id: int
    page_version: int
    locale: str


class StatusPageReader(Protocol):
    """Reads for the customer's pages; each raises SQLAlchemy's OperationalError when it cannot."""

    async def find_version(self, token: str) -> PageVersion | None:
        """What this link opens; None for an unknown or revoked one, which cost the same."""

    async def find_page_row(self, token: str) -> StatusPageRow | None:
        """All that stands on the page that this link opens."""

    async def get_workflow(self, workflow_id: int) -> str:
        """A workflow version's document, which never changes."""

    async def close(self) -> None:
        """Give the connections back."""


def create_status_page_reader(engine: AsyncEngine) -> StatusPageReader:
    """The reader for this engine's database; it connects when first asked."""
    return SqliteReader(engine) if engine.dialect.name == "sqlite" else PostgresReader(engine)


class SqliteReader:
    """Reads on the loop itself: a look at a mapped file costs less than a thread's turn."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._path = engine.url.database or ""
        self._statements = StatusPageStatements(engine, "json_group_array", "json_array")
        self._connection: sqlite3.Connection | None = None

    async def find_version(self, token: str) -> PageVersion | None:
        """See StatusPageReader."""
        row = self._first(self._statements.version, token)
        return PageVersion._make(row) if row else None

    async def find_page_row(self, token: str) -> StatusPageRow | None:
        """See StatusPageReader."""
        row = self._first(self._statements.snapshot, token)
        return read_status_page_row(row) if row else None

    async def get_workflow(self, workflow_id: int) -> str:
        """See StatusPageReader."""
        return str(self._first(self._statements.workflow, workflow_id)[0])

    async def close(self) -> None:
        """See StatusPageReader."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _first(self, statement: str, key: str | int) -> Any:
        try:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection.execute(statement, (key,)).fetchone()
        except sqlite3.Error as error:
            raise OperationalError(statement, None, error) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA mmap_size=268435456")
        connection.execute("PRAGMA query_only=ON")
        return connection


class PostgresReader:
    """Reads through a few connections of its own, whose statements are prepared once."""

    def __init__(self, engine: AsyncEngine) -> None:
        _, self._arguments = engine.dialect.create_connect_args(engine.url)
        self._statements = StatusPageStatements(engine, "json_agg", "json_build_array")
        self._pool: asyncpg.Pool | None = None

    async def find_version(self, token: str) -> PageVersion | None:
        """See StatusPageReader."""
        row = await self._first(self._statements.version, token)
        return PageVersion._make(row) if row else None

    async def find_page_row(self, token: str) -> StatusPageRow | None:
        """See StatusPageReader."""
        row = await self._first(self._statements.snapshot, token)
        return read_status_page_row(row) if row else None

    async def get_workflow(self, workflow_id: int) -> str:
        """See StatusPageReader."""
        return str((await self._first(self._statements.workflow, workflow_id))[0])

    async def close(self) -> None:
        """See StatusPageReader."""
        if self._pool is not None:
            await self._pool.close()

    async def _first(self, statement: str, key: str | int) -> Any:
        if self._pool is None:
            self._pool = self._make_pool()
        try:
            # Awaiting a pool that has no connection to open yet only marks it as ready.
            await self._pool
            async with self._pool.acquire() as connection:
                return await connection.fetchrow(statement, key)
        except DATABASE_UNAVAILABLE as error:
            raise OperationalError(statement, None, error) from error

    def _make_pool(self) -> asyncpg.Pool:
        known = ("host", "port", "user", "password", "database", "ssl", "passfile", "timeout")
        given = {name: told for name, told in self._arguments.items() if name in known}
        return asyncpg.create_pool(
            **{"timeout": QUERY_TIMEOUT_SECONDS, **given},
            command_timeout=QUERY_TIMEOUT_SECONDS,
            min_size=0,
            max_size=POOL_SIZE,
            server_settings={"timezone": "UTC", "default_transaction_read_only": "on"},
            reset=_nothing_to_reset,
        )


async def _nothing_to_reset(connection: Any) -> None:
    """Only reads run here, so nothing is left behind that would be worth a round trip."""
    del connection
