"""`python -m tests.bench.servers KIND`: the measured servers and their references.

Each says the port that it took. All web servers are one process of uvicorn, set up alike.
"""

import asyncio
import gc
import json
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portal.app import create_app, lifespan
from portal.demo.fake_providers import SIMULATED_SID, CarrierConfig
from portal.demo.fake_providers.account import Account
from portal.runtime.web_server import serve_web
from portal.settings import Settings
from portal.tracking import StatusPageCache


def hello(listener: socket.socket) -> None:
    """Starlette's shortest answer, to a GET and to a POST whose body is read."""

    async def say(request: Request) -> Response:
        return PlainTextResponse("Hello, world!")

    async def take(request: Request) -> Response:
        await request.body()
        return Response(status_code=204)

    _serve(Starlette(routes=[Route("/", say), Route("/", take, methods=["POST"])]), listener)


def kept(listener: socket.socket) -> None:
    """The whole application, as `kept web` serves it."""
    serve_web(listener, Settings.load())


def uncached(listener: socket.socket) -> None:
    """The same, but no page is kept: each view is a first one."""
    app = create_app(Settings.load())

    @asynccontextmanager
    async def forgetful(app: Any) -> Any:
        async with lifespan(app):
            await app.state.status_pages.close()
            app.state.status_pages = StatusPageCache(app.state.settings, app.state.database, 0)
            yield

    app.router.lifespan_context = forgetful
    _serve(app, listener)


def hub(listener: socket.socket) -> None:
    """The least that can tell many: their `send`s in a list, one frame for all; POST publishes."""
    sends: list[Any] = []

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        kind = b"text/event-stream" if scope["method"] == "GET" else b"text/plain"
        head = [(b"content-type", kind)]
        if scope["method"] == "POST":
            frame = (await receive())["body"]
            event = {"type": "http.response.body", "body": frame, "more_body": True}
            for tell in sends:
                step = tell(event)
                with suppress(StopIteration):
                    step.send(None)
            head.append((b"content-length", b"0"))
            await send({"type": "http.response.start", "status": 204, "headers": head})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b": hello\n\n", "more_body": True})
        sends.append(send)
        while (await receive())["type"] != "http.disconnect":
            pass
        sends.remove(send)

    _serve(serve, listener)


def provider(listener: socket.socket) -> None:
    """Accepts a text in 50 ms, by the fake carrier's answer, at the least cost of a processor.

    `GET /count` gives how many, and when the first and the last came (seconds).
    """
    uvloop.run(_provide(listener))


async def _provide(listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    taken: list[float] = []
    text = Account(CarrierConfig()).accept(
        {"To": "+14155550132", "From": CarrierConfig().from_number, "Body": "-"}
    )
    accepted = text.as_twilio(SIMULATED_SID)
    gc.freeze()

    class Counter(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            self.got = b""

        def data_received(self, data: bytes) -> None:
            self.got += data
            head = self.got.find(b"\r\n\r\n")
            if head < 0:
                return
            if self.got.startswith(b"GET"):
                first, last = (taken[0], taken[-1]) if taken else (0, 0)
                self.answer(json.dumps([len(taken), first, last]).encode(), 200)
                return
            at = self.got.lower().find(b"content-length:", 0, head)
            if len(self.got) < head + 4 + int(self.got[at + 15 :].split(b"\r\n", 1)[0]):
                return
            taken.append(loop.time())
            text = {**accepted, "sid": f"SM{len(taken):032x}"}
            loop.call_later(0.05, self.answer, json.dumps(text).encode(), 201)

        def answer(self, body: bytes, status: int) -> None:
            self.got = b""
            if self.transport.is_closing():
                return
            head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n"
            self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    serving = await loop.create_server(Counter, sock=listener)
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    serving.close()


def _serve(app: Any, listener: socket.socket) -> None:
    uvicorn.Server(
        uvicorn.Config(
            app, loop="uvloop", http="httptools", lifespan="on", log_level="warning",
            access_log=False, server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
    ).run(sockets=[listener])  # fmt: skip


KINDS: dict[str, Callable[[socket.socket], None]] = {
    "hello": hello, "kept": kept, "unkept": uncached, "hub": hub, "provider": provider,
}  # fmt: skip

if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as taken:
        print(taken.getsockname()[1], flush=True)
        KINDS[sys.argv[1]](taken)
