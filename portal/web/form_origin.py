"""The check against forged posts from other sites (CSRF): a form must come from our own page."""

from urllib.parse import urlsplit

from starlette.requests import Request

from portal.errors import NotAllowed
from portal.i18n.lazy_string import LazyString

OUR_SITES = {"same-origin", "none"}


def check_form_origin(request: Request) -> None:
    """Raises NotAllowed for a form of another site's page.

    ``Sec-Fetch-Site`` (W3C Fetch Metadata) decides where the browser sends it, else ``Origin``,
    which must be KEPT_PUBLIC_URL. ``Origin: null`` names no page, so by itself it is refused:
    sandboxed frames and other sites send it. A program that sends neither header carries nobody's
    cookies and is not refused.
    """
    if not _is_ours(request):
        raise NotAllowed(LazyString("This form was sent from another site, so we did not use it."))


def _is_ours(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in OUR_SITES
    origin = request.headers.get("origin")
    public_url: str = request.app.state.settings.public_url
    return origin is None or _scheme_and_host(origin) == _scheme_and_host(public_url)


def _scheme_and_host(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
