"""Reading what a customer's browser posts, from our own pages only."""

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.requests import Request

from portal.web.form_origin import check_form_origin

MAX_FORM_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a browser sends it; of what is too large no more than shows that it is."""

    name: str
    data: bytes


async def read_form(request: Request) -> dict[str, str]:
    """The form's fields; a file in place of words counts as nothing. Raises NotAllowed."""
    check_form_origin(request)
    async with request.form(max_files=MAX_FORM_FIELDS, max_fields=MAX_FORM_FIELDS) as form:
        return {name: told for name, told in form.items() if isinstance(told, str)}


async def read_message_form(request: Request, max_bytes: int) -> tuple[str, list[Upload]]:
    """Words (``body``) and the files beside them (``file``). Raises NotAllowed.

    ``largest``: bytes of one file that may be taken. A field that was left empty is no file.
    """
    check_form_origin(request)
    async with request.form(max_files=MAX_FORM_FIELDS, max_fields=MAX_FORM_FIELDS) as form:
        body = form.get("body", "")
        chosen = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
        uploads = [
            Upload(one.filename or "", await one.read(max_bytes + 1))
            for one in chosen
            if one.filename or one.size
        ]
        return (body if isinstance(body, str) else ""), uploads
