"""Presence: the colleagues who have the same request open."""

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.desk.auth.access import field, read_form
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.request.actions import reference_of
from portal.models.columns import saved_id
from portal.operations.presence import clear_presence, mark_present
from portal.queries.requests import get_service_request
from portal.queries.staff import find_present_colleagues
from portal.web import templating


async def update_presence(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/requests/{reference}/presence`: `writing=1` or `gone=1`; names the others.

    The page sends it every 15 seconds while it is visible.
    """
    form = await read_form(request)
    state = request.app.state
    async with state.database.reading() as session:
        service_request = await get_service_request(session, reference_of(request))
    async with state.operations.begin(reader.staff.actor) as uow:
        if field(form, "gone"):
            await clear_presence(uow, saved_id(service_request))
        else:
            await mark_present(uow, saved_id(service_request), writing=bool(field(form, "writing")))
    async with state.database.reading() as session:
        colleagues = await present_colleagues(session, saved_id(service_request), reader)
    return templating.fragment(
        request, "desk/request/presence.html", "here", {"colleagues": colleagues}
    )


async def present_colleagues(
    session: AsyncSession, request_id: int, reader: CurrentStaff
) -> list[str]:
    """The others who have the request open: "Paul Press is writing"."""
    others = await find_present_colleagues(
        session, request_id, saved_id(reader.staff), business_time.now()
    )
    return [f"{name} is {'writing' if writing else 'here'}" for name, writing in others]
