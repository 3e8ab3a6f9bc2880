"""The theme of a brand's pages: its colour and its logo."""

import base64
import hashlib
import re
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Self

from markupsafe import Markup

from portal.branding.color import DEFAULT_ACCENT, Accent
from portal.paths import STATIC

Stylesheet = Literal["status", "sheet"]
STYLESHEETS: tuple[Stylesheet, ...] = ("status", "sheet")
MAX_LOGO_BYTES = 40_000
"""Bytes: a larger file slows the page on a slow mobile network."""
PNG = b"\x89PNG\r\n\x1a\n"
SVG = re.compile(rb"<svg\b[^>]*>", re.IGNORECASE)
VIEW_BOX = re.compile(rb"""viewBox\s*=\s*["'][-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)""")


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo as it is served; ``shape`` is its width for a height of 1."""

    body: bytes
    media_type: str
    aspect_ratio: float
    version: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """The SVG or PNG in that file. Raises ValueError, and OSError where it cannot be read."""
        body = path.read_bytes()
        if len(body) > MAX_LOGO_BYTES:
            msg = f"is too large: {MAX_LOGO_BYTES // 1000} kB at most."
            raise ValueError(msg)
        version = hashlib.sha256(body).hexdigest()[:16]
        if body.startswith(PNG) and len(body) > 24:
            width, height = struct.unpack(">II", body[16:24])
            return cls(body, "image/png", width / max(height, 1), version)
        if SVG.search(body):
            box = VIEW_BOX.search(body)
            width, height = (float(box[1]), float(box[2])) if box else (1.0, 1.0)
            return cls(body, "image/svg+xml", width / max(height, 1), version)
        msg = "must name a picture: an SVG or a PNG."
        raise ValueError(msg)

    @property
    def url(self) -> str:
        """The URL of this version of the logo."""
        return f"/logo?v={self.version}"


@dataclass(frozen=True, slots=True)
class Theme:
    """A brand's colour and logo; by default the product's colour and no logo."""

    accent: Accent = DEFAULT_ACCENT
    logo: Logo | None = None

    def css(self, sheet: Stylesheet) -> Markup:
        """The styles of a page, small enough to be inlined."""
        return _stylesheet(sheet, self.accent)

    def style_sources(self) -> str:
        """The hashes of the inline styles, as in a Content-Security-Policy."""
        digests = [hashlib.sha256(self.css(name).encode()).digest() for name in STYLESHEETS]
        return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)

    def mark(self, brand: str, *, origin: str = "") -> Markup:
        """The markup at the top of a page: the logo with the brand as its alt text, or the brand.

        A mail is not read at our origin, so that it names it.
        """
        if self.logo is None:
            return Markup("<b>{}</b>").format(brand)
        return Markup('<img src="{}" alt="{}" width="{}" height="32">').format(
            origin + self.logo.url, brand, round(32 * self.logo.aspect_ratio)
        )


DEFAULT_THEME = Theme()


@cache
def _stylesheet(sheet: Stylesheet, accent: Accent) -> Markup:
    base = _minified("customer")
    themed = base + accent.css() if accent != DEFAULT_ACCENT else base
    return Markup(themed + _minified(sheet))  # noqa: S704 (our own files, and colours)


def _minified(name: str) -> str:
    css = (STATIC / f"{name}.css").read_text(encoding="utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r" ?([{};,>]) ?", r"\1", css).replace(": ", ":").replace(";}", "}").strip()
