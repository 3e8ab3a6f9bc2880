"""Is it what we take? Decided by the bytes, never by a name or by what the sender says they are.

Pictures are drawn anew: what else the file held, above all where it was taken, is not in the copy.
"""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps

from portal.attachments.filenames import safe_filename
from portal.attachments.stored_file import FileRefused, UnsupportedFileType
from portal.i18n.lazy_string import LazyString

MAX_SIDE = 2_560
THUMBNAIL_SIDE = 480
MAX_PIXELS = 50_000_000
"""Of a picture before it is drawn smaller: two hundred megabytes while it is looked at."""
Image.MAX_IMAGE_PIXELS = None  # Ours is the stricter, and is a refusal instead of a warning.

FILE_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"%PDF-": "PDF",
}
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
OUTPUT_FORMATS = {"JPEG": "JPEG", "PNG": "PNG", "GIF": "PNG", "WEBP": "WEBP"}
"""GIF is drawn as PNG: of one that moves, the first picture."""
SAVE_OPTIONS = {"JPEG": {"quality": 85, "optimize": True}, "PNG": {}, "WEBP": {"quality": 85}}


@dataclass(frozen=True, slots=True)
class ValidatedFile:
    """Bytes that may be shown. ``small`` is the picture at 480 pixels at most; none for a PDF."""

    name: str
    media_type: str
    data: bytes
    small: bytes = b""
    width: int = 0
    height: int = 0


def check(data: bytes, name: str) -> ValidatedFile:
    """What may be kept of it. Takes time and memory: call it in a thread.

    Raises FileRefused, or its UnsupportedFileType, with words that go on after "We could not take it:".
    """
    kind = _kind(data)
    if kind == "PDF":
        return ValidatedFile(safe_filename(name, "application/pdf"), "application/pdf", data)
    try:
        return _picture(data, kind, name)
    except FileRefused:
        raise
    except Exception as error:
        # A broken file breaks Pillow in any of its ways: struct, zlib, a key that is not there.
        raise FileRefused(LazyString("the picture is damaged and cannot be shown")) from error


def _kind(data: bytes) -> str:
    for start, kind in FILE_SIGNATURES.items():
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if not data:
        raise FileRefused(LazyString("there is nothing in it"))
    if data[4:8] == b"ftyp" and data[8:12] in HEIC:
        raise UnsupportedFileType(
            LazyString("HEIC photos cannot be shown everywhere; please send it as a JPEG")
        )
    raise UnsupportedFileType(
        LazyString("only photos (JPEG, PNG, GIF, WebP) and PDF files can be taken")
    )


def _picture(data: bytes, kind: str, name: str) -> ValidatedFile:
    with Image.open(io.BytesIO(data), formats=(kind,)) as found:
        # Only the head has been read so far: a bomb is refused before it goes off.
        if found.width * found.height > MAX_PIXELS:
            raise FileRefused(LazyString("the picture has too many pixels"))
        found.thumbnail((MAX_SIDE, MAX_SIDE))
        upright = ImageOps.exif_transpose(found)
    look = OUTPUT_FORMATS[kind]
    whole = _bare(upright, with_alpha=look != "JPEG")
    small = whole.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    media_type = f"image/{look.lower()}"
    return ValidatedFile(
        name=safe_filename(name, media_type),
        media_type=media_type,
        data=_drawn(whole, look),
        small=_drawn(small, look),
        width=whole.width,
        height=whole.height,
    )


def _bare(picture: Image.Image, *, with_alpha: bool) -> Image.Image:
    """The pixels on a fresh sheet: comments, profiles, places and thumbnails stay behind."""
    has_alpha = with_alpha and picture.has_transparency_data
    pixels = picture.convert("RGBA" if has_alpha else "RGB")
    sheet = Image.new(pixels.mode, pixels.size)
    sheet.paste(pixels)
    return sheet


def _drawn(picture: Image.Image, look: str) -> bytes:
    drawn = io.BytesIO()
    picture.save(drawn, look, **SAVE_OPTIONS[look])
    return drawn.getvalue()
