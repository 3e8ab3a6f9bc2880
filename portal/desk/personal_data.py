"""For admins: what is kept about a person, a copy of it, and its erasure, each with a due date."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from portal import business_time
from portal.desk.auth.access import (
    answer,
    field,
    id_in_path,
    is_fragment,
    layout_context,
    read_form,
)
from portal.desk.auth.current_staff import CurrentStaff
from portal.errors import BadInput, NotAllowed, NotFound, PortalError
from portal.models import PersonRequest, PersonRequestKind, Role
from portal.models.columns import saved_id
from portal.operations import Operations
from portal.operations.privacy.erase import Erasure, erase_person, preview_erasure
from portal.operations.privacy.export import PersonExport, collect_export
from portal.operations.privacy.person_requests import (
    complete_exports,
    get_person_request,
    list_person_requests,
    record_person_request,
)

URL = "/desk/personal-data"
CHUNK_SIZE = 64 * 1024
IN_MEMORY = 4 * 1024 * 1024
SUCCESS_MESSAGES = {
    "recorded": "Recorded, with its due date.",
    "erased": "Erased. What stays of the requests has no name.",
}
KIND_LABELS = {PersonRequestKind.EXPORT: "A copy", PersonRequestKind.ERASE: "Erasure"}


@dataclass(frozen=True, slots=True)
class PersonRequestRow:
    """A request in the list. ``address`` is empty once the person is erased."""

    id: int
    kind: str
    kind_label: str
    address: str
    names: str
    received: str
    due: str
    is_overdue: bool
    is_due_soon: bool
    done: str


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """What is kept about the person who was looked up, in numbers."""

    address: str
    erasure: Erasure


async def show_personal_data(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/personal-data?done=`."""
    _require_admin(reader)
    said = SUCCESS_MESSAGES.get(request.query_params.get("done", ""))
    return await _render(request, reader, said=said)


async def find_or_record(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/personal-data` with `address`, `name` and `verb`: find, export or erase.

    A look-up is a POST too, so that no phone number stands in a URL and in the logs of proxies.
    """
    _require_admin(reader)
    form = await read_form(request)
    address, name, verb = (field(form, part) for part in ("address", "name", "verb"))
    operations: Operations = request.app.state.operations
    names = [name] if name else []
    try:
        if verb == "find":
            erasure = await preview_erasure(operations, reader.staff.actor, address, names)
            found = FoundPerson(address, erasure)
            return await _render(request, reader, typed=(address, name), found=found)
        async with operations.begin(reader.staff.actor) as uow:
            await record_person_request(uow, verb, address, names)
    except PortalError as refusal:
        return await _render(request, reader, typed=(address, name), refusal=refusal)
    return await _done(request, reader, "recorded")


async def act_on_person_request(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/personal-data/{id}/export` answers with the copy; `.../erase` needs `sure`."""
    _require_admin(reader)
    request_id = id_in_path(request, "request")
    operations: Operations = request.app.state.operations
    async with operations.database.reading() as session:
        person_request = await get_person_request(session, request_id)
    if request.path_params["verb"] != person_request.kind.value:
        raise NotFound("There is nothing of that name to do.")
    form = await read_form(request)
    try:
        if person_request.kind == PersonRequestKind.EXPORT:
            return await _export(operations, reader, person_request)
        await _erase(operations, reader, person_request, form)
    except PortalError as refusal:
        return await _render(request, reader, refusal=refusal)
    return await _done(request, reader, "erased")


async def _export(
    operations: Operations, reader: CurrentStaff, person_request: PersonRequest
) -> Response:
    export, scope = await collect_export(
        operations, reader.staff.actor, person_request.address, person_request.names.splitlines()
    )

    async def complete() -> None:
        async with operations.begin(reader.staff.actor) as uow:
            await complete_exports(uow, scope)

    return await _download(export, saved_id(person_request), complete)


async def _erase(
    operations: Operations, reader: CurrentStaff, person_request: PersonRequest, form: FormData
) -> None:
    if not field(form, "sure"):
        raise BadInput("Please confirm that it is to be erased: it cannot be undone.")
    await erase_person(
        operations, reader.staff.actor, person_request.address,
        person_request.names.splitlines(), cancel_open=bool(field(form, "cancel_open")),
    )  # fmt: skip


async def _download(
    export: PersonExport, request_id: int, complete: Callable[[], Awaitable[None]]
) -> Response:
    """The copy as a zip file. It is never written to the disk under a name.

    ``complete`` runs once all of it is sent: who gets no copy has one to download still.
    """
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed when it is sent)
    try:
        await asyncio.to_thread(export.write_zip, file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return StreamingResponse(
        _chunks(file, complete),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="personal-data-{request_id}.zip"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _chunks(file: IO[bytes], complete: Callable[[], Awaitable[None]]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_SIZE):
            yield chunk
    await complete()


async def _done(request: Request, reader: CurrentStaff, done: str) -> Response:
    if is_fragment(request):
        return await _render(request, reader, said=SUCCESS_MESSAGES[done])
    return RedirectResponse(f"{URL}?done={done}", 303)


async def _render(
    request: Request,
    reader: CurrentStaff,
    *,
    said: str | None = None,
    typed: Sequence[str] = ("", ""),
    found: FoundPerson | None = None,
    refusal: PortalError | None = None,
) -> Response:
    now = business_time.now()
    async with request.app.state.database.reading() as session:
        rows = [_row(person_request, now) for person_request in await list_person_requests(session)]
    context: dict[str, Any] = {
        "open_requests": [row for row in rows if not row.done],
        "done_requests": [row for row in rows if row.done],
        "typed": {"address": typed[0], "name": typed[1]},
        "found": found,
        "said": said,
        "problem": refusal.detail if refusal else "",
        **layout_context(reader),
    }
    status = refusal.status if refusal else 200
    return await answer(request, "desk/personal_data.html", context, status)


def _row(person_request: PersonRequest, now: datetime) -> PersonRequestRow:
    is_known = "@" in person_request.address or person_request.address.startswith("+")
    done = ""
    if person_request.done_at is not None:
        done = f"{_day(person_request.done_at)} by {person_request.done_by}"
    return PersonRequestRow(
        id=saved_id(person_request),
        kind=person_request.kind.value,
        kind_label=KIND_LABELS[person_request.kind],
        address=person_request.address if is_known else "",
        names=", ".join(person_request.names.splitlines()),
        received=f"{_day(person_request.received_at)}, recorded by {person_request.recorded_by}",
        due=_day(person_request.due_at),
        is_overdue=person_request.is_overdue(now),
        is_due_soon=person_request.is_due_soon(now),
        done=done,
    )


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


def _require_admin(reader: CurrentStaff) -> None:
    if reader.staff.role != Role.ADMIN:
        raise NotAllowed("Only an admin may see or erase all data of a person.")
