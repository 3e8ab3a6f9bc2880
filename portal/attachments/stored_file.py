"""What became of a file that somebody sent: kept, or refused with a reason in plain words."""

import re
from dataclasses import dataclass

from portal.errors import PortalError
from portal.i18n.lazy_string import LazyString


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it lies on the shelf. ``digest`` is SHA-256 in hexadecimal, ``size`` in bytes.

    ``width`` and ``height`` are in pixels, 0 for what is no picture.
    """

    name: str
    media_type: str
    digest: str
    size: int
    width: int = 0
    height: int = 0

    @property
    def is_image(self) -> bool:
        """Whether a browser can show it in a page."""
        return self.media_type.startswith("image/")

    @property
    def size_text(self) -> str:
        """As people say it: "240 kB", "1.2 MB"."""
        if self.size < 1_000_000:
            return f"{max(round(self.size / 1_000), 1)} kB"
        return f"{self.size / 1_000_000:.1f} MB"

    def scaled_to(self, longest: int) -> tuple[int, int]:
        """Width and height of the picture where no side may be longer than this."""
        scale = min(1, longest / max(self.width, self.height, 1))
        return max(round(self.width * scale), 1), max(round(self.height * scale), 1)


class FileRefused(PortalError):
    """A file that cannot be read, or holds more than it should."""

    status = 422
    title: str = LazyString("That file could not be taken")


class FileTooLarge(FileRefused):
    """More bytes than ``KEPT_LARGEST_FILE``."""

    status = 413


class UnsupportedFileType(FileRefused):
    """Neither a photo that every browser shows, nor a PDF."""

    status = 415


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that came with words which are taken all the same, and why it was not."""

    name: str
    reason: str


def file_too_large(max_bytes: int) -> FileTooLarge:
    """The refusal, in the unit that people know."""
    return FileTooLarge(
        LazyString("it is larger than {most} MB", most=max(max_bytes // 1_000_000, 1))
    )


def localizable_reason(told: str) -> str:
    """A reason that was kept in English, as what it was: to be said in any language."""
    size = re.fullmatch(r"it is larger than (\d+) MB", told)
    return file_too_large(int(size[1]) * 1_000_000).detail if size else LazyString(told)
