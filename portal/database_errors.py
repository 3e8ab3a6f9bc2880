"""What a database error means to an operator: its reason, and a sentence without any data.

A driver's own message is repeated only where it cannot hold a value: it may name a role, a
database or a table, never what a customer wrote.
"""

import sqlite3
from enum import StrEnum

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

NOT_MIGRATED = "The database is not at the newest revision: run `kept migrate`."

SQLSTATES_WITHOUT_DATA = ("08", "25", "28", "3D", "42", "53", "55", "57", "58", "F0")
"""Classes of SQLSTATE whose messages name no values (PostgreSQL, appendix A)."""


class DatabaseReason(StrEnum):
    """Why the database did not do what was asked."""

    UNREACHABLE = "unreachable"
    NO_FREE_CONNECTION = "no_free_connection"
    REFUSED = "refused"
    NOT_MIGRATED = "not_migrated"
    CANNOT_WRITE = "cannot_write"
    OTHER = "other"


REASONS_BY_CODE = {
    "08": DatabaseReason.UNREACHABLE,  # connection exception
    "57P": DatabaseReason.UNREACHABLE,  # the server stops or starts
    "55000": DatabaseReason.UNREACHABLE,  # the database takes no connections
    "53300": DatabaseReason.NO_FREE_CONNECTION,
    "28": DatabaseReason.REFUSED,  # role, password or pg_hba.conf
    "3D": DatabaseReason.REFUSED,  # no such database
    "42P01": DatabaseReason.NOT_MIGRATED,  # no such table
    "42703": DatabaseReason.NOT_MIGRATED,  # no such column
    "3F000": DatabaseReason.NOT_MIGRATED,  # no such schema
    "53100": DatabaseReason.CANNOT_WRITE,  # the disk is full
    "25006": DatabaseReason.CANNOT_WRITE,  # read only
    "58030": DatabaseReason.CANNOT_WRITE,  # input or output
    "SQLITE_FULL": DatabaseReason.CANNOT_WRITE,
    "SQLITE_READONLY": DatabaseReason.CANNOT_WRITE,
    "SQLITE_IOERR": DatabaseReason.CANNOT_WRITE,
    "SQLITE_CANTOPEN": DatabaseReason.CANNOT_WRITE,
}
"""By the beginning of an SQLSTATE (PostgreSQL, appendix A), or of SQLite's name of an error."""
SQLITE_UNDEFINED = ("no such table", "no such column")
SENTENCES = {
    DatabaseReason.UNREACHABLE: "The database cannot be reached",
    DatabaseReason.NO_FREE_CONNECTION: "The database has no free connection",
    DatabaseReason.REFUSED: "The database refuses the connection, see DATABASE_URL",
    DatabaseReason.CANNOT_WRITE: "The database cannot write",
    DatabaseReason.OTHER: "The database refuses",
}
PASSING = frozenset({DatabaseReason.UNREACHABLE, DatabaseReason.NO_FREE_CONNECTION})
"""Reasons that pass by themselves: the server starts, restarts, is out of reach or is full."""
CODES_WITHOUT_ROW = (
    "0A",  # a prepared statement is outdated after a migration
    "25P03",  # the transaction was idle for too long
    "25P04",  # the transaction took too long
    "40",  # deadlock, serialization failure
    "42",  # a missing permission, a wrong schema
    "53",  # out of memory or connections
    "55",  # a lock was not available
    "57",  # cancelled by the operator or a time limit
    "58",  # system error
    "XX",  # internal error, damaged data
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_NOMEM",
    "SQLITE_INTERRUPT",
    "SQLITE_PERM",
    "SQLITE_PROTOCOL",
    "SQLITE_CORRUPT",
    "SQLITE_NOTADB",
)
"""Beginnings of codes whose error no single row causes. Classes 22 and 23 are always of a row."""


def find_reason(error: BaseException) -> DatabaseReason:
    """The reason of an error of SQLAlchemy, a driver or the network."""
    if isinstance(error, PoolTimeout):
        return DatabaseReason.NO_FREE_CONNECTION
    cause = driver_error(error)
    is_cut = isinstance(error, DBAPIError) and error.connection_invalidated
    if is_cut or isinstance(cause, OSError):
        return DatabaseReason.UNREACHABLE
    if isinstance(cause, sqlite3.Error) and str(cause).startswith(SQLITE_UNDEFINED):
        return DatabaseReason.NOT_MIGRATED
    code = _code(cause)
    found = (reason for start, reason in REASONS_BY_CODE.items() if code.startswith(start))
    return next(found, DatabaseReason.OTHER)


def is_database_away(error: BaseException) -> bool:
    """Whether the database, rather than a row in it, is the cause.

    The class of the exception does not say it: SQLAlchemy raises a value out of range as plain
    DBAPIError with asyncpg, and a text that is not UTF-8 as OperationalError with SQLite.
    """
    if find_reason(error) is not DatabaseReason.OTHER:
        return True
    return _code(driver_error(error)).startswith(CODES_WITHOUT_ROW)


def describe(error: BaseException) -> str:
    """One sentence for an operator, with the driver's message where that names no values."""
    reason = find_reason(error)
    if reason is DatabaseReason.NOT_MIGRATED:
        return NOT_MIGRATED
    if isinstance(error, PoolTimeout):
        return (
            "The database has no free connection: all KEPT_DATABASE_POOL_SIZE connections of this "
            "process are in use."
        )
    return f"{SENTENCES[reason]}: {driver_message(error)}."


def driver_message(error: BaseException) -> str:
    """The first line of the driver's message; only its code or class where it could hold a value."""
    cause = driver_error(error)
    code = _code(cause)
    # Without a name it is Python's: one repeats the text that it could not decode.
    is_named_by_sqlite = isinstance(cause, sqlite3.Error) and code != ""
    if isinstance(cause, OSError) or is_named_by_sqlite or code[:2] in SQLSTATES_WITHOUT_DATA:
        return str(cause).partition("\n")[0].rstrip(".") or type(cause).__name__
    return f"{type(cause).__name__}, {code}" if code else type(cause).__name__


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error within one of SQLAlchemy; any other error as it is."""
    if not isinstance(error, DBAPIError) or not isinstance(error.orig, BaseException):
        return error
    return error.orig.__cause__ or error.orig


def _code(cause: BaseException) -> str:
    """The SQLSTATE, or SQLite's name of the error; empty where there is none."""
    if isinstance(cause, PostgresError):
        return str(cause.sqlstate or "")
    return str(getattr(cause, "sqlite_errorname", None) or "")
