"""`kept backup`: the database of one moment, then the attachments, in one archive."""

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from portal.business_time import now
from portal.errors import BadInput, PortalError
from portal.runtime.backup import postgres_copy, sqlite_copy
from portal.runtime.backup.archive import (
    FILE_MEMBER,
    KEY_MEMBER,
    SQLITE_MEMBER,
    ArchiveWriter,
    Manifest,
    Table,
    new_archive,
)
from portal.runtime.backup.errors import plain_errors
from portal.runtime.backup.sqlite_copy import Progress
from portal.runtime.database_start import read_database_revision
from portal.runtime.revisions import check_revision
from portal.settings import Settings

PROGRESS_PARTS = 10  # lines of progress for all attachments


@dataclass(frozen=True)
class Backup:
    """What is in the archive. ``missing`` attachments are named by the database and not stored."""

    manifest: Manifest
    size: int  # bytes
    missing: int
    has_key: bool


def create_backup(settings: Settings, file: Path, *, with_keys: bool, progress: Progress) -> Backup:
    """Write the archive while Kept runs; blocking, outside an event loop.

    An attachment is stored before its row and never changes, so that copying the database first
    gives each row its file. Raises PortalError, and leaves no file, if the database cannot be read
    or is damaged, or if the file exists or cannot be written.
    """
    if not file.parent.is_dir():
        raise BadInput(f"There is no folder {file.parent}.")
    with (
        plain_errors(),
        new_archive(file) as out,
        tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder,
    ):
        return _write(settings, ArchiveWriter(out), Path(folder), progress, with_keys=with_keys)


def _write(
    settings: Settings,
    archive: ArchiveWriter,
    folder: Path,
    progress: Progress,
    *,
    with_keys: bool,
) -> Backup:
    made_at = now()
    path = settings.database_path
    revision = read_database_revision(settings)
    check_revision(revision)
    if revision is None:
        raise PortalError("There is nothing to back up: the database has no tables yet.")
    if path is not None:
        copy = folder / "kept.db"
        sqlite_copy.copy_database(path, copy, progress)
        tables, digests = sqlite_copy.count_rows(copy), sqlite_copy.stored_digests(copy)
        archive.add(SQLITE_MEMBER, copy)
        copy.unlink()
    else:
        tables = postgres_copy.dump_tables(settings.database_url, folder, progress)
        digests = _digests(folder, tables)
        for name in tables:
            archive.add(f"database/{name}.copy", folder / f"{name}.copy")
    files = _add_files(settings.files_dir, archive, progress)
    key = settings.data_dir / "secret_key"
    has_key = with_keys and not settings.configured_secret_keys and key.is_file()
    if has_key:
        archive.add(KEY_MEMBER, key)
    manifest = Manifest(
        version=version("kept"),
        revision=revision,
        engine="sqlite" if path is not None else "postgresql",
        made_at=made_at.isoformat(timespec="seconds"),
        files=files,
        tables=tables,
        members=archive.members,
    )
    archive.finish(manifest)
    missing = sum(f"files/{digest[:2]}/{digest}" not in archive.members for digest in digests)
    size = sum(member.size for member in archive.members.values())
    return Backup(manifest, size, missing, has_key)


def _add_files(folder: Path, archive: ArchiveWriter, progress: Progress) -> int:
    """Add every attachment, and give how many; what else is in the folder is not ours.

    One that is erased meanwhile is left out.
    """
    found = sorted(folder.glob("[0-9a-f][0-9a-f]/*"))
    names = {f"files/{path.parent.name}/{path.name}": path for path in found}
    ours = {name: path for name, path in names.items() if FILE_MEMBER.fullmatch(name)}
    step = max(len(ours) // PROGRESS_PARTS, 1)
    added = 0
    for number, (name, path) in enumerate(ours.items(), 1):
        with suppress(FileNotFoundError):
            archive.add(name, path)
            added += 1
        if number % step == 0 or number == len(ours):
            progress(f"attachments: {number} of {len(ours)}.")
    return added


def _digests(folder: Path, tables: Mapping[str, Table]) -> set[str]:
    """The digests of stored attachments in a copied table; COPY escapes tabs in values."""
    columns = tables["attachment"].columns
    state, digest = columns.index("state"), columns.index("digest")
    with (folder / "attachment.copy").open(encoding="utf-8", newline="\n") as rows:
        fields = (row.rstrip("\n").split("\t") for row in rows)
        return {row[digest] for row in fields if row[state] == "stored"}
