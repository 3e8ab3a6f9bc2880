"""Photos and documents on the status page: uploads, downloads of the customer's own files, faces."""

import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.datastructures import Headers
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.attachments.file_store import FileStore
from portal.attachments.responses import file_response, portrait_response
from portal.attachments.stored_file import FileRefused, StoredFile
from portal.errors import BadInput, NotFound
from portal.i18n.lazy_string import LazyString
from portal.models.people.staff_photo import DIGEST_LENGTH
from portal.queries.attachments import get_customer_attachment
from portal.queries.staff import find_photo_of_request
from portal.settings import Settings
from portal.tracking.forms import Upload
from portal.tracking.status_page.endpoints import open_link
from portal.tracking.verification.device_cookie import may_see_files, redirect_to_code_form
from portal.web.body_limit import content_length

DIGEST = re.compile(rf"[0-9a-f]{{{DIGEST_LENGTH}}}")
MAX_FILES = 5
FORM_OVERHEAD_BYTES = 1_000_000
"""Bytes for the other fields of a form with files."""


def max_file_bytes(settings: Settings) -> int:
    """The bytes of all files of one message together."""
    most = min(MAX_FILES * settings.max_upload_bytes, settings.max_message_bytes)
    return max(most, settings.max_upload_bytes)


def max_form_bytes(settings: Settings) -> int:
    """The bytes of a form with files."""
    return max_file_bytes(settings) + FORM_OVERHEAD_BYTES


class UploadSizeLimit:
    """Allows a form with files to be as large as its files may be; other bodies keep their limit.

    A larger one is not read: ``on_too_large`` gives the response.
    """

    def __init__(
        self, app: ASGIApp, on_too_large: Callable[[Request], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._on_too_large = request_response(on_too_large)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, limited by its content type."""
        headers = Headers(scope=scope)
        app = self._app
        if headers.get("content-type", "").startswith("multipart/form-data"):
            max_bytes = max_form_bytes(scope["app"].state.settings)
            length = content_length(scope) or 0
            if length > max_bytes:
                app, max_bytes = self._on_too_large, length
            app = RequestBodyLimitMiddleware(app, max_body_size=max_bytes)
        await app(scope, receive, send)


async def store_uploads(file_store: FileStore, uploads: Sequence[Upload]) -> list[StoredFile]:
    """Store all files or none. Raises FileRefused, or BadInput for too many."""
    if len(uploads) > MAX_FILES:
        raise BadInput(
            LazyString.pluralized(
                "Please send at most {count} file at once, and choose it again.",
                "Please send at most {count} files at once, and choose them again.",
                MAX_FILES,
            )
        )
    checked = []
    for upload in uploads:
        try:
            checked.append(await file_store.check(upload.data, upload.name))
        except FileRefused as refused:
            raise type(refused)(
                refused.refusal,
                LazyString(
                    "We could not take “{name}”: {reason}. Please choose your files again.",
                    name=upload.name[:80],
                    reason=refused.refusal.text,
                ),
            ) from None
    return [await file_store.put(file) for file in checked]


async def show_file(request: Request) -> Response:
    """`GET /r/{token}/files/{id}`: a file that the customer sent about this request.

    A link may be passed on, so the browser must be trusted or have just sent the file.
    """
    state = request.app.state
    version = await open_link(request)
    async with state.database.reading() as session:
        attachment = await get_customer_attachment(
            session, version.request_id, request.path_params["id"]
        )
    if not await may_see_files(request, version.request_id, attachment.message_id):
        return redirect_to_code_form(request, f"files/{attachment.id}")
    return file_response(request, attachment.stored_file)


async def show_face(request: Request) -> Response:
    """`GET /r/{token}/faces/{digest}`: the photo of whoever has the request now.

    404 for every other photo: nobody finds one by a link of another request.
    """
    version = await open_link(request)
    digest, photo = request.path_params["digest"], None
    if DIGEST.fullmatch(digest):  # PostgreSQL takes no NUL in a text.
        async with request.app.state.database.reading() as session:
            photo = await find_photo_of_request(session, version.request_id, digest)
    if photo is None:
        raise NotFound(LazyString("This file is not here."))
    return portrait_response(photo.image, is_by_digest=True)
