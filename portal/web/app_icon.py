"""The icon of a page on a phone's home screen: the brand's first letter on its colour."""

import io
from functools import cache
from hashlib import sha256
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from starlette.requests import Request
from starlette.responses import Response

from portal.settings import Settings
from portal.web.static_files import CACHE_FOR_A_YEAR

SIZES = (192, 512)
"""Pixels, as phones want them for a home screen and while a page starts."""
APPLE_TOUCH_SIZE = 180
"""Pixels, of the one that iPhones ask for at an address of their own."""
LETTER = 0.56
"""Of the icon's height. A phone may cut the icon round: all stays in the middle four fifths."""
SUPERSAMPLING = 4
"""It is drawn so much larger first, for the edges."""
WHITE = "#fff"
UNKNOWN = "\uffff"
"""No letter at all: how a font shows one that it does not have."""


async def serve_icon(request: Request) -> Response:
    """`GET /icons/{name}`, and `/apple-touch-icon.png`, which iPhones ask for unasked; else 404."""
    look = app_icon(request.app.state.settings)
    name = request.path_params.get("name", f"{APPLE_TOUCH_SIZE}.png")
    by_hash = request.query_params.get("v") == look.version
    headers = {
        "Cache-Control": CACHE_FOR_A_YEAR if by_hash else "public, max-age=86400",
        "X-Content-Type-Options": "nosniff",
    }
    if name == "icon.svg":
        return Response(look.svg, media_type="image/svg+xml", headers=headers)
    if name in [f"{size}.png" for size in (APPLE_TOUCH_SIZE, *SIZES)]:
        size = int(name.removesuffix(".png"))
        return Response(look.png(size), media_type="image/png", headers=headers)
    return Response("There is no such icon.", status_code=404, media_type="text/plain")


class AppIcon:
    """One brand's icon, in all its sizes; drawn when it is first asked for."""

    def __init__(self, brand: str, color: str) -> None:
        self.letter = next((one.upper() for one in brand if one.isalnum()), "")
        self.color = color
        self.version = sha256(f"1 {self.letter} {color}".encode()).hexdigest()[:8]
        self._drawn: dict[int, bytes] = {}

    def url(self, name: str) -> str:
        """Where to ask for exactly this look."""
        return f"/icons/{name}?v={self.version}"

    @property
    def svg(self) -> str:
        """For every size, in the reader's own font."""
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
        pen = ImageDraw.Draw(image)
        font = ImageFont.load_default(large * LETTER * 1.2)
        if _has(font, self.letter):
            told: Any = {"font": font, "stroke_width": large // 90}
            left, top, right, bottom = pen.textbbox((0, 0), self.letter, **told)
            at = ((large - left - right) / 2, (large - top - bottom) / 2)
            pen.text(at, self.letter, fill=WHITE, **told)
        else:
            # The font at hand knows few scripts: then it is the sign of a leg under way.
            for part, fill in ((0.22, WHITE), (0.3, self.color), (0.38, WHITE)):
                edges = (large * part, large * part, large * (1 - part), large * (1 - part))
                pen.ellipse(edges, fill)
        drawn = io.BytesIO()
        image.resize((size, size), Image.Resampling.LANCZOS).save(drawn, "PNG", optimize=True)
        return drawn.getvalue()


@cache
def _look(brand: str, color: str) -> AppIcon:
    return AppIcon(brand, color)


def app_icon(settings: Settings) -> AppIcon:
    """The look of this organisation: its colour by day, on which white can be read."""
    return _look(settings.brand, str(settings.accent.day))


def _has(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, letter: str) -> bool:
    return letter != "" and bytes(font.getmask(letter)) != bytes(font.getmask(UNKNOWN))
