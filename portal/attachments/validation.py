"""Whether a file may be stored. Its bytes decide, never its name or the type that its sender gives.

Pictures are drawn anew, so the copy has no metadata, above all no place where it was taken.
"""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps

from portal.attachments.filenames import safe_filename
from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import FileRefused, UnsupportedFileType

MAX_SIDE = 2_560
THUMBNAIL_SIDE = 480
MAX_PIXELS = 50_000_000
"""Of a picture before it is made smaller: its pixels take 200 MB of memory."""
Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is stricter, and refuses where Pillow warns.

FILE_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"%PDF-": "PDF",
}
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
OUTPUT_FORMATS = {"JPEG": "JPEG", "PNG": "PNG", "GIF": "PNG", "WEBP": "WEBP"}
"""A GIF is stored as PNG; of an animated one, the first picture."""
SAVE_OPTIONS = {"JPEG": {"quality": 85, "optimize": True}, "PNG": {}, "WEBP": {"quality": 85}}


@dataclass(frozen=True, slots=True)
class ValidatedFile:
    """Bytes that may be shown. ``small`` is the picture at 480 pixels at most; empty for a PDF."""

    name: str
    media_type: str
    data: bytes
    small: bytes = b""
    width: int = 0
    height: int = 0


def check(data: bytes, name: str) -> ValidatedFile:
    """The file as it may be stored. Takes time and memory: call it in a thread.

    Raises FileRefused, or UnsupportedFileType, which is one.
    """
    kind = _kind(data)
    if kind == "PDF":
        return ValidatedFile(safe_filename(name, "application/pdf"), "application/pdf", data)
    try:
        return _picture(data, kind, name)
    except FileRefused:
        raise
    except Exception as error:
        # On a broken file Pillow raises anything: struct.error, zlib.error, KeyError.
        raise FileRefused(FileRefusal(FileRefusalCode.DAMAGED)) from error


def _kind(data: bytes) -> str:
    for start, kind in FILE_SIGNATURES.items():
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if not data:
        raise FileRefused(FileRefusal(FileRefusalCode.EMPTY))
    if data[4:8] == b"ftyp" and data[8:12] in HEIC:
        raise UnsupportedFileType(FileRefusal(FileRefusalCode.HEIC))
    raise UnsupportedFileType(FileRefusal(FileRefusalCode.UNSUPPORTED_TYPE))


def _picture(data: bytes, kind: str, name: str) -> ValidatedFile:
    with Image.open(io.BytesIO(data), formats=(kind,)) as found:
        # Only the header has been read so far: a decompression bomb takes no memory.
        if found.width * found.height > MAX_PIXELS:
            raise FileRefused(FileRefusal(FileRefusalCode.TOO_MANY_PIXELS))
        found.thumbnail((MAX_SIDE, MAX_SIDE))
        upright = ImageOps.exif_transpose(found)
    output_format = OUTPUT_FORMATS[kind]
    whole = _without_metadata(upright, with_alpha=output_format != "JPEG")
    small = whole.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    media_type = f"image/{output_format.lower()}"
    return ValidatedFile(
        name=safe_filename(name, media_type),
        media_type=media_type,
        data=_encode(whole, output_format),
        small=_encode(small, output_format),
        width=whole.width,
        height=whole.height,
    )


def _without_metadata(picture: Image.Image, *, with_alpha: bool) -> Image.Image:
    """A new picture of the same pixels, without comments, profiles, places and thumbnails."""
    has_alpha = with_alpha and picture.has_transparency_data
    pixels = picture.convert("RGBA" if has_alpha else "RGB")
    copy = Image.new(pixels.mode, pixels.size)
    copy.paste(pixels)
    return copy


def _encode(picture: Image.Image, output_format: str) -> bytes:
    encoded = io.BytesIO()
    picture.save(encoded, output_format, **SAVE_OPTIONS[output_format])
    return encoded.getvalue()
