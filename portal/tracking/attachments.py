"""Photos and papers on the customer's page: taking them in, and showing the customer their own."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.datastructures import Headers
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.attachments.file_store import Shelf
from portal.attachments.responses import send_file
from portal.attachments.stored_file import FileRefused, KeptFile
from portal.errors import BadInput
from portal.i18n.lazy_string import Sentence
from portal.queries.attachments import get_customers_own
from portal.tracking.forms import Upload
from portal.tracking.status_page.endpoints import unknown_link
from portal.tracking.verification.device_cookie import ask_code, may_see_files

MOST_FILES = 5
BESIDE_FILES = 1_000_000
"""Bytes of all else in a form that brings files."""


class RoomForFiles:
    """Lets a form with files be as large as its files may be; any other stays as small as ever.

    A larger one is not read: ``otherwise`` answers it, in words that a person can use.
    """

    def __init__(self, app: ASGIApp, otherwise: Callable[[Request], Awaitable[Response]]) -> None:
        self._app = app
        self._otherwise = request_response(otherwise)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        headers = Headers(scope=scope)
        app = self._app
        if headers.get("content-type", "").startswith("multipart/form-data"):
            most = MOST_FILES * scope["app"].state.settings.largest_file + BESIDE_FILES
            announced = headers.get("content-length", "")
            length = int(announced) if announced.isdecimal() else 0
            if length > most:
                app, most = self._otherwise, length
            app = RequestBodyLimitMiddleware(app, max_body_size=most)
        await app(scope, receive, send)


async def keep_uploads(shelf: Shelf, uploads: Sequence[Upload]) -> list[KeptFile]:
    """All of them on the shelf, or none. Raises FileRefused, or BadInput for too many."""
    if len(uploads) > MOST_FILES:
        raise BadInput(
            Sentence.counted(
                "Please send at most {count} file at once, and choose it again.",
                "Please send at most {count} files at once, and choose them again.",
                MOST_FILES,
            )
        )
    checked = []
    for one in uploads:
        try:
            checked.append(await shelf.check(one.data, one.name))
        except FileRefused as refusal:
            raise type(refusal)(
                Sentence(
                    "We could not take “{name}”: {reason}. Please choose your files again.",
                    name=one.name[:80],
                    reason=refusal.detail,
                )
            ) from None
    return [await shelf.put(one) for one in checked]


async def show_file(request: Request) -> Response:
    """`GET /r/{token}/files/{id}`: a file that the customer sent about this very request.

    A link may be passed on, a passport may not: the browser must be known, or have just sent it.
    """
    state = request.app.state
    version = await state.status_pages.find_version(request.path_params["token"])
    if version is None:
        return unknown_link(request)
    async with state.database.reading() as session:
        found = await get_customers_own(session, version.request_id, request.path_params["id"])
    if not await may_see_files(request, version.request_id, found.message_id):
        return ask_code(request, f"files/{found.id}")
    return send_file(request, found.kept)
