"""The two kinds of call: one that changes something, in one turn, and one that only looks."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal import business_time
from portal.api.authentication import get_api_key
from portal.api.idempotency import IdempotentCall
from portal.api.parsing import parse, read_body
from portal.api.schemas.inputs import Input, NoQuery
from portal.attachments.responses import file_response
from portal.attachments.stored_file import StoredFile
from portal.errors import BadInput, NotFound
from portal.models import Actor
from portal.operations import UnitOfWork
from portal.queries.staff import find_staff_by_email
from portal.settings import Settings


@dataclass(frozen=True)
class WriteEndpoint:
    """A POST. Read and checked, done in one turn, answered; a repeat is answered alike.

    ``does`` is given the turn, the body and the parts of the path. ``location`` is where the
    new thing stands, with the answer's fields in braces.
    """

    path: str
    handler: Callable[..., Awaitable[BaseModel]]
    input_model: type[Input]
    response_model: type[BaseModel]
    status: int = 200
    location: str | None = None
    query: ClassVar[type[BaseModel]] = NoQuery
    method: ClassVar[str] = "POST"

    @property
    def route(self) -> Route:
        """Where it is served."""
        return Route(self.path, self.serve, methods=[self.method])

    async def serve(self, request: Request) -> Response:
        """Do it, and answer; a refusal is raised and leaves nothing changed."""
        key = await get_api_key(request)
        parse(self.query, request.query_params)
        document = await read_body(request)
        body = parse(self.input_model, document)
        repeat = IdempotentCall.of(request, key, document)
        try:
            return await self._do(request, key.actor, body, repeat)
        except IntegrityError:
            # Somebody did the same at the same moment and was first: now we see what they did.
            return await self._do(request, key.actor, body, repeat)

    async def _do(
        self, request: Request, actor: Actor, body: Input, repeat: IdempotentCall | None
    ) -> Response:
        async with request.app.state.operations.begin(actor) as uow:
            answered = await repeat.find(uow) if repeat else None
            if answered is not None:
                return self._answer(answered.status, answered.body, replayed=True)
            kept = await repeat.begin(uow) if repeat else None
            if body.by is not None:
                uow.actor = await _hand(uow, body.by)
            given = await self.handler(uow, body, **_path(request))
            answer = given.model_dump_json()
            if kept is not None:
                # In the same transaction: a crash cannot do it and forget that it was done.
                kept.status, kept.body = self.status, answer
        return self._answer(self.status, answer)

    def _answer(self, status: int, answer: str, *, replayed: bool = False) -> Response:
        response = _json(answer, status)
        if self.location is not None:
            told = self.response_model.model_validate_json(answer)
            response.headers["Location"] = self.location.format(**told.model_dump())
        if replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response


@dataclass(frozen=True)
class ReadContext:
    """What a call that only reads works with: a consistent view, and the moment."""

    session: AsyncSession
    settings: Settings
    now: datetime


@dataclass(frozen=True)
class ReadEndpoint:
    """A GET. ``looks`` is given the view, the questions of the query and the parts of the path."""

    path: str
    handler: Callable[..., Awaitable[BaseModel]]
    response_model: type[BaseModel]
    query: type[BaseModel] = NoQuery
    status: ClassVar[int] = 200
    method: ClassVar[str] = "GET"

    @property
    def route(self) -> Route:
        """Where it is served."""
        return Route(self.path, self.serve, methods=[self.method])

    async def serve(self, request: Request) -> Response:
        """Look, and answer."""
        await get_api_key(request)
        # A question left empty ("?owner=&q=") is one not asked.
        query = parse(
            self.query, {name: said for name, said in request.query_params.items() if said}
        )
        state = request.app.state
        async with state.database.reading() as session:
            context = ReadContext(session, state.settings, business_time.now())
            given = await self.handler(context, query, **_path(request))
        return _json(given.model_dump_json(), self.status)


@dataclass(frozen=True)
class FileEndpoint:
    """A GET that is answered with a file. ``looks`` is given the view and the parts of the path."""

    path: str
    handler: Callable[..., Awaitable[StoredFile | None]]
    query: ClassVar[type[BaseModel]] = NoQuery
    status: ClassVar[int] = 200
    method: ClassVar[str] = "GET"

    @property
    def route(self) -> Route:
        """Where it is served."""
        return Route(self.path, self.serve, methods=[self.method])

    async def serve(self, request: Request) -> Response:
        """Look, and send it. Raises NotFound for what is not kept."""
        await get_api_key(request)
        parse(self.query, request.query_params)
        state = request.app.state
        async with state.database.reading() as session:
            context = ReadContext(session, state.settings, business_time.now())
            kept = await self.handler(context, **_path(request))
        return file_response(request, kept)


async def _hand(uow: UnitOfWork, email: str) -> Actor:
    person = await find_staff_by_email(uow.session, email)
    if person is None or person.disabled_at is not None:
        raise BadInput(
            f"Nobody at the desk has the address {email[:100]!r}.",
            fields={"by": "the e-mail address of a member of staff"},
        )
    return person.actor


def _path(request: Request) -> dict[str, Any]:
    """The parts of the path: references as they are, ids as numbers. Raises NotFound."""
    parts: dict[str, Any] = dict(request.path_params)
    for name, part in parts.items():
        if not part.isprintable():
            raise NotFound("There is nothing at this address.")
        if name.endswith("id"):
            # What no database could count up to names nothing.
            if not re.fullmatch(r"[0-9]{1,18}", part):
                raise NotFound("There is nothing at this address.")
            parts[name] = int(part)
    return parts


def _json(answer: str, status: int) -> Response:
    return Response(
        answer, status, headers={"Cache-Control": "no-store"}, media_type="application/json"
    )
