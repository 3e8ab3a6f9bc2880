"""The check of the database before a process serves, sends or changes anything."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from portal.database import Database
from portal.errors import PortalError
from portal.runtime.data_folder import check_sqlite_database, database_path
from portal.runtime.migrations import is_current, migrate, read_revision
from portal.runtime.revisions import NOT_MIGRATED, check_revision, read_sqlite_revision
from portal.settings import Settings

UNAVAILABLE = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.TooManyConnectionsError,
)
"""Causes that pass by themselves: the server starts, restarts, or is out of reach or full."""


def prepare_database(settings: Settings) -> None:
    """Migrate a SQLite database; check a PostgreSQL database, which only `kept migrate` changes.

    Blocking, outside an event loop. Raises PortalError if the database is newer than this version
    of Kept, is not migrated, cannot be read, or refuses the connection. A server that is only
    unavailable now raises nothing: web and worker wait for it.
    """
    if settings.is_single_machine:
        migrate_database(settings)
        return
    try:
        with plain_database_errors():
            asyncio.run(check_database(settings.database_url))
    except DatabaseUnavailable:
        return


def migrate_database(settings: Settings) -> None:
    """Bring the database to the newest revision. Blocking, outside an event loop.

    Raises PortalError if the database is newer than this version of Kept, or refuses.
    """
    with plain_database_errors():
        if settings.is_single_machine:
            check_sqlite_database(settings)
        else:
            check_revision(read_database_revision(settings))
        migrate(settings.database_url)


async def check_database(url: str) -> None:
    """Raise PortalError unless the database is at the newest revision."""
    database = Database(url)
    try:
        check_revision(await read_revision(database))
        if not await is_current(database):
            raise PortalError(NOT_MIGRATED)
    finally:
        await database.close()


def read_database_revision(settings: Settings) -> str | None:
    """The revision of the database; None if it has no schema. Blocking, outside an event loop."""
    path = database_path(settings)
    if path is not None:
        return read_sqlite_revision(path)
    return asyncio.run(_revision(settings.database_url))


async def _revision(url: str) -> str | None:
    database = Database(url)
    try:
        return await read_revision(database)
    finally:
        await database.close()


class DatabaseUnavailable(PortalError):
    """The database server does not answer now."""

    status = 503


@contextmanager
def plain_database_errors() -> Iterator[None]:
    """Turn a database error into a PortalError of one sentence, without the SQL."""
    try:
        yield
    except OSError as error:
        raise DatabaseUnavailable(f"The database cannot be reached: {error}.") from error
    except SQLAlchemyError as error:
        driver = getattr(error, "orig", None)
        cause = driver.__cause__ if isinstance(driver, Exception) else None
        if isinstance(cause, UNAVAILABLE):
            raise DatabaseUnavailable(f"The database cannot be reached: {cause}.") from error
        reason = str(cause or driver or error).partition("\n")[0].rstrip(".")
        raise PortalError(f"The database refuses: {reason}.") from error
