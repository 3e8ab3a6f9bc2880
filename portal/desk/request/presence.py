"""Two people in one conversation see each other: the page says that its reader is there."""

from starlette.requests import Request
from starlette.responses import Response

from portal.desk.auth.access import field, read_form
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.request.actions import reference_of
from portal.desk.request.presenter import present_colleagues
from portal.models.columns import saved_id
from portal.operations.presence import clear_presence, mark_present
from portal.queries.requests import get_service_request
from portal.web import templating


async def update_presence(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/requests/{reference}/presence`: `writing=1`, or `gone=1`; answers who else is.

    The page sends it every 15 seconds while it is looked at.
    """
    form = await read_form(request)
    state = request.app.state
    async with state.database.reading() as session:
        found = await get_service_request(session, reference_of(request))
    async with state.operations.begin(reader.staff.actor) as uow:
        if field(form, "gone"):
            await clear_presence(uow, saved_id(found))
        else:
            await mark_present(uow, saved_id(found), writing=bool(field(form, "writing")))
    async with state.database.reading() as session:
        here = await present_colleagues(session, saved_id(found), reader)
    return templating.fragment(request, "desk/here.html", "here", {"here": here})
