"""The list of erasures: a file beside the database, read again after an older backup is restored."""

import asyncio
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from portal import business_time
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

    async def add(self, digests: Collection[str]) -> None:
        """Add a line for each, on the disk when this returns; readable by this user alone.

        Called before the erasure is committed: a line too many does no harm, one too few brings a
        person back. Raises ListNotWritten.
        """
        if not digests:
            return
        try:
            await asyncio.to_thread(self._append, digests)
        except OSError as error:
            raise ListNotWritten(
                f"The list of erasures {self.path} cannot be written "
                f"({error.strerror or error}), so nothing was erased."
            ) from error

    def _append(self, digests: Collection[str]) -> None:
        make_private_folder(self.path.parent)
        at = business_time.now().isoformat(timespec="seconds")
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="ascii") as file:
            file.writelines(f"{at} {digest}\n" for digest in digests)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> frozenset[str]:
        """The digests. Raises BadInput where the file cannot be read."""
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"The list of erasures {self.path} cannot be read.") from error
        return frozenset(line.split()[-1] for line in lines if line.strip())
