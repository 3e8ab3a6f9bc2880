"""The archive of a backup: a tar file whose last members are a manifest and its digest."""

import fcntl
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from portal.errors import BadInput, Conflict

MANIFEST, MANIFEST_DIGEST = "manifest.json", "manifest.sha256"
SQLITE_MEMBER = "database/kept.db"
KEY_MEMBER = "keys/secret_key"
FILE_MEMBER = re.compile(r"files/([0-9a-f]{2})/\1[0-9a-f]{62}(?:\.small)?")
TABLE_MEMBER = re.compile(r"database/([a-z][a-z0-9_]{0,62})\.copy")
MAX_MANIFEST_BYTES = 500_000_000  # bytes; about three million attachments
CHUNK_BYTES = 1 << 20
DAMAGED = "The backup {file} is damaged or incomplete ({reason}); nothing was restored."


class Member(BaseModel):
    """One member: its bytes and its SHA-256 in hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: int
    sha256: str


class Table(BaseModel):
    """One table: its rows, its columns in the order of the copy, and how far its keys have counted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rows: int
    columns: list[str] = []
    counted_to: int | None = None


class Manifest(BaseModel):
    """What the archive holds, and from which database.

    ``version`` is Kept's, ``revision`` the schema's, ``made_at`` an ISO 8601 time in UTC. ``tables``
    stand in the order of their foreign keys; ``members`` are all others by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1] = 1
    version: str
    revision: str
    engine: Literal["sqlite", "postgresql"]
    made_at: str
    files: int
    tables: dict[str, Table]
    members: dict[str, Member]


class ArchiveWriter:
    """Adds members to a tar file, and keeps their digests."""

    def __init__(self, file: IO[bytes]) -> None:
        self.members: dict[str, Member] = {}
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, name: str, path: Path) -> None:
        """Add a file. Raises OSError; FileNotFoundError if there is none."""
        with path.open("rb") as source:
            digest = _Digest(source)
            size = os.fstat(source.fileno()).st_size
            self._add(name, size, digest)
        self.members[name] = Member(size=size, sha256=digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest and end the archive."""
        data = manifest.model_dump_json(indent=1).encode()
        self._add(MANIFEST, len(data), io.BytesIO(data))
        digest = hashlib.sha256(data).hexdigest().encode()
        self._add(MANIFEST_DIGEST, len(digest), io.BytesIO(digest))
        self._tar.close()

    def _add(self, name: str, size: int, source: "IO[bytes] | _Digest") -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._tar.addfile(info, source)


class _Digest:
    """A file that is read once, and its SHA-256 so far."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def new_archive(path: Path) -> Iterator[IO[bytes]]:
    """A file for this user alone (mode 0600), which gets its name when the block has ended well.

    Until then it is named ``FILE.part``. Raises Conflict if there is a file of that name, or another
    process writes it.
    """
    if path.exists():
        raise Conflict(f"There is already a file {path}: name another, or remove it first.")
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"Another backup to {path} is being made.") from None
        os.fchmod(descriptor, 0o600)
        file.truncate(0)
        try:
            yield file
            file.flush()
            os.fsync(descriptor)
            part.rename(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class ArchiveReader:
    """Reads members of a verified archive; a name of ours is the only way to a path of ours."""

    def __init__(self, path: Path, tar: tarfile.TarFile) -> None:
        self.path = path
        self._tar = tar
        try:
            self._infos = {info.name: info for info in tar.getmembers()}
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            raise self.damaged(str(error)) from error
        self.manifest = self._read_manifest()

    def damaged(self, reason: str) -> BadInput:
        """The refusal of an archive that is not as it was written."""
        return BadInput(DAMAGED.format(file=self.path, reason=reason.rstrip(".")))

    def verify(self) -> None:
        """Compare every member with the manifest. Raises BadInput; writes nothing."""
        names = set(self._infos) - {MANIFEST, MANIFEST_DIGEST}
        if names != set(self.manifest.members) or len(self._tar.getmembers()) != len(self._infos):
            raise self.damaged("its members are not those of its manifest")
        for name in names:
            if not _is_ours(name) or not self._infos[name].isreg():
                raise self.damaged(f"it has a member {name!r}")
            for _ in self._chunks(name):
                pass

    def extract(self, name: str, target: Path) -> None:
        """Write a member to a new file (mode 0600), and compare it with the manifest once more."""
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in self._chunks(name):
                file.write(chunk)
            file.flush()
            os.fsync(descriptor)

    def _chunks(self, name: str) -> Iterator[bytes]:
        expected, digest = self.manifest.members[name], hashlib.sha256()
        try:
            source = self._tar.extractfile(self._infos[name])
            assert source is not None  # noqa: S101 (it is a regular file)
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                yield chunk
        except (tarfile.TarError, OSError) as error:
            raise self.damaged(str(error)) from error
        if digest.hexdigest() != expected.sha256:
            raise self.damaged(f"{name} has another digest")

    def _read_manifest(self) -> Manifest:
        texts = []
        for name in (MANIFEST, MANIFEST_DIGEST):
            info = self._infos.get(name)
            if info is None or not info.isreg() or info.size > MAX_MANIFEST_BYTES:
                raise self.damaged("it has no manifest at its end")
            try:
                source = self._tar.extractfile(info)
                texts.append(source.read() if source else b"")
            except (tarfile.TarError, OSError) as error:
                raise self.damaged(str(error)) from error
        data, digest = texts
        if hashlib.sha256(data).hexdigest().encode() != digest:
            raise self.damaged("its manifest has another digest")
        try:
            return Manifest.model_validate_json(data)
        except ValidationError as error:
            raise BadInput(
                f"The backup {self.path} was made by a version of Kept that this one cannot read: "
                "restore it with the newer version."
            ) from error


@contextmanager
def open_archive(path: Path) -> Iterator[ArchiveReader]:
    """The archive at this path. Raises BadInput if it cannot be read, or is none of ours."""
    try:
        tar = tarfile.open(path, "r:")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise BadInput(f"The backup {path} cannot be read: {error.strerror or error}.") from error
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadInput(DAMAGED.format(file=path, reason=str(error).rstrip("."))) from error
    with tar:
        yield ArchiveReader(path, tar)


def _is_ours(name: str) -> bool:
    return name in {SQLITE_MEMBER, KEY_MEMBER} or any(
        pattern.fullmatch(name) for pattern in (FILE_MEMBER, TABLE_MEMBER)
    )
