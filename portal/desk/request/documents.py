"""Documents for the customer, put on a request at the desk."""

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.desk.auth.access import read_form
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.request.actions import reference_of
from portal.errors import BadInput
from portal.operations import give_document
from portal.queries.requests import get_service_request
from portal.rules.authorization import Act, authorize

VERB = "documents"
SAID = "The document is on the status page, and the customer is notified."


async def upload_document(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/requests/{reference}/documents`: one `file` for the customer.

    Raises BadInput without a file, FileRefused for one that cannot be taken, and NotAllowed.
    """
    reference, state = reference_of(request), request.app.state
    file = (await read_form(request, max_files=1)).get("file")
    async with state.database.reading() as session:
        found = await get_service_request(session, reference)
        # Before the file is decoded, which takes a processor.
        authorize(reader.colleague, found, None, Act.WRITE)
    if not isinstance(file, UploadFile) or not file.filename:
        raise BadInput("Please choose a photo or a PDF.", fields={"file": "a photo or a PDF"})
    store = state.file_store
    data = await file.read(store.max_bytes + 1)
    stored = await store.put(await store.check(data, file.filename))
    async with state.operations.begin(reader.staff.actor) as uow:
        await give_document(uow, await uow.lock(reference), stored)
    return RedirectResponse(f"/desk/requests/{reference}?done={VERB}", 303)
