"""Open pages receive each change at once, once only, and what they missed while offline."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import pytest
import uvicorn
from redis import Redis
from starlette.applications import Starlette

from portal.app import create_app
from portal.live import CHANNEL, LiveUpdates
from portal.models import Event, Message, MessageStatus, ServiceRequest
from portal.operations import accept, advance, receive_web_message, revoke_link
from portal.queries.conversations import get_message
from portal.settings import Settings
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SOON = 5
"""Seconds in which what must come has come; a test waits so long only when it fails."""


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Starlette, str]]:
    """A web server on a free port: streams need a real one."""
    app = create_app(settings)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False,
                       timeout_graceful_shutdown=1)
    )  # fmt: skip
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield app, f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


@dataclass
class Page:
    """An open page and the ids of the events that it received."""

    lines: AsyncIterator[str]
    heard: list[int] = field(default_factory=list)

    async def hear(self) -> int:
        """Wait for the next event and return its id."""
        event: dict[str, str] = {}
        async with asyncio.timeout(SOON):
            async for line in self.lines:
                name, colon, told = line.partition(": ")
                if colon and name:
                    event[name] = told
                elif not line and event.pop("event", None) == "timeline":
                    self.heard.append(int(event["id"]))
                    return self.heard[-1]
        raise AssertionError("The stream ended.")


class Viewers:
    """Opens pages, and closes them all at the end."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack

    async def open(
        self, origin: str, request: ServiceRequest, query: str = "", **headers: str
    ) -> Page:
        """Open the stream, and wait until it is subscribed."""
        client = await self.stack.enter_async_context(httpx2.AsyncClient(timeout=SOON))
        assert request.live_link
        url = f"{origin}/r/{request.live_link.token}/live{query}"
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.stack.enter_async_context(client.stream("GET", url, headers=told))
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        lines = answer.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        return Page(lines)


@pytest.fixture
async def viewers() -> AsyncIterator[Viewers]:
    async with AsyncExitStack() as stack:
        yield Viewers(stack)


@pytest.fixture
async def served(
    settings: Settings, organisation: Organisation
) -> AsyncIterator[tuple[Starlette, str]]:
    """The application on a server; operations of the organisation publish to it."""
    async with serving(settings) as (app, origin):
        organisation.operations = app.state.operations
        yield app, origin


async def until(true: Callable[[], bool]) -> None:
    """Poll until the condition is true."""
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110 (neither uvicorn nor Valkey has an event for it)
            await asyncio.sleep(0.005)


async def settled(app: Starlette, count: int) -> None:
    """So many streams are open, and each has found where it stands."""
    live = app.state.live
    await until(lambda: live.viewers == count)
    await until(
        lambda: all(v.sent_version is not None for t in live._topics.values() for v in t.viewers)
    )


