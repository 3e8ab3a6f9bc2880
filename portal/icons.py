"""The icon of a page on a phone's home screen: the brand's first letter on its colour."""

import io
from functools import cache
from hashlib import sha256
from html import escape

from PIL import Image, ImageDraw, ImageFont
from starlette.requests import Request
from starlette.responses import Response

from portal.assets import A_YEAR
from portal.settings import Settings

SIZES = (192, 512)
"""Pixels, as phones want them for a home screen and while a page starts."""
TOUCH = 180
"""Pixels, of the one that iPhones ask for at an address of their own."""
LETTER = 0.56
"""Of the icon's height. A phone may cut the icon round: all stays in the middle four fifths."""
UNKNOWN = "\uffff"
"""No letter at all: how a font shows one that it does not have."""


async def serve_icon(request: Request) -> Response:
    """`GET /icons/{name}`, and `/apple-touch-icon.png`, which iPhones ask for unasked; else 404."""
    look = look_of(request.app.state.settings)
    name = request.path_params.get("name", f"{TOUCH}.png")
    by_hash = request.query_params.get("v") == look.version
    headers = {
        "Cache-Control": A_YEAR if by_hash else "public, max-age=86400",
        "X-Content-Type-Options": "nosniff",
    }
    if name == "icon.svg":
        return Response(look.svg, media_type="image/svg+xml", headers=headers)
    if name in [f"{size}.png" for size in (TOUCH, *SIZES)]:
        size = int(name.removesuffix(".png"))
        return Response(look.png(size), media_type="image/png", headers=headers)
    return Response("There is no such icon.", status_code=404, media_type="text/plain")


class Look:
    """One brand's icon, in all its sizes; drawn when it is first asked for."""

    def __init__(self, brand: str, colour: str) -> None:
        self.letter = brand.strip()[:1].upper()
        self.colour = colour
        self.on = "#fff" if _is_dark(colour) else "#000"
        self.version = sha256(f"1 {self.letter} {colour}".encode()).hexdigest()[:8]
        self._drawn: dict[int, bytes] = {}

    def url(self, name: str) -> str:
        """Where to ask for exactly this look."""
        return f"/icons/{name}?v={self.version}"

    @property
    def svg(self) -> str:
        """For every size, in the reader's own font."""
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
            f'<rect width="100" height="100" fill="{self.colour}"/>'
            f'<text x="50" y="50" dy=".36em" text-anchor="middle" fill="{self.on}" '
            f'font-family="system-ui,sans-serif" font-weight="600" font-size="{100 * LETTER:g}">'
            f"{escape(self.letter)}</text></svg>"
        )

    def png(self, size: int) -> bytes:
        """A square without transparency, ``size`` pixels wide."""
        if size not in self._drawn:
            self._drawn[size] = self._draw(size)
        return self._drawn[size]

    def _draw(self, size: int) -> bytes:
        image = Image.new("RGB", (size, size), self.colour)
        pen = ImageDraw.Draw(image)
        font = ImageFont.load_default(size * LETTER * 1.2)
        if _has(font, self.letter):
            left, top, right, bottom = pen.textbbox((0, 0), self.letter, font)
            at = ((size - left - right) / 2, (size - top - bottom) / 2)
            pen.text(at, self.letter, fill=self.on, font=font)
        else:
            # The font at hand knows few scripts: then it is the sign of a leg under way.
            for part, fill in ((0.2, self.on), (0.27, self.colour), (0.36, self.on)):
                pen.ellipse((size * part, size * part, size * (1 - part), size * (1 - part)), fill)
        drawn = io.BytesIO()
        image.save(drawn, "PNG", optimize=True)
        return drawn.getvalue()


@cache
def _look(brand: str, colour: str) -> Look:
    return Look(brand, colour)


def look_of(settings: Settings) -> Look:
    """The look of this organisation."""
    return _look(settings.brand, "#0b5f5a")


def _has(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, letter: str) -> bool:
    return bytes(font.getmask(letter)) != bytes(font.getmask(UNKNOWN))


def _is_dark(colour: str) -> bool:
    """Whether white is read better on it than black (relative luminance, WCAG 2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.179
