"""`kept restore`: a verified archive into an empty database, or in place of a full one."""

import hashlib
import sqlite3
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from portal.business_time import now
from portal.errors import Conflict, PortalError
from portal.paths import make_private_folder
from portal.runtime.backup import postgres_copy, sqlite_copy
from portal.runtime.backup.archive import (
    KEY_MEMBER,
    SQLITE_MEMBER,
    ArchiveReader,
    Manifest,
    open_archive,
)
from portal.runtime.backup.errors import plain_errors
from portal.runtime.backup.sqlite_copy import Progress
from portal.runtime.data_folder import locked_data_folder
from portal.runtime.database_start import read_database_revision
from portal.runtime.migrations import migrate
from portal.runtime.revisions import find_damage, known_revisions
from portal.settings import Settings

NOT_EMPTY = (
    "The database is not empty: restore into another data folder or database, or give --replace, "
    "which keeps the old data aside."
)


@dataclass(frozen=True)
class Restored:
    """What was restored; ``aside`` is where the old data is now, empty if there was none."""

    manifest: Manifest
    aside: str
    has_key: bool


def restore_backup(
    settings: Settings, file: Path, *, replace: bool, progress: Progress
) -> Restored:
    """Restore the archive and migrate it forward; blocking, outside an event loop.

    The archive is verified before anything is written, and the database comes last: a failure before
    that adds attachments and changes nothing. Raises PortalError if the archive is damaged, of
    another engine or of a revision that this version does not know, if the target is not empty and
    ``replace`` is not given, or if Kept runs on the target.
    """
    with plain_errors(), open_archive(file) as archive:
        _check(archive, settings)
        progress(f"verifying the {len(archive.manifest.members)} members of {file}.")
        archive.verify()
        with locked_data_folder(settings.data_dir):
            restore = _Restore(archive, settings, progress, replace=replace)
            aside = restore.sqlite() if settings.is_single_machine else restore.postgres()
            has_key = restore.key()
    return Restored(archive.manifest, aside, has_key)


def _check(archive: ArchiveReader, settings: Settings) -> None:
    """Refuse an archive that does not fit this database or this version of Kept."""
    manifest = archive.manifest
    engine = "sqlite" if settings.is_single_machine else "postgresql"
    if manifest.engine != engine:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise Conflict(
            f"The backup is of a {names[manifest.engine]} database and DATABASE_URL names a "
            f"{names[engine]} one: a backup is restored into the database it came from."
        )
    if manifest.revision not in known_revisions():
        raise Conflict(
            f"The backup is of revision {manifest.revision}, by Kept {manifest.version}, which this "
            "version does not know: restore it with the newer version."
        )
    tables = {f"database/{name}.copy" for name in manifest.tables}
    wanted = {SQLITE_MEMBER} if settings.is_single_machine else tables
    if {name for name in manifest.members if name.startswith("database/")} != wanted:
        raise archive.damaged("its database is not that of its manifest")


