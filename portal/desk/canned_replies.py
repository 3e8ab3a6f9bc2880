"""The replies at hand: all may read them, leads and those who oversee all may keep them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.desk.auth import access
from portal.desk.auth.access import answer, frame, is_fragment, read_form
from portal.desk.auth.current_staff import Reader
from portal.desk.labels import REASONS
from portal.desk.widgets import Choice, Problem
from portal.errors import BadInput, NotAllowed, NotFound, PortalError
from portal.models import CannedReply, ContactReason, Department
from portal.operations import Turn
from portal.operations.conversation.canned_replies import (
    FIELDS,
    add_reply,
    change_reply,
    lock_reply,
    retire_reply,
)
from portal.queries.desk.board import all_departments
from portal.queries.desk.canned_replies import led_departments, replies_at_hand

EVERYBODY = "everybody"
SAID = {
    "add": "It is at hand from now on.",
    "change": "Changed. From now on it is offered in these words.",
    "retire": "Put away. It is offered no more.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A reply in the list, and whether its reader may change it."""

    id: int
    title: str
    body: str
    reason: str
    suits: str
    written_by: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The replies of one department, or of everybody."""

    name: str
    replies: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class Keeper:
    """Whose replies this reader may keep: those of the departments they lead, or all."""

    reader: Reader
    leads: Collection[int] = field(default_factory=frozenset)

    def may_keep(self, department_id: int | None) -> bool:
        """True for a department that they lead; for everybody's only who oversees all."""
        return self.reader.staff.oversees or department_id in self.leads


async def show_replies(request: Request, reader: Reader) -> Response:
    """`GET /desk/replies`."""
    said = SAID.get(request.query_params.get("done", ""))
    return answer(request, "desk/replies.html", await _page(request, reader, said=said))


async def keep_reply(request: Request, reader: Reader) -> Response:
    """`POST /desk/replies`, `/desk/replies/{id}/change`, `/desk/replies/{id}/retire`."""
    verb: str = request.path_params.get("verb", "add")
    if verb not in SAID:
        raise NotFound("There is nothing of that name to do.")
    form = await read_form(request)
    keeper = await _keeper(request, reader)
    try:
        async with request.app.state.relay.turn(reader.staff.actor) as turn:
            await _do(turn, keeper, request, verb, form)
    except PortalError as refusal:
        typed = {one: access.field(form, one) for one in ("title", "body", "reason", "department")}
        problem = Problem(_form_of(request, verb), refusal.detail, typed)
        context = await _page(request, reader, problem=problem)
        return answer(request, "desk/replies.html", context, refusal.status)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/replies?done={verb}", 303)
    return answer(request, "desk/replies.html", await _page(request, reader, said=SAID[verb]))


async def _do(turn: Turn, keeper: Keeper, request: Request, verb: str, form: FormData) -> None:
    told = {name: access.field(form, name) for name in ("title", "body", "reason")}
    if verb == "add":
        department_id = await _department_id(turn, access.field(form, "department"))
        _must_keep(keeper, department_id)
        await add_reply(turn, department_id=department_id, **told)
        return
    reply = await lock_reply(turn, access.read_number(request.path_params["id"], "reply"))
    _must_keep(keeper, reply.department_id)
    if verb == "change":
        await change_reply(turn, reply, **told)
    else:
        await retire_reply(turn, reply)


async def _department_id(turn: Turn, key: str) -> int | None:
    if key == EVERYBODY:
        return None
    for one in await all_departments(turn.session):
        if one.key == key:
            return one.id
    raise BadInput("Please choose whose it is.")


def _must_keep(keeper: Keeper, department_id: int | None) -> None:
    if not keeper.may_keep(department_id):
        raise NotAllowed("Its department's lead keeps it, or somebody who oversees all.")


def _form_of(request: Request, verb: str) -> str:
    """The form that was sent: "add", or "17/change"."""
    return "add" if verb == "add" else f"{request.path_params['id']}/{verb}"


async def _keeper(request: Request, reader: Reader) -> Keeper:
    async with request.app.state.database.reading() as session:
        return Keeper(reader, await led_departments(session, reader.staff.id or 0))


async def _page(
    request: Request, reader: Reader, said: str | None = None, problem: Problem | None = None
) -> dict[str, Any]:
    keeper = await _keeper(request, reader)
    async with request.app.state.database.reading() as session:
        departments = await all_departments(session)
        mine = None if reader.staff.oversees else reader.departments
        replies = await replies_at_hand(session, mine)
    groups = _groups(keeper, departments, replies)
    forms = {f"{one.id}/change" for group in groups for one in group.replies if one.mine}
    if problem is not None and problem.verb not in forms | {"add"}:
        lost = problem.typed["body"]
        words = f"{problem.words} {f'You had written: “{lost}”' if lost else ''}".strip()
        problem = Problem("", words)
    return {
        "groups": groups,
        "whose": _whose(keeper, departments),
        "reasons": [Choice("", "Anything"), *(Choice(one.value, REASONS[one]) for one in REASONS)],
        "fields": [f"{{{one}}}" for one in FIELDS],
        "said": said,
        "problem": problem,
        **frame(reader),
    }


def _groups(
    keeper: Keeper, departments: Sequence[Department], replies: Sequence[CannedReply]
) -> list[Group]:
    names = {one.id: one.name for one in departments} | {None: "Everybody"}
    groups = [
        Group(name, [_shown(keeper, one) for one in replies if one.department_id == department_id])
        for department_id, name in names.items()
    ]
    return [group for group in groups if group.replies]


def _shown(keeper: Keeper, reply: CannedReply) -> Shown:
    suits = REASONS[ContactReason(reply.reason)].lower() if reply.reason else "anything"
    return Shown(
        reply.id or 0, reply.title, reply.body, reply.reason, suits, reply.written_by,
        keeper.may_keep(reply.department_id),
    )  # fmt: skip


def _whose(keeper: Keeper, departments: Sequence[Department]) -> list[Choice]:
    whose = [Choice(one.key, one.name) for one in departments if keeper.may_keep(one.id)]
    return [*whose, Choice(EVERYBODY, "Everybody")] if keeper.may_keep(None) else whose
