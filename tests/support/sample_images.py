"""Photos and documents, valid and hostile."""

import io
import struct
import zlib

import pillow_heif
from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
MAKER, GPS, ORIENTATION = 0x010F, 0x8825, 0x0112


def photo(
    width: int = 64, height: int = 48, look: str = "JPEG", *, mode: str = "RGB", **told: object
) -> bytes:
    """A picture of one colour."""
    drawn = io.BytesIO()
    Image.new(mode, (width, height), "teal").save(drawn, look, **told)
    return drawn.getvalue()


def heic_photo() -> bytes:
    """A photo as iPhones store it."""
    drawn = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "teal")).save(drawn)
    return drawn.getvalue()


def photo_with_gps() -> bytes:
    """A photo from a phone: rotated, with its maker, a comment and its place."""
    exif = Image.Exif()
    exif[MAKER] = "Secretphone"
    exif[ORIENTATION] = 6  # rotated by 90 degrees
    exif.get_ifd(GPS)[2] = (40.0, 44.0, 54.0)
    return photo(width=80, height=40, exif=exif, comment=b"40.748 N, 73.985 W")


def decompression_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few hundred bytes that decodes to a gigabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = zlib.compress(b"\0" * 1_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
