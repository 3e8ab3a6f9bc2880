"""Stored files, by their digest, in a folder that no web server serves."""

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path

from portal.attachments.filenames import safe_stem
from portal.attachments.refusals import FileRefusal
from portal.attachments.stored_file import FileRefused, FileTooLarge, RefusedFile, StoredFile
from portal.attachments.validation import ValidatedFile, check
from portal.paths import make_private_folder

MAX_CONCURRENT = 2
"""Pictures checked at the same time by one process; each may take a core and 200 MB."""


class FileStore:
    """Checks files and stores them, whole or not at all, readable by this user alone (mode 0600).

    ``max_bytes`` is the limit of one file. The same bytes are stored once. A store belongs to one
    event loop.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._folder = folder
        self._turns = asyncio.Semaphore(MAX_CONCURRENT)

    async def check(self, data: bytes, name: str) -> ValidatedFile:
        """The file as it may be stored; nothing is written. Raises FileRefused."""
        if len(data) > self.max_bytes:
            raise FileTooLarge(FileRefusal.too_large(self.max_bytes))
        async with self._turns:
            return await asyncio.to_thread(check, data, name)

    async def put(self, checked: ValidatedFile) -> StoredFile:
        """Store a checked file. Raises OSError where the folder cannot be written."""
        return await asyncio.to_thread(self._put, checked)

    async def take(self, data: bytes, name: str) -> StoredFile | RefusedFile:
        """Store the file, or return why not, where its message is taken all the same."""
        try:
            return await self.put(await self.check(data, name))
        except FileRefused as refused:
            return RefusedFile(safe_stem(name), refused.refusal)

    def path(self, digest: str, *, small: bool = False) -> Path:
        """The path of a stored file: a folder by the digest's first two letters, and the digest."""
        return self._folder / digest[:2] / (f"{digest}.small" if small else digest)

    def _put(self, checked: ValidatedFile) -> StoredFile:
        digest = hashlib.sha256(checked.data).hexdigest()
        if checked.small:
            _write(self.path(digest, small=True), checked.small)
        _write(self.path(digest), checked.data)
        return StoredFile(
            checked.name, checked.media_type, digest, len(checked.data),
            checked.width, checked.height,
        )  # fmt: skip


def _write(path: Path, data: bytes) -> None:
    """Write the whole file or none: it gets its name when all of it is on the disk."""
    if path.exists():
        return
    make_private_folder(path.parent)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
