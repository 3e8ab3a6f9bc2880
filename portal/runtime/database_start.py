"""The check of the database before a process serves, sends or changes anything."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from portal.database import Database
from portal.database_errors import NOT_MIGRATED, PASSING, describe, find_reason
from portal.errors import PortalError
from portal.runtime.data_folder import check_sqlite_database
from portal.runtime.migrations import is_current, migrate, read_revision
from portal.runtime.revisions import check_revision, read_sqlite_revision
from portal.settings import Settings


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
            asyncio.run(check_database_at(settings.database_url))
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


async def check_database(database: Database) -> None:
    """Raise PortalError unless the database is at the newest revision."""
    check_revision(await read_revision(database))
    if not await is_current(database):
        raise PortalError(NOT_MIGRATED)


async def check_database_at(url: str) -> None:
    """The same, of the database at this address."""
    database = Database(url)
    try:
        await check_database(database)
    finally:
        await database.close()


def read_database_revision(settings: Settings) -> str | None:
    """The revision of the database; None if it has no schema. Blocking, outside an event loop."""
    path = settings.database_path
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
    """The database server does not answer now, or has no free connection."""

    status = 503


@contextmanager
def plain_database_errors() -> Iterator[None]:
    """Turn an error of the database into a PortalError of one sentence, without the SQL.

    So too an error of a file, which names the file and not the database.
    """
    try:
        yield
    except SQLAlchemyError as error:
        kind = DatabaseUnavailable if find_reason(error) in PASSING else PortalError
        raise kind(describe(error)) from error
    except OSError as error:
        if error.filename is None:
            raise
        raise PortalError(
            f"{error.filename} cannot be read or written: {error.strerror or error}."
        ) from error
