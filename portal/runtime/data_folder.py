"""The data folder of one machine: private to this user, and used by one `kept serve` at a time."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from portal.errors import Conflict
from portal.paths import make_private_folder
from portal.runtime.revisions import check_revision, read_sqlite_revision
from portal.settings import Settings

LOCK_FILE = "kept.lock"
LOCK_WAIT_SECONDS = 2.0  # seconds in which a process that was just killed lets go of the lock


@contextlib.contextmanager
def locked_data_folder(folder: Path) -> Iterator[None]:
    """Hold the folder until the block ends, as `kept serve` and `kept restore` do.

    The kernel frees the lock of a process that ends in any way. Raises Conflict if another process
    holds it.
    """
    make_private_folder(folder)
    lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while not _lock(lock):
            if time.monotonic() > deadline:
                raise Conflict(
                    f"Another Kept is running on {folder}: stop it first, or choose another folder "
                    "with --data-dir."
                )
            time.sleep(0.05)
        yield
    finally:
        os.close(lock)


def _lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def check_sqlite_database(settings: Settings) -> None:
    """Raise PortalError if the SQLite file is newer than this version of Kept, or is damaged."""
    make_data_private(settings)
    path = settings.database_path
    if path is not None:
        check_revision(read_sqlite_revision(path))


def make_data_private(settings: Settings) -> None:
    """Take data folder, SQLite database, secret key and attachments from every other user.

    Folders get mode 0700, files 0600, whatever the umask was when they were made. A folder of
    attachments outside the data folder keeps its mode, as other machines may share it, and so does
    what belongs to another user. Attachments in a folder that is private already are not looked at.
    """
    path = settings.database_path
    if path is None:
        return
    make_private_folder(settings.data_dir)
    _restrict(settings.data_dir, 0o700)
    _restrict(settings.data_dir / "secret_key", 0o600)
    for suffix in ("", "-wal", "-shm"):
        _restrict(path.with_name(path.name + suffix), 0o600)
    if settings.files_dir.is_relative_to(settings.data_dir) and settings.files_dir.is_dir():
        if not _restrict(settings.files_dir, 0o700):
            return
        for folder, _, names in os.walk(settings.files_dir):
            _restrict(Path(folder), 0o700)
            for name in names:
                _restrict(Path(folder, name), 0o600)


def _restrict(path: Path, mode: int) -> bool:
    """Whether others had access; then only this user has, if the path is ours to change."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        if path.stat().st_mode & 0o077:
            path.chmod(mode)
            return True
    return False
