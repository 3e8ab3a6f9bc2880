"""Reading what a customer's browser posts, from our own pages only."""

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.requests import Request

from portal.errors import BadInput
from portal.i18n.lazy_string import LazyString
from portal.web.form_origin import check_form_origin

MAX_FORM_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file; one that is too large is read only one byte past the limit."""

    name: str
    data: bytes


async def read_form(request: Request) -> dict[str, str]:
    """The form's text fields, without its files. Raises NotAllowed for a form of another site."""
    check_form_origin(request)
    return await read_form_of_any_site(request)


async def read_form_of_any_site(request: Request) -> dict[str, str]:
    """The same of a form that any site may post, such as a mail program's (RFC 8058)."""
    async with request.form(max_files=MAX_FORM_FIELDS, max_fields=MAX_FORM_FIELDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


async def read_message_form(request: Request, max_bytes: int) -> tuple[str, list[Upload], str]:
    """The text (``body``), the files (``file``) and the item that they are for (``need``).

    Raises NotAllowed. ``max_bytes`` is the limit of one file. An empty file field is left out.
    """
    check_form_origin(request)
    async with request.form(max_files=MAX_FORM_FIELDS, max_fields=MAX_FORM_FIELDS) as form:
        body = form.get("body", "")
        files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
        uploads = [
            Upload(file.filename or "", await file.read(max_bytes + 1))
            for file in files
            if file.filename or file.size
        ]
        body, need = (text if isinstance(text, str) else "" for text in (body, form.get("need")))
        if need and not uploads and not body.strip():
            raise BadInput(LazyString("Please choose a file first."), fields={"file": "a file"})
        return body, uploads, need
