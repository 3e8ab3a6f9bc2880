"""The paths that crawlers are asked to leave out."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse

ROBOTS_TXT = "User-agent: *\nDisallow: /r/\nDisallow: /s/\nDisallow: /desk\nDisallow: /api/\nDisallow: /hooks/\n"
"""Links are secrets. Each page has `noindex` too, for crawlers that ignore this file."""


async def show_robots(request: Request) -> PlainTextResponse:
    """`GET /robots.txt`."""
    del request
    return PlainTextResponse(ROBOTS_TXT, headers={"X-Content-Type-Options": "nosniff"})
