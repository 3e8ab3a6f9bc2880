"""Who may hold a stream open, how many of them, and for how long."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette

from portal.app import create_app
from portal.models import SYSTEM_ACTOR, ServiceRequest, SignInEnd, StaffMember
from portal.operations import replace_link, revoke_link
from portal.operations.accounts import end_all_sign_ins
from portal.settings import Settings
from portal.web.stream_limits import MAX_PER_CLIENT, MAX_PER_LINK, MAX_PER_PERSON
from tests.support.customer_device import link
from tests.support.desk_client import signed_in_desk
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WITHIN = 20
"""Seconds in which a stream must have begun or ended; a test waits so long only to fail."""


@pytest.fixture
async def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Starlette]:
    """An application that compares at once."""
    monkeypatch.setattr("portal.live.COMPARE_SECONDS", 0.05)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


class Stream:
    """A stream that a browser opens and does not close."""

    def __init__(self, app: Starlette, path: str, client: str, cookie: str) -> None:
        self.status = 0
        self._is_asked = False
        self._answered = asyncio.Event()
        self._left = asyncio.Event()
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
            "client": (client, 1), "server": ("testserver", 80), "state": {},
            "headers": [(b"host", b"testserver"), (b"cookie", cookie.encode())],
        }  # fmt: skip
        self._task = asyncio.create_task(app(scope, self._receive, self._send))  # type: ignore[arg-type]

    async def opened(self) -> int:
        """The status of the answer."""
        async with asyncio.timeout(WITHIN):
            await self._answered.wait()
        return self.status

    async def ended(self) -> None:
        """Wait until the server ends it."""
        async with asyncio.timeout(WITHIN):
            await self._task

    async def leave(self) -> None:
        self._left.set()
        await self._task

    async def _receive(self) -> dict[str, Any]:
        if not self._is_asked:
            self._is_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self._answered.set()


@asynccontextmanager
async def open_streams(
    app: Starlette, path: str, count: int, client: str = "203.0.113.9", cookie: str = ""
) -> AsyncIterator[list[Stream]]:
    """So many streams, each answered."""
    streams = [Stream(app, path, client, cookie) for _ in range(count)]
    try:
        for stream in streams:
            await stream.opened()
        yield streams
    finally:
        for stream in streams:
            await stream.leave()


async def test_link_has_a_limit_of_streams(app: Starlette, card_request: ServiceRequest) -> None:
    path = f"{link(card_request)}/live"
    async with open_streams(app, path, MAX_PER_LINK + 2) as streams:
        assert sorted(stream.status for stream in streams) == [200] * MAX_PER_LINK + [429] * 2
    async with open_streams(app, path, 1) as [again]:
        assert again.status == 200


async def test_client_has_a_limit_of_streams(app: Starlette, organisation: Organisation) -> None:
    tess = organisation.people.tess.actor
    requests = [await organisation.open(by=tess) for _ in range(MAX_PER_CLIENT // MAX_PER_LINK + 1)]
    streams = []
    for request in requests:
        for _ in range(MAX_PER_LINK):
            streams.append(Stream(app, f"{link(request)}/live", "203.0.113.9", ""))
            await streams[-1].opened()
    elsewhere = Stream(app, f"{link(requests[-1])}/live", "203.0.113.10", "")
    assert await elsewhere.opened() == 200
    statuses = [stream.status for stream in streams]
    assert statuses == [200] * MAX_PER_CLIENT + [429] * MAX_PER_LINK
    for stream in [*streams, elsewhere]:
        await stream.leave()


@pytest.mark.parametrize("operation", [replace_link, revoke_link])
async def test_stream_ends_with_its_link(
    app: Starlette, organisation: Organisation, card_request: ServiceRequest, operation: Any
) -> None:
    async with open_streams(app, f"{link(card_request)}/live", 1) as [stream]:
        assert stream.status == 200
        await organisation.run(operation, card_request, by=organisation.people.tess.actor)
        await stream.ended()
    async with open_streams(app, f"{link(card_request)}/live", 1) as [late]:
        assert late.status == 404


@pytest.mark.parametrize("path", ["/desk/live", "/desk/requests/{reference}/live"])
async def test_stream_of_the_desk_ends_with_the_sign_in(
    app: Starlette, organisation: Organisation, card_request: ServiceRequest, path: str
) -> None:
    path = path.format(reference=card_request.reference)
    async with signed_in_desk(app, organisation, "tess") as desk:
        cookie = "; ".join(f"{name}={value}" for name, value in desk.client.cookies.items())
    async with open_streams(app, path, MAX_PER_PERSON + 1, cookie=cookie) as streams:
        assert sorted(stream.status for stream in streams) == [200] * MAX_PER_PERSON + [429]
        async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
            tess = await uow.session.get_one(StaffMember, organisation.people.tess.id)
            await end_all_sign_ins(uow, tess, SignInEnd.SIGNED_OUT_EVERYWHERE)
        for stream in streams:
            await stream.ended()


async def test_streams_of_one_link_are_checked_by_one_query_also_where_the_comparison_fails(
    app: Starlette,
    organisation: Organisation,
    card_request: ServiceRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A check that raises ends neither its own streams nor the checks of the others."""
    other_request = await organisation.open(by=organisation.people.tess.actor)
    asked: Counter[str] = Counter()
    is_round_over = asyncio.Event()
    find_version = app.state.status_pages.find_version

    async def counted(token: str) -> Any:
        asked[token] += 1
        if token == link(other_request).removeprefix("/r/"):
            raise OSError("away")
        return await find_version(token)

    async def fail() -> None:
        is_round_over.set()
        raise OSError("away")

    token = link(card_request).removeprefix("/r/")
    async with (
        open_streams(app, f"{link(other_request)}/live", 1),
        open_streams(app, f"{link(card_request)}/live", MAX_PER_LINK) as streams,
    ):
        monkeypatch.setattr(app.state.live, "_compare_once", fail)
        monkeypatch.setattr(app.state.status_pages, "find_version", counted)
        async with asyncio.timeout(WITHIN):
            for _ in range(3):
                is_round_over.clear()
                await is_round_over.wait()
        rounds = asked[link(other_request).removeprefix("/r/")]
        assert rounds >= 1
        assert asked[token] in (rounds - 1, rounds, rounds + 1)
        await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
        for stream in streams:
            await stream.ended()
