"""Attachments at the desk: those of all customers, for everybody who is signed in."""

from starlette.requests import Request
from starlette.responses import Response

from portal.attachments.responses import file_response
from portal.desk.auth.current_staff import CurrentStaff
from portal.queries.attachments import get_attachment


async def show_file(request: Request, reader: CurrentStaff) -> Response:  # noqa: ARG001 (all may read)
    """`GET /desk/files/{id}`; ``?small`` for the preview of the conversation."""
    async with request.app.state.database.reading() as session:
        attachment = await get_attachment(session, request.path_params["id"])
    return file_response(request, attachment.stored_file)
