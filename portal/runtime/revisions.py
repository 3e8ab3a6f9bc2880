"""What the migration files and a SQLite file say of the database, read without SQLAlchemy.

The supervisor looks at a SQLite file before it starts anything, and imports no database library.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from portal.errors import PortalError
from portal.paths import MIGRATIONS

REVISION = re.compile(r"""^revision(?:\s*:\s*str)?\s*=\s*["'](\w+)["']""", re.MULTILINE)
BUSY_SECONDS = 30.0  # seconds to wait for a process that is migrating


def known_revisions() -> frozenset[str]:
    """The revisions of all migration files."""
    files = (MIGRATIONS / "versions").glob("*.py")
    return frozenset(found for file in files for found in REVISION.findall(file.read_text()))


def check_revision(revision: str | None) -> None:
    """Raise PortalError if this version of Kept does not know the revision; None is no schema yet."""
    if revision is not None and revision not in known_revisions():
        raise PortalError(
            f"The database is newer than this version of Kept (revision {revision}): install the "
            "newer version."
        )


def read_sqlite_revision(path: Path) -> str | None:
    """The revision of a SQLite file; None if there is no file or no schema.

    Raises PortalError if the file cannot be read as a database.
    """
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            found = connection.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            ).fetchone()
            row = found and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise PortalError(
            f"The database {path} cannot be read ({error}): restore a backup (docs/backup.md)."
        ) from error
    return str(row[0]) if row else None


def find_damage(path: Path, *, thoroughly: bool = False) -> str:
    """What SQLite finds wrong with the file, as one line; empty if it is in order.

    ``thoroughly`` also compares indexes with their tables (integrity_check, not quick_check).
    """
    check = "integrity_check" if thoroughly else "quick_check"
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            (found,) = connection.execute(f"PRAGMA {check}(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return "" if found == "ok" else " ".join(str(found).split())
