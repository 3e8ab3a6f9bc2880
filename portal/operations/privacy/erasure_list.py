"""The list of erasures: a file beside the database, read again after an older backup is restored."""

import asyncio
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from portal.errors import BadInput, PortalError
from portal.paths import make_private_folder
from portal.settings import Settings

FILE_NAME = "erasures.txt"


class ListNotWritten(PortalError):
    """The disk is full, or the folder may not be written."""

    status = 503


@dataclass(frozen=True)
class ErasureList:
    """A line for each erasure: when (UTC, ISO 8601) and a digest; nothing of the person.

    Each machine writes the erasures that it made, to ``erasures.txt`` in its data folder.
    """

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The list of this machine."""
        return cls(settings.data_dir / FILE_NAME)

    async def add(self, digests: Collection[str], at: datetime) -> None:
        """Add a line for each, on the disk when this returns; readable by this user alone.

        Called before the erasure is committed: a line too many does no harm, one too few brings a
        person back. Raises ListNotWritten.
        """
        if not digests:
            return
        try:
            await asyncio.to_thread(self._append, digests, at)
        except OSError as error:
            raise ListNotWritten(
                f"The list of erasures {self.path} cannot be written "
                f"({error.strerror or error}), so nothing was erased."
            ) from error

    def _append(self, digests: Collection[str], at: datetime) -> None:
        make_private_folder(self.path.parent)
        time = at.isoformat(timespec="seconds")
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="ascii") as file:
            file.writelines(f"{time} {digest}\n" for digest in digests)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> dict[str, datetime]:
        """The digests, each with the time of its newest line.

        Raises BadInput where the file cannot be read, or a line is not a time and a digest.
        """
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"The list of erasures {self.path} cannot be read.") from error
        entries: dict[str, datetime] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                time, digest = line.split()
                at = datetime.fromisoformat(time).astimezone(UTC)
            except ValueError:
                raise BadInput(f"Line {number} of {self.path} is not a time and a hash.") from None
            entries[digest] = max(at, entries.get(digest, at))
        return entries
