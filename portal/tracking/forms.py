"""Reading what a customer's browser posts, from our own pages only."""

from urllib.parse import urlsplit

from starlette.requests import Request

from portal.errors import NotAllowed

OWN = {"same-origin", "none"}


async def read_form(request: Request) -> dict[str, str]:
    """The form's fields; a file in place of words counts as nothing.

    A link page carries no token against forged posts, since the link itself is the secret.
    Instead, raises NotAllowed for a post that another site's page has sent: by Sec-Fetch-Site,
    or where a browser does not send that by Origin. A program that sends neither is no browser
    that could be misled.
    """
    if not _is_from_our_pages(request):
        raise NotAllowed("This form was sent from another site, so we did not use it.")
    form = await request.form()
    return {name: told for name, told in form.items() if isinstance(told, str)}


def client_address(request: Request) -> str:
    """Whose tries are counted together."""
    return request.client.host if request.client else ""


def _is_from_our_pages(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in OWN
    origin = request.headers.get("origin")
    # Our pages send no referrer, and with it no origin: "null".
    if origin is None or origin == "null":
        return True
    own = {request.app.state.settings.public_url, f"{request.url.scheme}://{request.url.netloc}"}
    return _as_origin(origin) in {_as_origin(one) for one in own}


def _as_origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
