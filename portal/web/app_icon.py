"""The icon of a page on a phone's home screen: the brand's first letter on its colour."""

import asyncio
import io
from functools import cache
from hashlib import sha256
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from starlette.requests import Request
from starlette.responses import Response

from portal.branding.color import Accent
from portal.settings import Settings
from portal.web.static_files import CACHE_FOR_A_YEAR

SIZES = (192, 512)
"""Pixels of the icons for a home screen and a start screen."""
APPLE_TOUCH_SIZE = 180
"""Pixels of the icon that iPhones request at a URL of their own."""
LETTER = 0.56
"""A share of the icon's height. A phone may crop the icon to a circle of four fifths."""
SUPERSAMPLING = 4
"""The factor by which it is first drawn larger, for smooth edges."""
WHITE = "#fff"
UNKNOWN = "\uffff"
"""A character that no font has: its glyph is the one of a missing letter."""


async def serve_icon(request: Request) -> Response:
    """`GET /icons/{name}`, and `/apple-touch-icon.png`, which iPhones request by themselves; else 404."""
    icon = app_icon(request.app.state.settings)
    name = request.path_params.get("name", f"{APPLE_TOUCH_SIZE}.png")
    by_hash = request.query_params.get("v") == icon.version
    headers = {
        "Cache-Control": CACHE_FOR_A_YEAR if by_hash else "public, max-age=86400",
        "X-Content-Type-Options": "nosniff",
    }
    if name == "icon.svg":
        return Response(icon.svg, media_type="image/svg+xml", headers=headers)
    if name in [f"{size}.png" for size in (APPLE_TOUCH_SIZE, *SIZES)]:
        size = int(name.removesuffix(".png"))
        # Drawing takes longer than the event loop may be held.
        data = await asyncio.to_thread(icon.png, size)
        return Response(data, media_type="image/png", headers=headers)
    return Response("There is no such icon.", status_code=404, media_type="text/plain")


class AppIcon:
    """The icon of one brand in all its sizes, each drawn on first use."""

    def __init__(self, brand: str, color: str) -> None:
        self.letter = next((letter.upper() for letter in brand if letter.isalnum()), "")
        self.color = color
        self.version = sha256(f"1 {self.letter} {color}".encode()).hexdigest()[:8]
        self._drawn: dict[int, bytes] = {}

    def url(self, name: str) -> str:
        """The URL of this version of the icon."""
        return f"/icons/{name}?v={self.version}"

    @property
    def svg(self) -> str:
        """The icon as SVG, in the font of the device."""
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
            f'<rect width="100" height="100" fill="{self.color}"/>'
            f'<text x="50" y="50" dy=".36em" text-anchor="middle" fill="{WHITE}" '
            f'font-family="system-ui,sans-serif" font-weight="600" font-size="{100 * LETTER:g}">'
            f"{self.letter}</text></svg>"
        )

    def png(self, size: int) -> bytes:
        """A square without transparency, ``size`` pixels wide."""
        if size not in self._drawn:
            self._drawn[size] = self._draw(size)
        return self._drawn[size]

    def _draw(self, size: int) -> bytes:
        large = size * SUPERSAMPLING
        image = Image.new("RGB", (large, large), self.color)
        draw = ImageDraw.Draw(image)
        font = ImageFont.load_default(large * LETTER * 1.2)
        if _has(font, self.letter):
            style: Any = {"font": font, "stroke_width": large // 90}
            left, top, right, bottom = draw.textbbox((0, 0), self.letter, **style)
            at = ((large - left - right) / 2, (large - top - bottom) / 2)
            draw.text(at, self.letter, fill=WHITE, **style)
        else:
            # The font knows few scripts: without the letter, the sign of a current step is drawn.
            for part, fill in ((0.22, WHITE), (0.3, self.color), (0.38, WHITE)):
                edges = (large * part, large * part, large * (1 - part), large * (1 - part))
                draw.ellipse(edges, fill)
        png = io.BytesIO()
        image.resize((size, size), Image.Resampling.LANCZOS).save(png, "PNG", optimize=True)
        return png.getvalue()


@cache
def icon_of(brand: str, accent: Accent) -> AppIcon:
    """The icon of a brand, on its light accent, which white text contrasts with."""
    return AppIcon(brand, str(accent.day))


def app_icon(settings: Settings) -> AppIcon:
    """The icon of this organisation."""
    return icon_of(settings.brand, settings.accent)


def _has(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, letter: str) -> bool:
    return letter != "" and bytes(font.getmask(letter)) != bytes(font.getmask(UNKNOWN))
