"""Paths: the product's own files, in an installed package or in the tree, and private folders."""

import contextlib
import os
from pathlib import Path

PACKAGE = Path(__file__).parent
SHIPPED = PACKAGE / "shipped"
STATIC = PACKAGE / "static"


def _place(name: str) -> Path:
    installed = SHIPPED / name
    return installed if installed.exists() else PACKAGE.parent / name


TEMPLATES = _place("templates")
TRANSLATIONS = PACKAGE / "i18n" / "locale"
MIGRATIONS = _place("migrations")


def make_private_folder(path: Path) -> None:
    """Create the folder and its missing parents for this user alone (mode 0700).

    A folder that exists keeps its mode. Raises OSError.
    """
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Create an empty file that only this user can read (mode 0600), unless there is one.

    A file that exists is not opened: a process that closes any descriptor of a SQLite database
    loses its locks on it (POSIX advisory locks, https://sqlite.org/howtocorrupt.html).
    """
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
