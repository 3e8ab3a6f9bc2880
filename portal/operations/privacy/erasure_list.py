"""The list of erasures: a file beside the database, read again after an older backup is restored."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from portal import business_time
from portal.errors import BadInput
from portal.settings import Settings

FILE_NAME = "erasures.txt"


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

    def add(self, digests: Iterable[str]) -> None:
        """Add a line for each, on the disk when this returns; readable by this user alone."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="ascii") as file:
            file.writelines(
                f"{business_time.now().isoformat(timespec='seconds')} {digest}\n"
                for digest in digests
            )
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> frozenset[str]:
        """The digests. Raises BadInput where the file cannot be read."""
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"The list of erasures {self.path} cannot be read.") from error
        return frozenset(line.split()[-1] for line in lines if line.strip())
