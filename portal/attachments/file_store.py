"""The shelf: files by their digest, in a folder that no web server serves."""

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path

from portal.attachments.filenames import safe_stem
from portal.attachments.stored_file import FileRefused, RefusedFile, StoredFile, file_too_large
from portal.attachments.validation import ValidatedFile, check

MAX_CONCURRENT = 2
"""Pictures drawn at the same time by one process: each may take a core and 200 MB."""


class FileStore:
    """Checks files and keeps them, whole or not at all, readable by us alone.

    ``largest`` is in bytes. Two that bring the same bytes share one file. One shelf belongs to one
    event loop.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._folder = folder
        self._turns = asyncio.Semaphore(MAX_CONCURRENT)

    async def check(self, data: bytes, name: str) -> ValidatedFile:
        """What may be kept of it; nothing is written. Raises FileRefused with the reason."""
        if len(data) > self.max_bytes:
            raise file_too_large(self.max_bytes)
        async with self._turns:
            return await asyncio.to_thread(check, data, name)

    async def put(self, checked: ValidatedFile) -> StoredFile:
        """Keep it. Raises OSError where the folder cannot be written."""
        return await asyncio.to_thread(self._put, checked)

    async def take(self, data: bytes, name: str) -> StoredFile | RefusedFile:
        """Keep it, or say why not, where the words that it came with are taken all the same."""
        try:
            return await self.put(await self.check(data, name))
        except FileRefused as refusal:
            return RefusedFile(safe_stem(name), refusal.detail)

    def path(self, digest: str, *, small: bool = False) -> Path:
        """Where it lies: in a folder by the digest's first two letters."""
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
    """The whole file, or none: it gets its name when all of it is on the disk."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
