"""The kinds of endpoint: one writes in one unit of work, one reads, one sends a file."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self

import structlog
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal import business_time
from portal.api.authentication import get_api_key, require_scope
from portal.api.idempotency import IdempotentCall
from portal.api.parsing import parse, read_body
from portal.api.schemas.inputs import Input
from portal.api.schemas.queries import NoQuery
from portal.attachments.responses import file_response
from portal.attachments.stored_file import StoredFile
from portal.errors import BadInput, NotFound
from portal.models import Actor, ApiKey, ApiScope, StaffMember
from portal.queries.staff import find_staff_by_email
from portal.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class WriteEndpoint:
    """A POST, handled in one unit of work. A repeated call gets the first response again.

    ``handler`` is given the unit of work, the body and the path parameters. ``location`` is the
    URL of what was created, with fields of the response in braces. ``without_key`` is given the
    same as the handler, first, for a call that has no ``Idempotency-Key``. ``prepare`` does before the
    transaction what takes long, is given the call, the body and the path parameters, and refuses what
    the handler would refuse; the handler gets its result as ``prepared``. A repeated call is not
    prepared again: what it asks for may be refused by now.
    """

    path: str
    handler: Callable[..., Awaitable[BaseModel]]
    input_model: type[Input]
    response_model: type[BaseModel]
    status: int = 200
    location: str | None = None
    scope: ApiScope = ApiScope.ACT
    without_key: Callable[..., Awaitable[None]] | None = None
    prepare: Callable[..., Awaitable[Any]] | None = None
    body_limit: Middleware | None = None
    query: ClassVar[type[BaseModel]] = NoQuery
    method: ClassVar[str] = "POST"

    @property
    def route(self) -> Route:
        """The route that serves it."""
        middleware = [self.body_limit] if self.body_limit else []
        return Route(self.path, self.serve, methods=[self.method], middleware=middleware)

    async def serve(self, request: Request) -> Response:
        """Run the handler. Raises PortalError for a rejected call, which changes nothing.

        A line in the log names the key and the person by whom it acted: not all that a call does
        is an event of a request.
        """
        key = await get_api_key(request, self.scope)
        parse(self.query, request.query_params)
        document = await read_body(request)
        body = parse(self.input_model, document)
        if body.by is not None:
            require_scope(key, ApiScope.ACT_AS_STAFF)
        idempotent_call = IdempotentCall.of(request, key, document)
        more: dict[str, Any] = {}
        if self.prepare is not None:
            async with request.app.state.database.reading() as session:
                first_response = await idempotent_call.find(session) if idempotent_call else None
            if first_response is not None:
                return self._respond(first_response.status, first_response.body, replayed=True)
            more["prepared"] = await self.prepare(request, body, **_path(request))
        try:
            return await self._run(request, key.actor, body, idempotent_call, more)
        except IntegrityError:
            # A concurrent call did the same first: the second try finds what it stored.
            return await self._run(request, key.actor, body, idempotent_call, more)

    async def _run(
        self,
        request: Request,
        actor: Actor,
        body: Input,
        idempotent_call: IdempotentCall | None,
        more: dict[str, Any],
    ) -> Response:
        async with request.app.state.operations.begin(actor) as uow:
            first_response = await idempotent_call.find(uow.session) if idempotent_call else None
            if first_response is not None:
                return self._respond(first_response.status, first_response.body, replayed=True)
            record = await idempotent_call.begin(uow) if idempotent_call else None
            if body.by is not None:
                person = await find_acting_staff(uow.session, body.by)
                uow.actor = replace(person.actor, via_key=actor.name)
            if idempotent_call is None and self.without_key is not None:
                await self.without_key(uow, body, **_path(request))
            response = await self.handler(uow, body, **_path(request), **more)
            response_json = response.model_dump_json()
            if record is not None:
                # In the same transaction: a crash cannot keep the change and lose this record.
                record.status, record.body = self.status, response_json
        _log_call(request, self.method, self.path, actor.name, by_staff_id=uow.actor.staff_id)
        return self._respond(self.status, response_json)

    def _respond(self, status: int, response_json: str, *, replayed: bool = False) -> Response:
        response = _json(response_json, status)
        if self.location is not None:
            fields = self.response_model.model_validate_json(response_json)
            response.headers["Location"] = self.location.format(**fields.model_dump())
        if replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response


@dataclass(frozen=True)
class ReadContext:
    """What a call that only reads works with: a session of one snapshot, and the time.

    ``shows_links``: the key may act on requests, so the answer may give customers' links, with
    which anybody acts as the customer.
    """

    session: AsyncSession
    settings: Settings
    now: datetime
    shows_links: bool = True

    @classmethod
    def of(cls, request: Request, session: AsyncSession, key: ApiKey) -> Self:
        """The context of this call."""
        shows_links = key.has_scope(ApiScope.ACT)
        return cls(session, request.app.state.settings, business_time.now(), shows_links)


@dataclass(frozen=True)
class ReadEndpoint:
    """A GET. ``handler`` is given the context, the query and the path parameters."""

    path: str
    handler: Callable[..., Awaitable[BaseModel]]
    response_model: type[BaseModel]
    query: type[BaseModel] = NoQuery
    status: ClassVar[int] = 200
    method: ClassVar[str] = "GET"
    scope: ClassVar[ApiScope] = ApiScope.READ

    @property
    def route(self) -> Route:
        """The route that serves it."""
        return Route(self.path, self.serve, methods=[self.method])

    async def serve(self, request: Request) -> Response:
        """Run the handler in one read transaction."""
        key = await get_api_key(request, self.scope)
        # An empty parameter ("?owner=&q=") counts as not given.
        query = parse(
            self.query, {name: value for name, value in request.query_params.items() if value}
        )
        async with request.app.state.database.reading() as session:
            context = ReadContext.of(request, session, key)
            response = await self.handler(context, query, **_path(request))
        return _json(response.model_dump_json(), self.status)


@dataclass(frozen=True)
class FileEndpoint:
    """A GET of a file. ``handler`` is given the context and the path parameters."""

    path: str
    handler: Callable[..., Awaitable[StoredFile | None]]
    query: ClassVar[type[BaseModel]] = NoQuery
    status: ClassVar[int] = 200
    method: ClassVar[str] = "GET"
    scope: ClassVar[ApiScope] = ApiScope.READ

    @property
    def route(self) -> Route:
        """The route that serves it."""
        return Route(self.path, self.serve, methods=[self.method])

    async def serve(self, request: Request) -> Response:
        """Send the file, with a line in the log that names the key. Raises NotFound."""
        key = await get_api_key(request, self.scope)
        parse(self.query, request.query_params)
        async with request.app.state.database.reading() as session:
            context = ReadContext.of(request, session, key)
            stored_file = await self.handler(context, **_path(request))
        response = file_response(request, stored_file)
        _log_call(request, self.method, self.path, key.name)
        return response


def _log_call(
    request: Request, method: str, path: str, key: str, *, by_staff_id: int | None = None
) -> None:
    """Log who called. The ids of the path name what it is about; an e-mail address is left out."""
    ids = {name: part for name, part in request.path_params.items() if name != "email"}
    log.info("api call", key=key, call=f"{method} {path}", by_staff_id=by_staff_id, **ids)


async def find_acting_staff(session: AsyncSession, email: str) -> StaffMember:
    """The member of staff by whom a call acts. Raises BadInput where there is none."""
    person = await find_staff_by_email(session, email)
    if person is None or person.disabled_at is not None:
        raise BadInput(
            f"Nobody at the desk has the address {email[:100]!r}.",
            fields={"by": "the e-mail address of a member of staff"},
        )
    return person


def _path(request: Request) -> dict[str, Any]:
    """The path parameters: references as text, ids as numbers. Raises NotFound for unusable ones."""
    parts: dict[str, Any] = dict(request.path_params)
    for name, part in parts.items():
        if not part.isprintable():
            raise NotFound("There is nothing at this address.")
        if name.endswith("id"):
            # At most 18 digits: a larger id fits into no BIGINT.
            if not re.fullmatch(r"[0-9]{1,18}", part):
                raise NotFound("There is nothing at this address.")
            parts[name] = int(part)
    return parts


def _json(body: str, status: int) -> Response:
    return Response(
        body, status, headers={"Cache-Control": "no-store"}, media_type="application/json"
    )
