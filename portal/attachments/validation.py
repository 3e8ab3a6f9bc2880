"""Whether a file may be stored. Its bytes decide, never its name or the type that its sender gives."""

from dataclasses import dataclass

from portal.attachments.filenames import safe_filename
from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import FileRefused, UnsupportedFileType

FILE_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"%PDF-": "PDF",
}
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
"""What phones write: HEIC photos (ISO/IEC 23008-12)."""


@dataclass(frozen=True, slots=True)
class ValidatedFile:
    """Bytes that may be shown. ``small`` is the picture at 480 pixels at most; empty for a PDF."""

    name: str
    media_type: str
    data: bytes
    small: bytes = b""
    width: int = 0
    height: int = 0


def check_without_decoding(data: bytes, name: str) -> ValidatedFile | None:
    """The file if it is a PDF, which is stored as it came; None for a picture.

    It reads the first bytes only. Raises FileRefused for an empty file, and UnsupportedFileType.
    """
    if file_kind(data) != "PDF":
        return None
    return ValidatedFile(safe_filename(name, "application/pdf"), "application/pdf", data)


def is_picture(data: bytes) -> bool:
    """Whether it begins as a picture does. Raises FileRefused for an empty file."""
    try:
        return file_kind(data) != "PDF"
    except UnsupportedFileType:
        return False


def file_kind(data: bytes) -> str:
    """JPEG, PNG, GIF, WEBP, HEIF or PDF. Raises FileRefused, and UnsupportedFileType."""
    for start, kind in FILE_SIGNATURES.items():
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        return "HEIF"
    if not data:
        raise FileRefused(FileRefusal(FileRefusalCode.EMPTY))
    raise UnsupportedFileType(FileRefusal(FileRefusalCode.UNSUPPORTED_TYPE))
