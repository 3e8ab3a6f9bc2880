"""Stored files, by their digest, in a folder that no web server serves."""

import asyncio
import hashlib
import os
import re
import tempfile
from datetime import datetime
from pathlib import Path

from portal.attachments.filenames import safe_stem
from portal.attachments.pictures import read_picture_result, read_portrait_result
from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import (
    FileRefused,
    FileTooLarge,
    RefusedFile,
    StoredFile,
    UnsupportedFileType,
)
from portal.attachments.validation import ValidatedFile, check_without_decoding, is_picture
from portal.paths import make_private_folder
from portal.sandbox import FailureReason, Limits, Result, Sandbox, TaskFailed

MAX_CONCURRENT = 2
"""Pictures that one process decodes at the same time, each in a child process."""
MAX_WAITING = 20
"""Pictures that wait for that; each is in memory, of ``KEPT_MAX_UPLOAD_BYTES`` at most."""
LIMITS = Limits(
    cpu_seconds=10,
    wall_seconds=40,
    memory_bytes=640_000_000,
    output_bytes=60_000_000,
)
"""What decoding one picture may use: a JPEG or PNG of 50 megapixels takes about 3 s and 520 MB."""
CHECK_PICTURE = "portal.attachments.pictures:check_picture_task"
MAKE_PORTRAIT = "portal.attachments.pictures:make_portrait_task"

REFUSAL_CODES = {
    FailureReason.TIME: FileRefusalCode.TOO_COMPLEX,
    FailureReason.MEMORY: FileRefusalCode.TOO_COMPLEX,
    FailureReason.OUTPUT: FileRefusalCode.TOO_COMPLEX,
    FailureReason.ERROR: FileRefusalCode.DAMAGED,
}

DIGEST = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """Checks files and stores them, whole or not at all, readable by this user alone (mode 0600).

    ``max_bytes`` is the limit of one file. The same bytes are stored once. A store belongs to one
    event loop.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._folder = folder
        self._sandbox = Sandbox(MAX_CONCURRENT, MAX_WAITING)

    async def check(self, data: bytes, name: str) -> ValidatedFile:
        """The file as it may be stored; nothing is written.

        A picture is decoded in a child process; call it with no transaction open. Raises
        FileRefused, and Busy where too many pictures wait.
        """
        if len(data) > self.max_bytes:
            raise FileTooLarge(FileRefusal.too_large(self.max_bytes))
        if paper := check_without_decoding(data, name):
            return paper
        result = await self._decode(CHECK_PICTURE, data)
        return read_picture_result(result.fields, result.blobs, name)

    async def make_portrait(self, data: bytes) -> bytes:
        """A small square of a photo, a WebP without metadata; nothing is written.

        Raises FileRefused, also for a PDF, and Busy as ``check`` does.
        """
        if len(data) > self.max_bytes:
            raise FileTooLarge(FileRefusal.too_large(self.max_bytes))
        if not is_picture(data):
            refusal = FileRefusal(FileRefusalCode.UNSUPPORTED_TYPE)
            raise UnsupportedFileType(refusal, "Please choose a photo: JPEG, PNG, WebP or HEIC.")
        result = await self._decode(MAKE_PORTRAIT, data)
        return read_portrait_result(result.fields, result.blobs)

    async def _decode(self, task: str, data: bytes) -> Result:
        try:
            return await self._sandbox.run(task, data, LIMITS)
        except TaskFailed as failed:
            raise FileRefused(FileRefusal(REFUSAL_CODES[failed.reason])) from failed

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

    async def remove(self, digest: str) -> None:
        """Remove a stored file and its small picture; nothing happens where there is none."""
        for path in (self.path(digest), self.path(digest, small=True)):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def list_older_than(self, moment: datetime) -> list[str]:
        """The digests of the files stored, or stored again, before this moment."""
        return await asyncio.to_thread(self._list_older_than, moment.timestamp())

    def _list_older_than(self, timestamp: float) -> list[str]:
        return [
            path.name
            for path in self._folder.glob("??/*")
            if DIGEST.fullmatch(path.name) and path.stat().st_mtime < timestamp
        ]

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
        os.utime(path)  # A file that is used again is as new as its last use.
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
