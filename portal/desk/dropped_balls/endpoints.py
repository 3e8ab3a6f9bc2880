"""The list of dropped balls, of one person, their teams or all; and dismissing one."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import operations
from portal.desk.auth.access import (
    answer,
    field,
    id_in_path,
    is_fragment,
    layout_context,
    read_form,
    read_number,
)
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.dropped_balls.presenter import is_dismissible, present_dropped_balls
from portal.desk.widgets import Choice, FormError
from portal.errors import BadInput, NotAllowed, NotFound, PortalError
from portal.models import DroppedBall
from portal.operations import UnitOfWork
from portal.queries.desk.dropped_balls import list_open_dropped_balls
from portal.queries.paging import EVERYTHING, PageRequest, WorkScope

PAGE_SIZE = 30
SETTLED_MESSAGE = "Noted. Thank you."
VIEWS = {"mine": "Mine", "ours": "My teams", "all": "All"}
DISMISSED_MESSAGE = "Dismissed, with your reason. It comes back only if it happens again."


async def show_dropped_balls(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/balls?show=&after=&done=`: the open dropped balls, oldest first."""
    asked = request.query_params
    after = read_number(asked["after"], "place in the list") if asked.get("after") else None
    said = DISMISSED_MESSAGE if asked.get("done") else None
    if asked.get("settled"):
        said = SETTLED_MESSAGE
    return await _list(request, reader, asked.get("show", ""), after=after, said=said)


async def dismiss_dropped_ball(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/balls/{id}/dismiss` with a ``reason``: a refusal changes nothing."""
    form = await read_form(request)
    show, ball_id = field(form, "show"), id_in_path(request, "thing that has slipped")
    try:
        async with request.app.state.operations.begin(reader.staff.actor) as uow:
            await _must_be_dismissible(uow, ball_id)
            await operations.dismiss_dropped_ball(uow, ball_id, field(form, "reason"))
    except NotFound:
        raise
    except PortalError as refusal:
        problem = FormError(str(ball_id), refusal.detail, {"reason": field(form, "reason")})
        return await _list(request, reader, show, problem=problem, status=refusal.status)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/balls?show={_view(show)}&done=1", 303)
    return await _list(request, reader, show, said=DISMISSED_MESSAGE)


async def settle_same_person(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/balls/{id}/same-person` with ``answer``, same or different."""
    form = await read_form(request)
    show, ball_id = field(form, "show"), id_in_path(request, "thing that has slipped")
    try:
        if (given := field(form, "answer")) not in ("same", "different"):
            raise BadInput("Please choose: the same person, or two people.")
        async with request.app.state.operations.begin(reader.staff.actor) as uow:
            await operations.settle_same_person(uow, ball_id, is_same=given == "same")
    except NotFound:
        raise
    except PortalError as refusal:
        problem = FormError(str(ball_id), refusal.detail, {})
        return await _list(request, reader, show, problem=problem, status=refusal.status)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/balls?show={_view(show)}&settled=1", 303)
    return await _list(request, reader, show, said=SETTLED_MESSAGE)


async def _list(
    request: Request,
    reader: CurrentStaff,
    show: str,
    *,
    after: int | None = None,
    said: str | None = None,
    problem: FormError | None = None,
    status: int = 200,
) -> Response:
    show = _view(show)
    scope = {
        "mine": WorkScope(person_id=reader.staff.id),
        "ours": WorkScope(departments=reader.departments),
        "all": EVERYTHING,
    }[show]
    async with request.app.state.database.reading() as session:
        balls, further = await list_open_dropped_balls(
            session, scope, PageRequest(PAGE_SIZE, after)
        )
        lines = await present_dropped_balls(session, balls, reader)
    context: dict[str, Any] = {
        "lines": lines,
        "views": [Choice(view, words) for view, words in VIEWS.items()],
        "show": show,
        "page_size": PAGE_SIZE,
        "next_page_url": f"/desk/balls?show={show}&after={further}" if further else None,
        "empty_text": "Nothing more here." if after else "Nothing needs attention.",
        "said": said,
        "problem": problem and problem.among([str(line.id) for line in lines if line.may_dismiss]),
    }
    return await answer(
        request, "desk/dropped_balls.html", context | layout_context(reader), status
    )


async def _must_be_dismissible(uow: UnitOfWork, ball_id: int) -> None:
    ball = await uow.session.get(DroppedBall, ball_id)
    if ball is None:
        raise NotFound("There is no such item.")
    if not is_dismissible(ball):
        raise NotAllowed("This cannot be dismissed: it clears itself when fixed.")


def _view(show: str) -> str:
    return show if show in VIEWS else "mine"
