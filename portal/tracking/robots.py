"""What machines that read the web are asked to leave alone."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse

WORDS = "User-agent: *\nDisallow: /r/\nDisallow: /desk\nDisallow: /api/\nDisallow: /hooks/\n"
"""Links are secrets. Who asks nobody finds `noindex` on each page as well."""


async def show_robots(request: Request) -> PlainTextResponse:
    """`GET /robots.txt`."""
    del request
    return PlainTextResponse(WORDS, headers={"X-Content-Type-Options": "nosniff"})