class _Restore:
    """One restore; the data folder is locked."""

    def __init__(
        self, archive: ArchiveReader, settings: Settings, progress: Progress, *, replace: bool
    ) -> None:
        self._archive = archive
        self._settings = settings
        self._progress = progress
        self._replace = replace
        self._time = f"{now():%Y%m%dT%H%M%SZ}"

    def sqlite(self) -> str:
        """Put the file in the place of the database's; returns the folder of the old one."""
        path = self._settings.database_path
        assert path is not None  # noqa: S101 (it is a SQLite database)
        make_private_folder(path.parent)
        is_full = path.exists() and _has_rows(path)
        if is_full and not self._replace:
            raise Conflict(NOT_EMPTY)
        if path.exists():
            with suppress(sqlite3.DatabaseError):  # a damaged one is kept aside as it is
                sqlite_copy.make_single_file(path)
        with tempfile.TemporaryDirectory(prefix=".restore.", dir=path.parent) as folder:
            copy = Path(folder) / path.name
            self._archive.extract(SQLITE_MEMBER, copy)
            if damage := find_damage(copy, thoroughly=True):
                raise self._archive.damaged(damage)
            if sqlite_copy.count_rows(copy) != self._archive.manifest.tables:
                raise self._archive.damaged("it has other rows than its manifest says")
            self._progress("migrating the database.")
            url = make_url(self._settings.database_url).set(database=str(copy))
            migrate(url.render_as_string(hide_password=False))
            sqlite_copy.make_single_file(copy)
            self._files()
            aside = self._aside(path.parent) if is_full else None
            for suffix in ("-wal", "-shm", ""):
                old = path.with_name(path.name + suffix)
                if aside is not None and old.exists():
                    old.rename(aside / old.name)
                else:
                    old.unlink(missing_ok=True)
            copy.rename(path)
        return str(aside or "")

    def postgres(self) -> str:
        """Fill the tables; returns the schema of the old ones."""
        url, manifest = self._settings.database_url, self._archive.manifest
        revision, rows = read_database_revision(self._settings), postgres_copy.count_rows(url)
        if not self._replace:
            if any(rows.values()):
                raise Conflict(NOT_EMPTY)
            if revision not in {None, manifest.revision}:
                raise Conflict(
                    f"The database has empty tables of revision {revision}, and the backup is of "
                    f"{manifest.revision}: restore into a database without tables, or give --replace."
                )
        schema = ""
        make_private_folder(self._settings.data_dir)
        with tempfile.TemporaryDirectory(prefix=".restore.", dir=self._settings.data_dir) as made:
            folder = Path(made)
            for name in manifest.tables:
                self._archive.extract(f"database/{name}.copy", folder / f"{name}.copy")
            self._files()
            if self._replace and rows:
                schema = f"before_restore_{self._time.lower()}"
                postgres_copy.set_aside(url, schema)
            try:
                with plain_errors():
                    migrate(url, manifest.revision)
                    postgres_copy.load_tables(url, folder, manifest.tables, self._progress)
                    self._progress("migrating the database.")
                    migrate(url)
            except PortalError as error:
                where = f" The old tables are in the schema {schema}." if schema else ""
                raise PortalError(f"{error.detail}{where}") from error
        return f"the schema {schema}" if schema else ""

    def key(self) -> bool:
        """Restore the secret key if the archive has it; another one in its place is kept aside."""
        if KEY_MEMBER not in self._archive.manifest.members:
            return False
        path = self._settings.data_dir / "secret_key"
        if path.exists():
            if _sha256(path) == self._archive.manifest.members[KEY_MEMBER].sha256:
                return True
            path.rename(self._aside(path.parent) / path.name)
        self._archive.extract(KEY_MEMBER, path)
        return True

    def _files(self) -> None:
        """Add the attachments that are not there; the same name means the same bytes."""
        names = [name for name in self._archive.manifest.members if name.startswith("files/")]
        step = max(len(names) // 10, 1)
        for number, name in enumerate(names, 1):
            path = self._settings.files_dir / name.removeprefix("files/")
            make_private_folder(path.parent)
            if not (path.exists() and _sha256(path) == self._archive.manifest.members[name].sha256):
                draft = path.with_name(f".restore.{path.name}")
                draft.unlink(missing_ok=True)
                self._archive.extract(name, draft)
                draft.replace(path)
            if number % step == 0 or number == len(names):
                self._progress(f"attachments: {number} of {len(names)}.")

    def _aside(self, parent: Path) -> Path:
        folder = parent / f"before-restore-{self._time}"
        make_private_folder(folder)
        return folder


def _has_rows(path: Path) -> bool:
    """Whether the file is anything but a database without rows."""
    try:
        return any(table.rows for table in sqlite_copy.count_rows(path).values())
    except sqlite3.DatabaseError:
        return True  # a damaged one may be what is replaced


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
