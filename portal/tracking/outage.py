"""What a customer reads while the database is away: kind, honest, and drawn without it."""

from starlette.requests import Request
from starlette.responses import Response

from portal.web import templating

RETRY_AFTER_SECONDS = 15
"""Seconds until the page is worth another look."""


def show_outage(request: Request) -> Response:
    """A 503 that looks again by itself, without a script too.

    A header says so, since it is about this answer and not about the page. What was to be sent is
    not lost either, but not here: then nothing is loaded anew over what stands in the form.
    """
    reading = request.method in ("GET", "HEAD")
    path = request.url.path if reading else _page_behind(request)
    context = {"reading": reading, "path": path}
    answer = templating.page(request, "tracking/outage.html", context, 503)
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if reading:
        answer.headers["Refresh"] = str(RETRY_AFTER_SECONDS)
    return answer


def _page_behind(request: Request) -> str:
    """The customer's own page, for a form that stands on it; else where the form was sent."""
    token = request.path_params.get("token")
    return f"/r/{token}" if token else request.url.path
