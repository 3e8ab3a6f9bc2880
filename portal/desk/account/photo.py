"""A person's own photo, which the customers see whose requests they have."""

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.attachments.responses import portrait_response
from portal.desk.auth.access import read_form
from portal.desk.auth.current_staff import CurrentStaff
from portal.errors import BadInput, NotFound
from portal.models.columns import saved_id
from portal.operations.accounts import remove_photo, set_photo
from portal.queries.staff import find_photo


async def show_own_photo(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/account/photo`. Raises NotFound where they have none."""
    async with request.app.state.database.reading() as session:
        photo = await find_photo(session, saved_id(reader.staff))
    if photo is None:
        raise NotFound("You have no photo here.")
    return portrait_response(photo.image)


async def upload_photo(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/account/photo`: one `file`. Raises BadInput without one, and FileRefused."""
    file = (await read_form(request, max_files=1)).get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise BadInput("Please choose a photo.", fields={"file": "a photo"})
    store = request.app.state.file_store
    image = await store.make_portrait(await file.read(store.max_bytes + 1))
    async with request.app.state.operations.begin(reader.staff.actor) as uow:
        await set_photo(uow, reader.staff, image)
    return RedirectResponse("/desk/account?done=photo", 303)


async def remove_own_photo(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/account/photo/remove`."""
    async with request.app.state.operations.begin(reader.staff.actor) as uow:
        await remove_photo(uow, reader.staff)
    return RedirectResponse("/desk/account?done=no-photo", 303)
