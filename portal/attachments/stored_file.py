"""The result of checking a file that somebody sent: stored, or refused with a code."""

from dataclasses import dataclass

from portal.attachments.refusals import FileRefusal
from portal.errors import PortalError
from portal.i18n.lazy_string import LazyString


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file. ``digest`` is SHA-256 in hexadecimal, ``size`` in bytes.

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
        """The size as people say it: "240 kB", "1.2 MB"."""
        if self.size < 1_000_000:
            return f"{max(round(self.size / 1_000), 1)} kB"
        return f"{self.size / 1_000_000:.1f} MB"

    def scaled_to(self, longest: int) -> tuple[int, int]:
        """Width and height in pixels where neither side may be longer than ``longest``."""
        scale = min(1, longest / max(self.width, self.height, 1))
        return max(round(self.width * scale), 1), max(round(self.height * scale), 1)


class FileRefused(PortalError):
    """The file cannot be read, or holds more than it should."""

    status = 422
    title: str = LazyString("That file could not be taken")

    def __init__(self, refusal: FileRefusal, detail: str = "") -> None:
        super().__init__(detail or refusal.text)
        self.refusal = refusal


class FileTooLarge(FileRefused):
    """The file has more bytes than ``KEPT_MAX_UPLOAD_BYTES``."""

    status = 413


class UnsupportedFileType(FileRefused):
    """The file is neither a photo that every browser shows, nor a PDF."""

    status = 415


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not stored, while the message that it came with is."""

    name: str
    refusal: FileRefusal
