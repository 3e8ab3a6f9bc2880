"""A SQLite database as one file, of one moment, while others write."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from portal.errors import Conflict, PortalError
from portal.runtime.backup.archive import Table
from portal.runtime.revisions import BUSY_SECONDS, find_damage

PAGES_A_STEP = 1_000  # 4 MB; progress is reported between two steps

Progress = Callable[[str], None]
"""Takes one line for the operator."""


def copy_database(source: Path, target: Path, progress: Progress) -> None:
    """Copy the database as it is now to a new file, without a WAL.

    The read transaction keeps the moment: in WAL mode writers go on, and the backup API need not
    start again after each of their commits. Raises PortalError if the copy is damaged.
    """
    reported = 0

    def report(_status: int, remaining: int, total: int) -> None:
        nonlocal reported
        percent = 100 - 100 * remaining // max(total, 1)
        if percent >= reported + 10:
            reported = percent
            progress(f"database: {percent} % copied.")

    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with (
        closing(sqlite3.connect(source, isolation_level=None, timeout=BUSY_SECONDS)) as reading,
        closing(sqlite3.connect(target, isolation_level=None)) as writing,
    ):
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(writing, pages=PAGES_A_STEP, progress=report)
        reading.execute("ROLLBACK")
        writing.execute("PRAGMA journal_mode=DELETE")
    if damage := find_damage(target, thoroughly=True):
        raise PortalError(
            f"The database {source} is damaged ({damage}), so no backup was made: restore an "
            "earlier one (docs/backup.md)."
        )


def count_rows(path: Path) -> dict[str, Table]:
    """The rows of each table of the product."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' "
            "AND name NOT LIKE 'sqlite%' AND name <> 'alembic_version' ORDER BY name"
        ).fetchall()
        return {
            name: Table(rows=connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608 (names of the schema)
            for (name,) in names
        }


def stored_digests(path: Path) -> set[str]:
    """The digests of the attachments that the database names."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT digest FROM attachment WHERE state = 'stored'")
        return {digest for (digest,) in rows}


def make_single_file(path: Path) -> None:
    """Move what the WAL holds into the database; the file is then whole by itself.

    Raises Conflict if another process has the database open.
    """
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise Conflict(
                    f"Another process uses the database {path}: stop every `kept web` and "
                    "`kept worker` first."
                ) from error
            raise
