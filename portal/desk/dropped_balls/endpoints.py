"""What has slipped: before me, before our departments, before anybody; and setting it aside."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import operations
from portal.desk.auth.access import answer, field, frame, is_fragment, read_form, read_number
from portal.desk.auth.current_staff import Reader, find_reader
from portal.desk.dropped_balls.presenter import draw_balls, may_set_aside
from portal.desk.widgets import Choice, Problem
from portal.errors import NotAllowed, NotFound, PortalError
from portal.models import DroppedBall
from portal.operations import Turn
from portal.queries.desk.dropped_balls import Whom, standing_balls
from portal.queries.desk.failed_messages import requests_by_id

A_PAGE = 30
VIEWS = {"mine": "Before me", "ours": "Our departments", "all": "Everybody's"}
SET_ASIDE = "Set aside, with your reason. It comes back only if it slips anew."


async def show_balls(request: Request, reader: Reader) -> Response:
    """`GET /desk/balls?show=&after=&done=`: what has slipped and is not right yet, oldest first."""
    asked = request.query_params
    after = read_number(asked["after"], "place in the list") if asked.get("after") else None
    said = SET_ASIDE if asked.get("done") else None
    return await _list(request, reader, asked.get("show", ""), after=after, said=said)


async def set_aside(request: Request, reader: Reader) -> Response:
    """`POST /desk/balls/{id}/dismiss` with a ``reason``: a refusal changes nothing."""
    form = await read_form(request)
    show, ball_id = field(form, "show"), _id(request)
    try:
        async with request.app.state.relay.turn(reader.staff.actor) as turn:
            await _must_be_theirs(turn, reader, ball_id)
            await operations.dismiss_ball(turn, ball_id, field(form, "reason"))
    except NotFound:
        raise
    except PortalError as refusal:
        problem = Problem(str(ball_id), refusal.detail, {"reason": field(form, "reason")})
        return await _list(request, reader, show, problem=problem, status=refusal.status)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/balls?show={_view(show)}&done=1", 303)
    reader = await find_reader(request) or reader  # The bar says how many are left.
    return await _list(request, reader, show, said=SET_ASIDE)


async def _list(
    request: Request,
    reader: Reader,
    show: str,
    *,
    after: int | None = None,
    said: str | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> Response:
    show = _view(show)
    whom = {
        "mine": Whom(person_id=reader.staff.id),
        "ours": Whom(departments=reader.departments),
        "all": Whom(),
    }[show]
    async with request.app.state.database.reading() as session:
        balls, further = await standing_balls(session, whom, limit=A_PAGE, after=after)
        lines = await draw_balls(session, balls, reader)
    if problem is not None and problem.verb not in {str(line.id) for line in lines if line.aside}:
        problem = Problem("", problem.words)
    context: dict[str, Any] = {
        "lines": lines,
        "views": [Choice(view, words) for view, words in VIEWS.items()],
        "show": show,
        "further": f"/desk/balls?show={show}&after={further}" if further else None,
        "nothing": "Nothing more here." if after else "Nothing has slipped here. Well caught.",
        "said": said,
        "problem": problem,
    }
    return answer(request, "desk/balls.html", context | frame(reader), status)


async def _must_be_theirs(turn: Turn, reader: Reader, ball_id: int) -> None:
    ball = await turn.session.get(DroppedBall, ball_id)
    if ball is None:
        raise NotFound("There is no such thing that has slipped.")
    requests = await requests_by_id(turn.session, {ball.request_id})
    request = requests.get(ball.request_id or 0)
    theirs = reader.may_act(request) if request else reader.staff.oversees
    if not (theirs or ball.before == reader.staff.id):
        raise NotAllowed("This lies with other departments. You may read it.")
    if not may_set_aside(ball):
        raise NotAllowed("This is put right where it stands, not set aside.")


def _view(show: str) -> str:
    return show if show in VIEWS else "mine"


def _id(request: Request) -> int:
    words: str = request.path_params["id"]
    if not (words.isascii() and words.isdecimal() and len(words) <= 18):
        raise NotFound("There is no such thing that has slipped.")
    return int(words)
