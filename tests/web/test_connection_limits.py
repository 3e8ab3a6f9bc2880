"""A web server on a real socket: nobody holds its connections by waiting, nor its memory by a head."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from structlog.testing import capture_logs

from portal.app import create_app
from portal.models import ServiceRequest
from portal.runtime.http_protocol import RESERVED_FILES, available_connections
from portal.runtime.web_server import Server, server_config
from portal.settings import Settings
from tests.support.customer_device import link

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WITHIN = 20
"""Seconds in which the server must have ended a connection; a test waits so long only to fail."""
HEAD = b"POST %s HTTP/1.1\r\nHost: testserver\r\nContent-Length: %d\r\n%s\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"

Connect = Callable[..., Awaitable["Connection"]]


class Connection:
    """A client's raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        """The status of the next response, whose head is read."""
        async with asyncio.timeout(WITHIN):
            head = await self.reader.readuntil(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1])

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        async with asyncio.timeout(WITHIN):
            with contextlib.suppress(ConnectionResetError):
                return await self.reader.read()
        return b""


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Connect]:
    """The portal behind its own server, and a way to connect to it."""
    app = create_app(settings)
    config = server_config(app, settings)
    config.host, config.port = "127.0.0.1", 0
    server = Server(app, config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(WITHIN):
        while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with AsyncExitStack() as clients:

        async def connect(first: bytes = b"") -> Connection:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            clients.callback(writer.close)
            connection = Connection(reader, writer)
            await connection.send(first)
            return connection

        try:
            yield connect
        finally:
            server.should_exit = True
            await running


@pytest.fixture
async def connect(settings: Settings) -> AsyncIterator[Connect]:
    """To a server that waits half a second."""
    async with serving(settings.model_copy(update={"request_timeout_seconds": 0.5})) as connect:
        yield connect


async def test_connection_without_a_call_is_closed(connect: Connect) -> None:
    assert await (await connect()).rest() == b""


async def test_half_sent_head_is_answered_and_closed(connect: Connect) -> None:
    connection = await connect(b"GET /healthz HTTP/1.1\r\nHost: testserver\r\nX-Slow: ")
    assert await connection.status() == 408
    assert b"did not arrive in time" in await connection.rest()


async def test_blank_lines_keep_no_connection_open(connect: Connect) -> None:
    connection = await connect(b"GET /healthz HTTP/1.1\r\nHost: testserver\r\n\r\n")
    assert await connection.status() == 200

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await connection.send(b"\r\n")
                await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    await connection.rest()
    dripping.cancel()


@pytest.mark.parametrize("path", [b"/", b"/hooks/twilio/inbound", b"/desk/sign-in"])
async def test_half_sent_body_is_answered_and_closed(connect: Connect, path: bytes) -> None:
    connection = await connect(HEAD % (path, 100, FORM) + b"bo")
    assert await connection.status() == 408
    assert b"did not arrive in time" in await connection.rest()


async def test_rest_of_a_refused_body_is_not_waited_for(connect: Connect) -> None:
    connection = await connect(HEAD % (b"/nowhere", 100, b"") + b"bo")
    assert await connection.status() == 404
    await connection.rest()


async def test_body_of_a_stream_is_not_waited_for(
    connect: Connect, card_request: ServiceRequest
) -> None:
    """It ends like a stream whose viewer has left, without an error in the log."""
    head = (HEAD % (f"{link(card_request)}/live".encode(), 100, b"")).replace(b"POST", b"GET")
    with capture_logs() as lines:
        connection = await connect(head)
        assert await connection.status() == 200
        await connection.rest()
    assert not [line for line in lines if line["log_level"] == "error"]


@pytest.mark.parametrize("value", [b"x" * 40_000, b"x" * 4_000_000], ids=["one-piece", "large"])
async def test_large_head_is_refused(connect: Connect, value: bytes) -> None:
    connection = await connect()
    head = b"GET /healthz HTTP/1.1\r\nHost: testserver\r\nX-Large: " + value + b"\r\n\r\n"

    async def send() -> None:
        with contextlib.suppress(ConnectionError):
            await connection.send(head)

    sending = asyncio.create_task(send())
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
        assert await connection.status() == 431
    await connection.rest()
    await sending


async def test_large_head_is_refused_before_its_line_ends(connect: Connect) -> None:
    connection = await connect(b"GET /healthz HTTP/1.1\r\nX-Large: ")
    await connection.send(b"x" * 40_000)
    assert await connection.status() == 431


async def test_ordinary_heads_and_kept_connections_work(connect: Connect) -> None:
    cookie = b"Cookie: " + b"x" * 8_000 + b"\r\n"
    connection = await connect()
    for _ in range(3):
        await connection.send(b"GET /healthz HTTP/1.1\r\nHost: testserver\r\n" + cookie + b"\r\n")
        assert await connection.status() == 200
        assert await connection.reader.readexactly(15) == b'{"status":"ok"}'


async def test_slow_body_that_makes_progress_is_taken(settings: Settings) -> None:
    """Sixteen kilobytes buy a second more."""
    async with serving(settings.model_copy(update={"request_timeout_seconds": 1})) as connect:
        body = b"reference=" + b"x" * 50_000
        connection = await connect(HEAD % (b"/", len(body), FORM))
        for start in range(0, len(body), 16_000):
            await asyncio.sleep(0.4)
            await connection.send(body[start : start + 16_000])
        assert await connection.status() in (200, 413, 422)


async def test_connection_too_many_is_refused_at_once(settings: Settings) -> None:
    async with serving(settings.model_copy(update={"max_connections": 3})) as connect:
        held = [await connect(b"GET / HTTP/1.1\r\n") for _ in range(3)]
        late = await connect()
        assert await late.status() == 503
        assert b"Too many connections" in await late.rest()
        held[0].writer.close()
        await held[0].writer.wait_closed()
        async with asyncio.timeout(WITHIN):
            while True:
                client = await connect(b"GET /healthz HTTP/1.1\r\nHost: testserver\r\n\r\n")
                if await client.status() == 200:
                    break


async def test_connections_leave_files_for_everything_else(settings: Settings) -> None:
    assert available_connections(50) == 50
    assert RESERVED_FILES < available_connections(10**9) < 10**9
