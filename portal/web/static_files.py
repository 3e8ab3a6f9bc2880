"""Static files: scripts and styles, named by a hash of their content.

All of `portal/static/` is read once, at the start, and held gzipped. A URL has a hash of the
content (`/static/tracking.js?v=1f0c…`), so a browser caches a file for ever and never shows an old
one.
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
    """One file as it is served: its bytes, plain and gzipped, and their hash."""

    name: str
    media_type: str
    body: bytes
    gzipped: bytes
    version: str

    @property
    def url(self) -> str:
        """The URL of this version of the file."""
        return f"/static/{self.name}?v={self.version}"


async def serve_static_file(request: Request) -> Response:
    """`GET /static/{name}`: the file, cacheable for a year when its hash is given; else 404."""
    file = static_files().get(request.path_params["name"])
    if file is None:
        return Response("There is no such file.", status_code=404, media_type="text/plain")
    by_hash = request.query_params.get("v") == file.version
    headers = {
        "Cache-Control": CACHE_FOR_A_YEAR if by_hash else "no-cache",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.gzipped, media_type=file.media_type, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)


async def serve_logo(request: Request) -> Response:
    """`GET /logo`: the logo, cacheable for a year when its hash is given; else 404."""
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
            # Opened by itself, an SVG is a page: the policy allows it no script.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


def static_url(name: str) -> str:
    """The URL of a file in `portal/static/`. Raises KeyError where there is none."""
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
        # mtime=0, so that the bytes do not depend on the machine.
        gzipped=gzip.compress(body, 9, mtime=0),
        version=hashlib.sha256(body).hexdigest()[:8],
    )
