"""The files a page refers to: scripts and styles, named by what is in them.

All of `portal/static/` is read once, at the start, and kept packed. An address carries a hash of
the content (`/static/tracking.js?v=1f0c…`), so a browser keeps a file for good and never keeps an
old one.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from portal.paths import STATIC

CACHE_FOR_A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served: its bytes, plain and packed, and the hash that names them."""

    name: str
    media_type: str
    body: bytes
    gzipped: bytes
    version: str

    @property
    def url(self) -> str:
        """Where to ask for exactly this content."""
        return f"/static/{self.name}?v={self.version}"


async def serve_static_file(request: Request) -> Response:
    """`GET /static/{name}`: the file, kept for a year when asked for by its hash; else 404."""
    found = static_files().get(request.path_params["name"])
    if found is None:
        return Response("There is no such file.", status_code=404, media_type="text/plain")
    by_hash = request.query_params.get("v") == found.version
    headers = {
        "Cache-Control": CACHE_FOR_A_YEAR if by_hash else "no-cache",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.gzipped, media_type=found.media_type, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


async def serve_logo(request: Request) -> Response:
    """`GET /logo`: the brand's picture, kept for a year when asked for by its hash; else 404."""
    logo = request.app.state.settings.theme.logo
    if logo is None:
        return Response("There is no logo.", status_code=404, media_type="text/plain")
    by_hash = request.query_params.get("v") == logo.version
    return Response(
        logo.body,
        media_type=logo.media_type,
        headers={
            "Cache-Control": CACHE_FOR_A_YEAR if by_hash else "no-cache",
            "X-Content-Type-Options": "nosniff",
            # Looked at by itself, an SVG is a page: it draws, and does nothing.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


def static_url(name: str) -> str:
    """The address of a file in `portal/static/`; KeyError when there is none, so a test sees it."""
    return static_files()[name].url


@cache
def static_files() -> dict[str, StaticFile]:
    """Every file of `portal/static/` by its name."""
    return {path.name: _read(path) for path in sorted(STATIC.iterdir()) if path.is_file()}


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    return StaticFile(
        name=path.name,
        media_type=mimetypes.guess_type(path.name)[0] or "text/plain",
        body=body,
        # mtime=0: the same file is the same bytes on every machine.
        gzipped=gzip.compress(body, 9, mtime=0),
        version=hashlib.sha256(body).hexdigest()[:16],
    )
