"""The page for customers while the database is unavailable, rendered without it."""

from starlette.requests import Request
from starlette.responses import Response

from portal.web import templating

RETRY_AFTER_SECONDS = 15
"""Seconds until the browser should try again."""


def show_outage(request: Request) -> Response:
    """A 503 that reloads itself by a header, without a script.

    After a POST it does not: the customer goes back to the form, which still has their message.
    """
    is_read = request.method in ("GET", "HEAD")
    path = request.url.path if is_read else _page_path(request)
    context = {"is_read": is_read, "path": path}
    answer = templating.page(request, "tracking/outage.html", context, 503)
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if is_read:
        answer.headers["Refresh"] = str(RETRY_AFTER_SECONDS)
    return answer


def _page_path(request: Request) -> str:
    """The status page of the token in the URL; without one, the URL itself."""
    token = request.path_params.get("token")
    return f"/r/{token}" if token else request.url.path
