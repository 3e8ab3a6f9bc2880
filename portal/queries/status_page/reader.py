"""Reads the status page by one statement, through the database's driver and without the ORM.

A page is viewed far more often than it changes, so a view asks only ``find_version``. A changed
page is read by ``find_page_row``: one statement with the page's version and its content, so that
new content is never cached under an old version.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from portal.models import ServiceRequest
from portal.queries.status_page.rows import StatusPageRow, read_status_page_row
from portal.queries.status_page.statements import compile_statements

BUSY_TIMEOUT_MS = 250
"""Milliseconds that the event loop waits for SQLite at most; in WAL mode a read rarely waits."""
POOL_SIZE = 4
"""Connections to PostgreSQL for each process; a read takes well under a millisecond."""
QUERY_TIMEOUT_SECONDS = 5.0
"""Seconds for PostgreSQL to connect, and to answer; after them it counts as unavailable."""
DATABASE_UNAVAILABLE = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # The driver's error where a server stops in the middle of an answer.
    asyncpg.InternalClientError,
)


class PageVersion(NamedTuple):
    """A cached page is valid while these are unchanged."""

    request_id: int
    page_version: int
    locale: str


class StatusPageReader(Protocol):
    """Reads for status pages. Raises OperationalError (SQLAlchemy) where the database is unavailable."""

    async def find_version(self, token: str) -> PageVersion | None:
        """The version of the page behind this link; None for an unknown or a revoked link."""

    async def find_page_row(self, token: str) -> StatusPageRow | None:
        """Everything on the page behind this link; None for an unknown or a revoked link."""

    async def get_workflow(self, workflow_id: int) -> str:
        """The document of a workflow version, which never changes."""

    async def close(self) -> None:
        """Close the connections."""


def create_status_page_reader(engine: AsyncEngine) -> StatusPageReader:
    """The reader for this engine's database; it connects on the first read."""
    return SqliteReader(engine) if engine.dialect.name == "sqlite" else PostgresReader(engine)


async def page_versions(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, int]:
    """The page_version of each of these requests."""
    query = sa.select(col(ServiceRequest.id), col(ServiceRequest.page_version)).where(
        col(ServiceRequest.id).in_(list(ids))
    )
    return {row.id: row.page_version for row in await connection.execute(query)}


class SqliteReader:
    """Reads on the event loop: a read of a mapped file costs less than a switch of threads."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._path = engine.url.database or ""
        self._statements = compile_statements(engine.dialect, "json_group_array", "json_array")
        self._connection: sqlite3.Connection | None = None

    async def find_version(self, token: str) -> PageVersion | None:
        """See StatusPageReader."""
        row = self._first(self._statements.version, token)
        return PageVersion._make(row) if row else None

    async def find_page_row(self, token: str) -> StatusPageRow | None:
        """See StatusPageReader."""
        row = self._first(self._statements.page, token)
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
    """Reads through a pool of its own, whose connections prepare each statement once."""

    def __init__(self, engine: AsyncEngine) -> None:
        _, self._arguments = engine.dialect.create_connect_args(engine.url)
        self._statements = compile_statements(engine.dialect, "json_agg", "json_build_array")
        self._pool: asyncpg.Pool | None = None

    async def find_version(self, token: str) -> PageVersion | None:
        """See StatusPageReader."""
        row = await self._first(self._statements.version, token)
        return PageVersion._make(row) if row else None

    async def find_page_row(self, token: str) -> StatusPageRow | None:
        """See StatusPageReader."""
        row = await self._first(self._statements.page, token)
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
            # Awaiting the pool again does nothing once it is ready.
            await self._pool
            async with self._pool.acquire() as connection:
                return await connection.fetchrow(statement, key)
        except DATABASE_UNAVAILABLE as error:
            raise OperationalError(statement, None, error) from error

    def _make_pool(self) -> asyncpg.Pool:
        names = ("host", "port", "user", "password", "database", "ssl", "passfile", "timeout")
        options = {name: value for name, value in self._arguments.items() if name in names}
        return asyncpg.create_pool(
            **{"timeout": QUERY_TIMEOUT_SECONDS, **options},
            command_timeout=QUERY_TIMEOUT_SECONDS,
            min_size=0,
            max_size=POOL_SIZE,
            server_settings={"timezone": "UTC", "default_transaction_read_only": "on"},
            reset=_nothing_to_reset,
        )


async def _nothing_to_reset(connection: Any) -> None:
    """The connections only read, so a reset would cost a round trip for no effect."""
    del connection
