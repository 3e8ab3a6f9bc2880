"""The demo page: its three panes, and what their forms do."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from portal import business_time
from portal.demo.page.customer import get_demo_request, restart_demo, send_demo_text, texts_on_phone
from portal.desk.auth.access import field, is_fragment, read_form
from portal.desk.auth.current_staff import CurrentStaff, as_person
from portal.desk.board.presenter import RowPresenter
from portal.desk.request.actions import find_action, perform_action
from portal.desk.request.endpoints import build_problem, changes_since
from portal.desk.request.presenter import present_request
from portal.errors import NotFound, PortalError
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import ServiceRequest
from portal.queries.desk.board import newest_requests
from portal.queries.roster import load_roster
from portal.queries.staff import department_ids
from portal.rules.roster import Roster
from portal.web import templating
from portal.web.client_address import client_address
from portal.web.stream_limits import MAX_PER_CLIENT

PAGE = "demo/demo.html"
MAX_OTHER_REQUESTS = 12
MAX_TEXT_LENGTH = 1_600
SIGN_IN_HINT = "Sign in as one of the people named in the terminal where the demo runs."


async def show_demo(request: Request) -> Response:
    """`GET /demo`: all three panes."""
    return templating.page(request, PAGE, await _context(request))


async def show_thread(request: Request) -> Response:
    """`GET /demo/thread`: the phone."""
    return templating.fragment(request, PAGE, "thread", await _context(request))


async def show_desk(request: Request) -> Response:
    """`GET /demo/desk`: the desk of whoever has the request now."""
    return templating.fragment(request, PAGE, "desk", await _context(request))


class DemoStream:
    """`GET /demo/live`: an event for each change and for each text to the phone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one viewer until they leave."""
        connection = HTTPConnection(scope)
        state = connection.app.state
        try:
            async with state.database.reading() as session:
                found = await get_demo_request(session)
        except NotFound:
            await Response(status_code=404)(scope, receive, send)
            return
        with state.stream_limits.hold((f"client:{client_address(connection)}", MAX_PER_CLIENT)):
            await state.live.stream(scope, receive, send, topic=f"desk:{found.id}", since=None)


async def reply(request: Request) -> Response:
    """`POST /demo/reply`: Martin writes a text."""
    body = field(await read_form(request), "body")[:MAX_TEXT_LENGTH]
    if body:
        await send_demo_text(request.app.state.settings, body)
    if is_fragment(request):
        return await show_thread(request)
    return RedirectResponse("/demo", 303)


async def restart(request: Request) -> Response:
    """`POST /demo/restart`: open a new request for Martin."""
    await restart_demo(request.app.state.operations)
    return RedirectResponse("/demo", 303)


async def run_action(request: Request) -> Response:
    """`POST /demo/{verb}`: the actions of the desk, by whoever has the request now."""
    form = await read_form(request)
    verb: str = request.path_params["verb"]
    said = find_action(verb)[0].said
    operations = request.app.state.operations
    async with operations.database.reading() as session:
        found = await get_demo_request(session)
        acting = await _acting(session, found, await load_roster(session, found.definition))
    try:
        await perform_action(operations, acting, found.reference, verb, form)
    except NotFound:
        raise
    except PortalError as refusal:
        context = await _context(request)
        view = context["request"]
        changed = changes_since(view, form, refusal)
        meanwhile = f" Meanwhile: {'; '.join(changed)}." if changed else ""
        context["problem"] = build_problem(view, verb, form, refusal.detail + meanwhile)
        if is_fragment(request):
            return templating.fragment(request, PAGE, "desk", context, refusal.status)
        return templating.page(request, PAGE, context, refusal.status)
    if is_fragment(request):
        context = await _context(request)
        return templating.fragment(request, PAGE, "desk", context | {"said": said})
    return RedirectResponse("/demo", 303)


async def _context(request: Request) -> dict[str, Any]:
    settings = request.app.state.settings
    async with request.app.state.database.reading() as session:
        found = await get_demo_request(session)
        roster = await load_roster(session, found.definition)
        acting = await _acting(session, found, roster)
        view = await present_request(session, found, acting, settings, "/demo")
        words = TimeFormatter("en", found.customer.timezone, business_time.now())
        texts = await texts_on_phone(session, found, settings, words)
        others = await newest_requests(session, MAX_OTHER_REQUESTS)
        rows = RowPresenter(words, {}, roster.staff)
    link = found.live_link
    return {
        "customer": view.customer,
        "texts": texts,
        "page_url": f"/r/{link.token}" if link else "/",
        "acting": as_person(acting.staff),
        "department": _department(found, roster),
        "request": view,
        "others": [
            rows.search_row(other) for other in others if other.customer_id != found.customer_id
        ],
        "sign_in": SIGN_IN_HINT,
        "mailbox_url": f"{str(settings.twilio_api_url).rstrip('/')}/mail"
        if settings.twilio_api_url
        else None,
        "said": None,
        "problem": None,
    }


async def _acting(session: AsyncSession, request: ServiceRequest, roster: Roster) -> CurrentStaff:
    """Who acts next: whoever accepts a waiting handoff, else the assignee, else the owner."""
    run = next(iter(request.open_runs), None)
    if run is None:
        staff_id = request.owner_id
    elif request.pending_handoff(run):
        staff_id = roster.assignee(roster.department_by_id(run.department_id))
    else:
        staff_id = run.assignee_id
    return CurrentStaff(roster.person(staff_id), await department_ids(session, staff_id))


def _department(request: ServiceRequest, roster: Roster) -> str:
    run = next(iter(request.open_runs), None)
    department_id = run.department_id if run else request.department_id
    return roster.department_by_id(department_id).name
