"""The simulator in a thread of its own, for tests and for a process that does other things too."""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from threading import Event, Thread
from typing import Any, Generic, Self, TypeVar

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from portal.demo.fake_providers.app import create_carrier
from portal.demo.fake_providers.config import (
    SIMULATED_SID,
    SIMULATED_TOKEN,
    CarrierConfig,
    refuse_beside_real_credentials,
    require_loopback,
)
from portal.demo.fake_providers.fake_carrier import Carrier
from portal.demo.fake_providers.faults import Fault, FaultKind, FaultRules
from portal.demo.fake_providers.mailbox import Mail, Mailbox
from portal.demo.fake_providers.sms import Text
from portal.demo.fake_providers.twilio_api import DROP_CONNECTION
from portal.demo.fake_providers.webhooks import Outcome

T = TypeVar("T")

STARTS_WITHIN = 10.0


class PendingResult(Generic[T]):
    """Something that the simulator's thread is doing: `await` it, or ask for its `result()`."""

    def __init__(self, future: "Future[T]") -> None:
        self._future = future

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self._future).__await__()

    def result(self) -> T:
        """Wait for it, where there is no event loop to await it in."""
        return self._future.result()


class FakeProviders:
    """Carrier and mailbox on loopback, from `with` or `async with` to the end of the block.

    Ports are free ones unless given. Further keywords are those of CarrierConfig. Raises
    UnsafeCredentials for a host that is not loopback, for an account that could be real, and when
    TWILIO_AUTH_TOKEN is set while no `auth_token` is given.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        smtp_port: int = 0,
        *,
        account_sid: str | None = None,
        auth_token: str | None = None,
        **behaviour: Any,
    ) -> None:
        require_loopback(host)
        refuse_beside_real_credentials(os.environ, explicit=auth_token is not None)
        self.config = CarrierConfig(
            account_sid=account_sid or SIMULATED_SID,
            auth_token=auth_token or SIMULATED_TOKEN,
            **behaviour,
        )
        self._host, self._ports = host, (port, smtp_port)
        self.app = create_carrier(self.config)
        self.carrier: Carrier = self.app.state.carrier
        self.mailbox: Mailbox = self.app.state.mailbox
        self._web = WebServer(self.app, self.carrier)

    # what a test or a demonstration asks

    @property
    def api_url(self) -> str:
        """The value for TWILIO_API_URL, without a slash at the end; the mailbox is at /mail."""
        return f"http://{_address(self._http)}"

    @property
    def smtp_url(self) -> str:
        """The value for SMTP_URL."""
        return f"smtp://{_address(self._smtp)}"

    @property
    def inbound_url(self) -> str | None:
        """Where texts from customers are announced; may be set at any time."""
        return self.carrier.inbound_url

    @inbound_url.setter
    def inbound_url(self, url: str | None) -> None:
        self.carrier.inbound_url = url

    @property
    def faults(self) -> FaultRules:
        """What goes wrong, and `clear()` for no more of it."""
        return self.carrier.faults

    def fault(self, do: FaultKind | str, **rule: Any) -> None:
        """Set a rule, for example `fault("status_500", to="+14155550132", times=1)`."""
        self.faults.add(Fault.from_json({"do": do, **rule}))

    def texts(self) -> tuple[Text, ...]:
        """In and out, oldest first."""
        return self.carrier.texts()

    def texts_to(self, number: str) -> tuple[Text, ...]:
        """What was sent to that phone, oldest first."""
        return tuple(text for text in self.carrier.thread(number) if not text.is_inbound)

    def mails_to(self, address: str) -> tuple[Mail, ...]:
        """What was mailed to that address, oldest first."""
        return self.mailbox.mails_to(address)

    def receive(self, from_: str, body: str, **more: Any) -> PendingResult[tuple[Text, Outcome]]:
        """A customer writes; done when the webhook has been answered. See Carrier.receive."""
        return self._do(self.carrier.receive(from_, body, **more))

    def hold(self, data: bytes, media_type: str = "image/jpeg") -> str:
        """Keep a photo for a text to bring; gives its `media` address, which asks for a sign-in."""
        return f"{self.api_url}{self.carrier.hold(data, media_type)}"

    def wait_for(self, predicate: Callable[[], T], timeout: float = 5.0) -> PendingResult[T]:
        """What `predicate` returns once that is true; TimeoutError after `timeout` seconds.

        It is asked after every change, in the simulator's thread, so let it be quick:
        `await simulator.wait_for(lambda: simulator.texts_to(number))`.
        """
        return self._do(self.carrier.changes.wait_for(predicate, timeout))

    def _do(self, work: Coroutine[Any, Any, T]) -> PendingResult[T]:
        return PendingResult(asyncio.run_coroutine_threadsafe(work, self._loop))

    # life

    def start(self) -> Self:
        """Listen, and return when both ports answer. Raises OSError where one is taken."""
        self._http = _listen(self._host, self._ports[0])
        try:
            self._smtp = _listen(self._host, self._ports[1])
        except OSError:
            self._http.close()
            raise
        self._thread = Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        if not self._web.ready.wait(STARTS_WITHIN):
            raise RuntimeError("The simulator did not start.")
        return self

    def stop(self) -> None:
        """End all of it, once or again; texts and mails can still be read."""
        self._web.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        smtp = await self._loop.create_server(self.mailbox.smtp, sock=self._smtp)
        try:
            await self._web.serve(sockets=[self._http])
        finally:
            smtp.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


class WebServer(uvicorn.Server):
    """uvicorn's own, which says when it listens and closes the carrier before its connections."""

    def __init__(self, app: Starlette, carrier: Carrier) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        self.ready = Event()
        self._carrier = carrier

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the waits first: a connection that waits for a text ends late by itself."""
        await self._carrier.close()
        await super().shutdown(sockets)


class Protocol(HttpToolsProtocol):
    """uvicorn's own, which also lets an answer hang up."""

    def on_message_begin(self) -> None:
        """Hand the request a way to drop its connection."""
        super().on_message_begin()
        self.scope["extensions"] = {DROP_CONNECTION: self.transport.abort}  # type: ignore[dict-item]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2_048)


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
