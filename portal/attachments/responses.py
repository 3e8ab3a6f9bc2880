"""Responses with a stored file, which browsers neither run nor sniff, and no cache keeps."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from portal.attachments.file_store import FileStore
from portal.attachments.stored_file import StoredFile
from portal.errors import NotFound
from portal.i18n.lazy_string import LazyString

HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}

KEEP_FOR_A_YEAR = "private, max-age=31536000, immutable"


def portrait_response(image: bytes, *, is_by_digest: bool = False) -> Response:
    """A photo of a member of staff. Where its URL has its digest, a browser keeps it for a year."""
    headers = HEADERS | ({"Cache-Control": KEEP_FOR_A_YEAR} if is_by_digest else {})
    return Response(image, media_type="image/webp", headers=headers)


def file_response(request: Request, kept: StoredFile | None) -> Response:
    """The file's bytes; ``?small`` asks for the picture at 480 pixels. The caller authorizes it.

    Pictures are shown, other files are saved. Raises NotFound for a file that is not stored.
    """
    if kept is None:
        raise NotFound(LazyString("This file is not here."))
    file_store: FileStore = request.app.state.file_store
    path = file_store.path(kept.digest, small="small" in request.query_params and kept.is_image)
    if not path.is_file():
        raise NotFound(LazyString("This file is not here."))
    return FileResponse(
        path,
        headers=HEADERS,
        media_type=kept.media_type,
        filename=kept.name,
        content_disposition_type="inline" if kept.is_image else "attachment",
    )
