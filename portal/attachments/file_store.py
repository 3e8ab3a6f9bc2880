"""The shelf: files by their digest, in a folder that no web server serves."""

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path

from portal.attachments.filenames import plain_name
from portal.attachments.stored_file import FileRefused, KeptFile, RefusedFile, too_large
from portal.attachments.validation import CheckedFile, check

AT_ONCE = 2
"""Pictures drawn at the same time by one process: each may take a core and 200 MB."""


class Shelf:
    """Checks files and keeps them, whole or not at all, readable by us alone.

    ``largest`` is in bytes. Two that bring the same bytes share one file. One shelf belongs to one
    event loop.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        self.largest = largest
        self._folder = folder
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def check(self, data: bytes, name: str) -> CheckedFile:
        """What may be kept of it; nothing is written. Raises FileRefused with the reason."""
        if len(data) > self.largest:
            raise too_large(self.largest)
        async with self._turns:
            return await asyncio.to_thread(check, data, name)

    async def put(self, checked: CheckedFile) -> KeptFile:
        """Keep it. Raises OSError where the folder cannot be written."""
        return await asyncio.to_thread(self._put, checked)

    async def take(self, data: bytes, name: str) -> KeptFile | RefusedFile:
        """Keep it, or say why not, where the words that it came with are taken all the same."""
        try:
            return await self.put(await self.check(data, name))
        except FileRefused as refusal:
            return RefusedFile(plain_name(name), refusal.detail)

    def path(self, digest: str, *, small: bool = False) -> Path:
        """Where it lies: in a folder by the digest's first two letters."""
        return self._folder / digest[:2] / (f"{digest}.small" if small else digest)

    def _put(self, checked: CheckedFile) -> KeptFile:
        digest = hashlib.sha256(checked.data).hexdigest()
        if checked.small:
            _write(self.path(digest, small=True), checked.small)
        _write(self.path(digest), checked.data)
        return KeptFile(
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
