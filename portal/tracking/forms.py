"""Reading what a customer's browser posts, from our own pages only."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import UploadFile
from starlette.requests import Request

from portal.errors import NotAllowed
from portal.i18n.lazy_string import LazyString

SAME_ORIGIN = {"same-origin", "none"}
MAX_FORM_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a browser sends it; of what is too large no more than shows that it is."""

    name: str
    data: bytes


async def read_form(request: Request) -> dict[str, str]:
    """The form's fields; a file in place of words counts as nothing. Raises NotAllowed."""
    check_origin(request)
    async with request.form(max_files=MAX_FORM_FIELDS, max_fields=MAX_FORM_FIELDS) as form:
        return {name: told for name, told in form.items() if isinstance(told, str)}


async def read_message_form(request: Request, max_bytes: int) -> tuple[str, list[Upload]]:
    """Words (``body``) and the files beside them (``file``). Raises NotAllowed.

    ``largest``: bytes of one file that may be taken. A field that was left empty is no file.
    """
    check_origin(request)
    async with request.form(max_files=MAX_FORM_FIELDS, max_fields=MAX_FORM_FIELDS) as form:
        body = form.get("body", "")
        chosen = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
        uploads = [
            Upload(one.filename or "", await one.read(max_bytes + 1))
            for one in chosen
            if one.filename or one.size
        ]
        return (body if isinstance(body, str) else ""), uploads


def check_origin(request: Request) -> None:
    """Raises NotAllowed for a post that another site's page has sent.

    A link page carries no token against forged posts, since the link itself is the secret.
    Instead, Sec-Fetch-Site tells, or where a browser does not send that, Origin. A program that
    sends neither is no browser that could be misled.
    """
    if not _is_from_our_pages(request):
        raise NotAllowed(LazyString("This form was sent from another site, so we did not use it."))


def client_address(request: Request) -> str:
    """Whose tries are counted together."""
    return request.client.host if request.client else ""


def _is_from_our_pages(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in SAME_ORIGIN
    origin = request.headers.get("origin")
    # Our pages send no referrer, and with it no origin: "null".
    if origin is None or origin == "null":
        return True
    own = {request.app.state.settings.public_url, f"{request.url.scheme}://{request.url.netloc}"}
    return _as_origin(origin) in {_as_origin(one) for one in own}


def _as_origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
