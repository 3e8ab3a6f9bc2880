"""The saved replies: all staff read them, team leads and managers edit them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.desk.auth import access
from portal.desk.auth.access import answer, is_fragment, layout_context, read_form
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.labels import REASON_LABELS
from portal.desk.widgets import Choice, FormError
from portal.errors import BadInput, NotAllowed, NotFound, PortalError
from portal.models import CannedReply, ContactReason, Department
from portal.models.columns import saved_id
from portal.operations import UnitOfWork
from portal.operations.conversation.canned_replies import (
    PLACEHOLDERS,
    add_canned_reply,
    lock_canned_reply,
    retire_canned_reply,
    update_canned_reply,
)
from portal.queries.desk.board import all_departments
from portal.queries.desk.canned_replies import list_canned_replies
from portal.queries.staff import led_departments

EVERYBODY = "everybody"
SUCCESS_MESSAGES = {
    "add": "Saved. It is offered from now on.",
    "change": "Saved. It is offered in its new text from now on.",
    "retire": "Archived. It is no longer offered.",
}


@dataclass(frozen=True, slots=True)
class CannedReplyRow:
    """A reply in the list, and whether its reader may change it."""

    id: int
    title: str
    body: str
    reason: str
    reason_label: str
    written_by: str
    mine: bool


@dataclass(frozen=True, slots=True)
class CannedReplyGroup:
    """The replies of one department, or of all."""

    name: str
    replies: Sequence[CannedReplyRow]


@dataclass(frozen=True, slots=True)
class CannedReplyAccess:
    """The saved replies this reader may edit: those of the departments they lead, or all."""

    reader: CurrentStaff
    leads: Collection[int] = field(default_factory=frozenset)

    def may_edit(self, department_id: int | None) -> bool:
        """True for a department that they lead; replies of all teams are the managers'."""
        return self.reader.staff.manages_all or department_id in self.leads


async def show_canned_replies(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/replies`."""
    said = SUCCESS_MESSAGES.get(request.query_params.get("done", ""))
    return await answer(
        request, "desk/canned_replies.html", await _page(request, reader, said=said)
    )


async def edit_canned_reply(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/replies`, `/desk/replies/{id}/change`, `/desk/replies/{id}/retire`."""
    verb: str = request.path_params.get("verb", "add")
    if verb not in SUCCESS_MESSAGES:
        raise NotFound("There is nothing of that name to do.")
    form = await read_form(request)
    reply_access = await _load_reply_access(request, reader)
    try:
        async with request.app.state.operations.begin(reader.staff.actor) as uow:
            await _do(uow, reply_access, request, verb, form)
    except PortalError as refusal:
        typed = {
            item: access.field(form, item) for item in ("title", "body", "reason", "department")
        }
        problem = FormError(_form_of(request, verb), refusal.detail, typed)
        context = await _page(request, reader, problem=problem)
        return await answer(request, "desk/canned_replies.html", context, refusal.status)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/replies?done={verb}", 303)
    return await answer(
        request,
        "desk/canned_replies.html",
        await _page(request, reader, said=SUCCESS_MESSAGES[verb]),
    )


async def _do(
    uow: UnitOfWork, reply_access: CannedReplyAccess, request: Request, verb: str, form: FormData
) -> None:
    told = {name: access.field(form, name) for name in ("title", "body", "reason")}
    if verb == "add":
        department_id = await _department_id(uow, access.field(form, "department"))
        _require_may_edit(reply_access, department_id)
        await add_canned_reply(uow, department_id=department_id, **told)
        return
    reply = await lock_canned_reply(uow, access.read_number(request.path_params["id"], "reply"))
    _require_may_edit(reply_access, reply.department_id)
    if verb == "change":
        await update_canned_reply(uow, reply, **told)
    else:
        await retire_canned_reply(uow, reply)


async def _department_id(uow: UnitOfWork, key: str) -> int | None:
    if key == EVERYBODY:
        return None
    for department in await all_departments(uow.session):
        if department.key == key:
            return department.id
    raise BadInput("Please choose a team.")


def _require_may_edit(reply_access: CannedReplyAccess, department_id: int | None) -> None:
    if not reply_access.may_edit(department_id):
        raise NotAllowed("Only its team lead or a manager can change it.")


def _form_of(request: Request, verb: str) -> str:
    """The form that was sent: "add", or "17/change"."""
    return "add" if verb == "add" else f"{request.path_params['id']}/{verb}"


async def _load_reply_access(request: Request, reader: CurrentStaff) -> CannedReplyAccess:
    async with request.app.state.database.reading() as session:
        return CannedReplyAccess(reader, await led_departments(session, saved_id(reader.staff)))


async def _page(
    request: Request,
    reader: CurrentStaff,
    said: str | None = None,
    problem: FormError | None = None,
) -> dict[str, Any]:
    reply_access = await _load_reply_access(request, reader)
    async with request.app.state.database.reading() as session:
        departments = await all_departments(session)
        mine = None if reader.staff.manages_all else reader.departments
        replies = await list_canned_replies(session, mine)
    groups = _groups(reply_access, departments, replies)
    forms = {f"{reply.id}/change" for group in groups for reply in group.replies if reply.mine}
    return {
        "groups": groups,
        "reply_scopes": _reply_scopes(reply_access, departments),
        "reasons": [
            Choice("", "Any"),
            *(Choice(item.value, REASON_LABELS[item]) for item in REASON_LABELS),
        ],
        "fields": [f"{{{item}}}" for item in PLACEHOLDERS],
        "said": said,
        "problem": problem and problem.among(forms | {"add"}),
        **layout_context(reader),
    }


def _groups(
    reply_access: CannedReplyAccess,
    departments: Sequence[Department],
    replies: Sequence[CannedReply],
) -> list[CannedReplyGroup]:
    names = {department.id: department.name for department in departments} | {None: "All teams"}
    groups = [
        CannedReplyGroup(
            name,
            [
                _shown(reply_access, reply)
                for reply in replies
                if reply.department_id == department_id
            ],
        )
        for department_id, name in names.items()
    ]
    return [group for group in groups if group.replies]


def _shown(reply_access: CannedReplyAccess, reply: CannedReply) -> CannedReplyRow:
    reason_label = REASON_LABELS[ContactReason(reply.reason)].lower() if reply.reason else "any"
    return CannedReplyRow(
        saved_id(reply), reply.title, reply.body, reply.reason, reason_label, reply.written_by,
        reply_access.may_edit(reply.department_id),
    )  # fmt: skip


def _reply_scopes(
    reply_access: CannedReplyAccess, departments: Sequence[Department]
) -> list[Choice]:
    scopes = [
        Choice(department.key, department.name)
        for department in departments
        if reply_access.may_edit(department.id)
    ]
    return [*scopes, Choice(EVERYBODY, "All teams")] if reply_access.may_edit(None) else scopes
