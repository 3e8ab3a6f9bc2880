"""Errors of files and databases in a backup or a restore, in one sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from portal.errors import PortalError
from portal.runtime.database_start import plain_database_errors


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn an error of a file or a database into a PortalError of one sentence."""
    with plain_database_errors():
        try:
            yield
        except OSError as error:
            place = error.filename or "The backup"
            raise PortalError(
                f"{place} cannot be read or written: {error.strerror or error}."
            ) from error
        except (sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise PortalError(f"The database refuses: {reason}.") from error