async def test_change_reaches_every_open_page_with_its_version(
    served: tuple[Starlette, str],
    viewers: Viewers,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    app, origin = served
    pages = [await viewers.open(origin, card_request) for _ in range(3)]
    await settled(app, 3)
    now = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert [await page.hear() for page in pages] == [now.page_version] * 3


async def test_no_event_on_connect(
    served: tuple[Starlette, str],
    viewers: Viewers,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """The first event is the first change after the connection."""
    app, origin = served
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    page = await viewers.open(origin, card_request)
    await settled(app, 1)
    now = await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    assert await page.hear() == now.page_version


@pytest.mark.parametrize("how", ["header", "query", "both"])
async def test_reconnect_replays_exactly_missed_events(
    served: tuple[Starlette, str],
    viewers: Viewers,
    organisation: Organisation,
    card_request: ServiceRequest,
    how: str,
) -> None:
    """Each once and in order. If both are given, the header counts."""
    app, origin = served
    had = card_request.page_version
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    now = await organisation.run(
        receive_web_message, card_request, "Hello?", by=organisation.people.tess.actor
    )
    headers = {} if how == "query" else {"Last_Event_ID": str(had)}
    query = {"header": "", "query": f"?since={had}", "both": f"?since={had - 1}"}[how]
    page = await viewers.open(origin, card_request, query, **headers)
    await settled(app, 1)
    last = await organisation.run(advance, card_request, by=organisation.people.uma.actor)
    assert now.page_version == had + 3
    assert [await page.hear() for _ in range(4)] == [had + 1, had + 2, had + 3, had + 4]
    assert last.page_version == had + 4


@pytest.mark.parametrize("number", ["soon", "-3", "9" * 40, "٣"])
async def test_invalid_last_event_id_is_ignored(
    served: tuple[Starlette, str],
    viewers: Viewers,
    organisation: Organisation,
    card_request: ServiceRequest,
    number: str,
) -> None:
    app, origin = served
    page = await viewers.open(origin, card_request, f"?since={number}")
    await settled(app, 1)
    now = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert await page.hear() == now.page_version


async def test_receipt_does_not_change_the_page_version(
    served: tuple[Starlette, str],
    viewers: Viewers,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """A receipt updates the desk only."""
    app, origin = served
    page = await viewers.open(origin, card_request)
    await settled(app, 1)
    [told] = await organisation.outbound_messages(card_request)
    async with organisation.database.transaction() as session:
        message: Message = await get_message(session, told.id or 0)
        message.apply_status(MessageStatus.DELIVERED, told.created_at)
    await app.state.live.publish_to_desk(card_request.id)
    assert (await organisation.reload(card_request)).page_version == card_request.page_version
    now = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert await page.hear() == now.page_version == card_request.page_version + 1


async def test_staff_only_events_do_not_change_the_page_version(
    served: tuple[Starlette, str],
    viewers: Viewers,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Revoking a link sends no event, and an open page stays as it is."""
    app, origin = served
    page = await viewers.open(origin, card_request)
    await settled(app, 1)
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    events: list[Event] = list(await organisation.events(card_request))
    assert not events[-1].visible
    now = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert await page.hear() == now.page_version == card_request.page_version + 1


async def test_events_are_isolated_per_request(
    served: tuple[Starlette, str],
    viewers: Viewers,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    app, origin = served
    other = await organisation.open(by=organisation.people.tess.actor)
    page = await viewers.open(origin, card_request)
    await settled(app, 1)
    await organisation.run(advance, other, by=organisation.people.tess.actor)
    now = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert await page.hear() == now.page_version
    assert page.heard == [card_request.page_version + 1]


async def test_closed_page_is_unsubscribed(
    served: tuple[Starlette, str], organisation: Organisation, card_request: ServiceRequest
) -> None:
    app, origin = served
    async with AsyncExitStack() as stack:
        await Viewers(stack).open(origin, card_request)
        await settled(app, 1)
    await until(lambda: app.state.live.viewers == 0)
    assert not app.state.live._topics


async def test_two_web_processes_receive_each_others_changes(
    settings: Settings,
    queue: str,
    viewers: Viewers,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Through one Redis: a change in one process reaches pages open at the other."""
    shared = settings.model_copy(update={"redis_url": queue})
    async with serving(shared) as (first, _), serving(shared) as (second, elsewhere):
        page = await viewers.open(elsewhere, card_request)
        await settled(second, 1)
        organisation.operations = first.state.operations
        await until(lambda: listeners(queue) == 2)
        numbers = []
        for verb, who in ((advance, "tess"), (accept, "uma"), (advance, "uma")):
            now = await organisation.run(
                verb, card_request, by=getattr(organisation.people, who).actor
            )
            numbers.append(now.page_version)
        assert [await page.hear() for _ in numbers] == numbers
        await viewers.stack.aclose()


async def test_server_with_unsupported_send_is_rejected_at_start(
    settings: Settings,
) -> None:
    """Each frame takes one step of the coroutine that ``send`` returns."""

    def send(_message: object) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="ASGI send is a coroutine function"):
        await LiveUpdates(None).stream({}, send, send, topic="desk:1", since=None)  # type: ignore[arg-type]


def listeners(queue: str) -> int:
    """The number of subscribed processes."""
    with Redis.from_url(queue) as client:
        return int(client.pubsub_numsub(CHANNEL)[0][1])
