"""Two people in one conversation see each other: the page says that its reader is there."""

from starlette.requests import Request
from starlette.responses import Response

from portal.desk.auth.access import field, read_form
from portal.desk.auth.current_staff import Reader
from portal.desk.request.actions import reference_of
from portal.desk.request.presenter import draw_here
from portal.operations.presence import be_present, leave
from portal.queries.requests import get_service_request
from portal.web import templating


async def be_here(request: Request, reader: Reader) -> Response:
    """`POST /desk/requests/{reference}/presence`: `writing=1`, or `gone=1`; answers who else is.

    The page sends it every 15 seconds while it is looked at.
    """
    form = await read_form(request)
    state = request.app.state
    async with state.database.reading() as session:
        found = await get_service_request(session, reference_of(request))
    async with state.relay.turn(reader.staff.actor) as turn:
        if field(form, "gone"):
            await leave(turn, found.id or 0)
        else:
            await be_present(turn, found.id or 0, writing=bool(field(form, "writing")))
    async with state.database.reading() as session:
        here = await draw_here(session, found.id or 0, reader)
    return templating.fragment(request, "desk/here.html", "here", {"here": here})
