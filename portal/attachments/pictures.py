"""Pictures are drawn anew: smaller, with a thumbnail, and without metadata such as the place.

This module runs in a child process with limits (``file_store``), so it imports little.
"""

import io
import re
from itertools import product
from typing import Any

from PIL import GifImagePlugin, Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from portal.attachments.filenames import safe_filename
from portal.attachments.refusals import FileRefusal, FileRefusalCode
from portal.attachments.stored_file import FileRefused
from portal.attachments.validation import ValidatedFile, file_kind

MAX_SIDE = 2_560
THUMBNAIL_SIDE = 480
PORTRAIT_SIDES = (96, 80, 64)
"""Pixels of a portrait, the largest that fits MAX_PORTRAIT_BYTES; a page shows it at 42."""
PORTRAIT_QUALITIES = (80, 65, 50, 35)
PORTRAIT_CENTER = (0.5, 0.4)
"""Where the square is cut of a picture: in the middle, a little above, where faces are."""
MAX_PORTRAIT_BYTES = 4_000
MAX_PIXELS = 50_000_000
"""Of a picture before it is made smaller. Its pixels take 200 MB; some decoders take four times that,
which the memory limit of the child process then ends."""
MAX_JPEG_SCANS = 20
"""Each scan of a progressive JPEG is a pass over all pixels; cameras and editors write about ten."""
JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
"""A marker (ITU-T T.81, B.1.1) that is no restart marker, no stuffed byte and no fill byte."""
JPEG_END, JPEG_SCAN = b"\xd9", b"\xda"
JPEG_WITHOUT_LENGTH = (b"\xd8", b"\x01")
PLUGINS = (
    GifImagePlugin.GifImageFile,
    JpegImagePlugin.JpegImageFile,
    PngImagePlugin.PngImageFile,
    WebPImagePlugin.WebPImageFile,
)
"""The only decoders that run; imported here, since Pillow would import all it has."""
Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is stricter, and refuses where Pillow warns.

OUTPUT_FORMATS = {"JPEG": "JPEG", "PNG": "PNG", "GIF": "PNG", "WEBP": "WEBP", "HEIF": "JPEG"}
"""A GIF is stored as PNG, of an animated one the first picture; HEIC, which not every browser
shows, as JPEG."""
SAVE_OPTIONS = {"JPEG": {"quality": 85, "optimize": True}, "PNG": {}, "WEBP": {"quality": 85}}


def check_picture(data: bytes, name: str) -> ValidatedFile:
    """The picture as it may be stored. Takes much time and memory. Raises FileRefused."""
    kind = file_kind(data)
    try:
        return _picture(data, kind, name)
    except (FileRefused, MemoryError):
        raise
    except Exception as error:
        # On a broken file Pillow raises anything: struct.error, zlib.error, KeyError.
        is_heic = kind == "HEIF"  # As a JPEG it may be read.
        code = FileRefusalCode.HEIC if is_heic else FileRefusalCode.DAMAGED
        raise FileRefused(FileRefusal(code)) from error


def check_picture_task(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """``check_picture`` as a task of a child process: the refusal, or the picture without its name."""
    try:
        checked = check_picture(data, "")
    except FileRefused as refused:
        return {"refusal": refused.refusal.code}, []
    fields = {
        "media_type": checked.media_type,
        "width": checked.width,
        "height": checked.height,
    }
    return fields, [checked.data, checked.small]


def make_portrait(data: bytes) -> bytes:
    """The middle of the photo as a small square, a WebP of MAX_PORTRAIT_BYTES at most.

    Raises FileRefused for one that cannot be read.
    """
    try:
        picture = _open_upright(data, file_kind(data))
    except (FileRefused, MemoryError):
        raise
    except Exception as error:
        raise FileRefused(FileRefusal(FileRefusalCode.DAMAGED)) from error
    # What is transparent becomes white, as on paper.
    pixels = picture.convert("RGBA")
    opaque = Image.new("RGB", pixels.size, "white")
    opaque.paste(pixels, mask=pixels)
    for side, quality in product(PORTRAIT_SIDES, PORTRAIT_QUALITIES):
        square = ImageOps.fit(opaque, (side, side), centering=PORTRAIT_CENTER)
        encoded = io.BytesIO()
        square.save(encoded, "WEBP", quality=quality, method=6)
        if encoded.tell() <= MAX_PORTRAIT_BYTES:
            return encoded.getvalue()
    raise FileRefused(FileRefusal(FileRefusalCode.TOO_COMPLEX))


def make_portrait_task(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """``make_portrait`` as a task of a child process: the refusal, or the square."""
    try:
        return {}, [make_portrait(data)]
    except FileRefused as refused:
        return {"refusal": refused.refusal.code}, []


def read_portrait_result(fields: dict[str, Any], blobs: list[bytes]) -> bytes:
    """The square that ``make_portrait_task`` returns. Raises FileRefused."""
    if "refusal" in fields:
        raise FileRefused(FileRefusal(FileRefusalCode(fields["refusal"])))
    return blobs[0]


def read_picture_result(fields: dict[str, Any], blobs: list[bytes], name: str) -> ValidatedFile:
    """The picture that ``check_picture_task`` returns, by its sender's name. Raises FileRefused."""
    if "refusal" in fields:
        raise FileRefused(FileRefusal(FileRefusalCode(fields["refusal"])))
    data, small = blobs
    safe_name = safe_filename(name, fields["media_type"])
    return ValidatedFile(**fields, name=safe_name, data=data, small=small)


def count_jpeg_scans(data: bytes) -> int:
    """How many scans the JPEG has (SOS markers up to the first EOI marker, ITU-T T.81 B.2).

    It counts to one more than is allowed. An embedded thumbnail and what follows the end of the
    picture do not count.
    """
    scans, at = 0, 0
    while scans <= MAX_JPEG_SCANS and (found := JPEG_MARKER.search(data, at)):
        at = found.end()
        if found[1] == JPEG_END:
            break
        scans += found[1] == JPEG_SCAN
        if found[1] not in JPEG_WITHOUT_LENGTH:
            at += int.from_bytes(data[at : at + 2], "big")
    return scans


def _open_upright(data: bytes, kind: str) -> Image.Image:
    """The picture at MAX_SIDE pixels at most, turned as its camera was. Raises FileRefused."""
    if kind == "JPEG" and count_jpeg_scans(data) > MAX_JPEG_SCANS:
        raise FileRefused(FileRefusal(FileRefusalCode.TOO_COMPLEX))
    if kind == "HEIF":
        _add_heif_decoder()
    with Image.open(io.BytesIO(data), formats=(kind,)) as found:
        # Only the header has been read so far: a decompression bomb takes no memory.
        if found.width * found.height > MAX_PIXELS:
            raise FileRefused(FileRefusal(FileRefusalCode.TOO_MANY_PIXELS))
        found.thumbnail((MAX_SIDE, MAX_SIDE))
        return ImageOps.exif_transpose(found)


def _picture(data: bytes, kind: str, name: str) -> ValidatedFile:
    upright = _open_upright(data, kind)
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


def _add_heif_decoder() -> None:
    # A large library, which other pictures do not need.
    import pillow_heif  # noqa: PLC0415

    pillow_heif.register_heif_opener(thumbnails=False)


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
