"""How much may be posted by one link, whatever the page: checked before the body is read."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from portal.errors import RateLimited
from portal.i18n.lazy_string import LazyString
from portal.tracking.status_page.endpoints import unknown_link
from portal.web.body_limit import content_length
from portal.web.daily_bytes import take_daily_bytes
from portal.web.form_origin import check_form_origin

LINK_RATE_LIMITS = ("30/minute", "300/day")
"""Of all posts of one purpose by one link together. A person with many questions stays far below."""

DAY_SECONDS = 86_400

Endpoint = Callable[[Request], Awaitable[Response]]


LINK, STOP, REPLACE = "link", "stop", "replace"
"""What posts are counted as. Stops, and replacements by a trusted browser, are counted apart: whoever
finds a link and spends the limit of all other posts does not keep the customer from either."""


def limited_by_link(
    endpoint: Endpoint, purpose: str = LINK, *, from_any_site: bool = False
) -> Endpoint:
    """Count each post by the request behind its link; 404 for an unknown link.

    Raises RateLimited and, for a form of another site, which counts nowhere, NotAllowed.
    """

    async def limited(request: Request) -> Response:
        if not from_any_site:
            check_form_origin(request)
        version = await request.app.state.status_pages.find_version(request.path_params["token"])
        if version is None:
            return unknown_link(request)
        await count_post(request, version.request_id, purpose)
        return await endpoint(request)

    return limited


async def count_post(request: Request, request_id: int, purpose: str = LINK) -> None:
    """Count one post by a link of this request: a new link has no new limit. Raises RateLimited."""
    for limit in LINK_RATE_LIMITS:
        await request.app.state.rate_limiter.allow(limit, purpose, str(request_id))


async def count_upload(request: Request, request_id: int, max_bytes: int) -> None:
    """Count a body with files, which may have ``max_bytes``, before it is read. Raises RateLimited."""
    length = content_length(request.scope)
    if not await take_daily_bytes(request, request_id, max_bytes if length is None else length):
        raise RateLimited(
            LazyString("That is more than we can take in one day. Please send the rest tomorrow."),
            retry_after=DAY_SECONDS,
        )
