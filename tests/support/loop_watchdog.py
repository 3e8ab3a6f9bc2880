"""Finds what holds the event loop while the application serves HTTP in the tests."""

import gc
import resource
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from dataclasses import dataclass, field
from types import coroutine
from typing import Any, Self

import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

MAX_STEP_SECONDS = 0.1
"""Seconds of user time of the loop's thread between two awaits: the wall clock would count what
other processes of a busy machine do, and system time what its kernel does, such as page faults."""
MAX_FIRST_STEP_SECONDS = 0.4
"""The limit of an endpoint's first call in a test, which compiles its SQL statements anew."""
SPEED_LOOPS = 100_000
NOMINAL_SPEED_SECONDS = 0.01
"""What the loops of ``machine_slowness`` take on the machine for which the limits are meant."""


def user_time() -> float:
    """Seconds that this thread has computed; with the kernel's, where the system tells no less."""
    if not hasattr(resource, "RUSAGE_THREAD"):
        return time.thread_time()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_utime


def machine_slowness() -> float:
    """How much slower than meant this machine is at this moment; at least 1."""
    began = time.thread_time()
    total = 0
    for number in range(SPEED_LOOPS):
        total += number
    return max(1.0, (time.thread_time() - began) / NOMINAL_SPEED_SECONDS)


@dataclass
class LoopWatchdog:
    """Measures each step of each call of the application: what runs between two awaits.

    The steps of the test itself do not count, and Python's garbage collection does not either:
    it collects what the whole test run has left.
    """

    held: list[tuple[str, float]] = field(default_factory=list)
    _called: set[tuple[str, int]] = field(default_factory=set)
    _collecting: float = 0.0
    _collection_began: float = 0.0

    @property
    def serve(self) -> Callable[[Starlette, Scope, Receive, Send], Awaitable[None]]:
        """A function in place of ``Starlette.__call__``, which serves a call and measures it."""

        async def serve(app: Starlette, scope: Scope, receive: Receive, send: Send) -> None:
            await self._steps(_serve(app, scope, receive, send), scope)

        return serve

    @coroutine
    def _steps(self, served: Coroutine[Any, Any, None], scope: Scope) -> Generator[Any, Any, None]:
        value: Any = None
        error: BaseException | None = None
        while True:
            began = self._user_time()
            try:
                waits_for = served.send(value) if error is None else served.throw(error)
            except StopIteration:
                self._check(scope, self._user_time() - began)
                self._called.add(_endpoint(scope))
                return
            except BaseException:
                self._check(scope, self._user_time() - began)
                raise
            self._check(scope, self._user_time() - began)
            value, error = None, None
            try:
                value = yield waits_for
            except GeneratorExit:
                served.close()
                raise
            except BaseException as raised:  # noqa: BLE001 (the application decides about it)
                error = raised

    def _check(self, scope: Scope, seconds: float) -> None:
        if seconds <= MAX_STEP_SECONDS:
            return
        most = MAX_STEP_SECONDS if _endpoint(scope) in self._called else MAX_FIRST_STEP_SECONDS
        if seconds > most * machine_slowness():
            self.held.append((scope.get("path", ""), seconds))

    def _user_time(self) -> float:
        return user_time() - self._collecting

    def on_collection(self, phase: str, _info: dict[str, int]) -> None:
        """A callback of ``gc.callbacks``."""
        if phase == "start":
            self._collection_began = user_time()
        else:
            self._collecting += user_time() - self._collection_began

    def __enter__(self) -> Self:
        gc.callbacks.append(self.on_collection)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self.on_collection)


_serve = Starlette.__call__


def _endpoint(scope: Scope) -> tuple[str, int]:
    return scope.get("method", ""), id(scope.get("endpoint"))


@pytest.fixture(autouse=True)
def loop_watchdog(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoopWatchdog | None]:
    """Fails a test in which a call of the application holds the event loop.

    A test that does so on purpose has the marker ``holds_the_loop``.
    """
    if "app" not in request.fixturenames or request.node.get_closest_marker("holds_the_loop"):
        yield None
        return
    with LoopWatchdog() as watchdog:
        monkeypatch.setattr(Starlette, "__call__", watchdog.serve)
        yield watchdog
    if watchdog.held:
        held = ", ".join(f"{path}: {seconds:.2f} s" for path, seconds in watchdog.held)
        pytest.fail(f"The event loop was held by {held} of CPU time")
