"""The processes of the product, started by its own commands."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import Any, Self, TypeVar

import pytest
from pydantic import SecretStr

from portal.runtime.supervisor import _die_with
from portal.settings import Settings
from portal.settings.types import QuietHours

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
OUTPUT_TIMEOUT_SECONDS = 30.0


def environment(settings: Settings) -> dict[str, str]:
    """The environment for a process with these settings."""
    told = {
        Settings.environment_name(name): _as_told(getattr(settings, name))
        for name in sorted(settings.model_fields_set)
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    kept["PYTHONPATH"] = str(ROOT)  # scripts import this checkout
    return {**kept, "KEPT_QUIET_HOURS": "off", **{k: v for k, v in told.items() if v}}


def _as_told(value: Any) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case QuietHours(start=start, end=end):
            return f"{start:%H:%M}-{end:%H:%M}"
        case tuple() | list():
            return ",".join(_as_told(item) for item in value)
        case _:
            return str(value)


class Process:
    """A process that ends with the block. It belongs to no event loop."""

    def __init__(self, *arguments: str, settings: Settings, pass_fds: tuple[int, ...] = ()) -> None:
        self._arguments = arguments
        self._settings = settings
        self._pass_fds = pass_fds
        self._lines: list[str] = []
        self._read = 0
        self._news = Condition()

    def start(self) -> Self:
        """Start it, once."""
        parent = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, *self._arguments],
            env=environment(self._settings),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=self._pass_fds,
            # The process ends with a test run that is killed.
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509
        )
        self._reader = Thread(target=self._listen, daemon=True)
        self._reader.start()
        return self

    def stop(self) -> None:
        """`kill -9`, if it still runs; it is gone when this returns."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    @property
    def stderr(self) -> str:
        """Its output on stderr so far."""
        return "".join(self._lines)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def said(self, pattern: str) -> str:
        """Wait until this appears on stderr, after what was waited for before."""
        return await asyncio.to_thread(self.wait_for, pattern)

    def wait_for(self, pattern: str) -> str:
        """As `said`, where there is no event loop."""
        with self._news:
            while True:
                while self._read < len(self._lines):
                    self._read += 1
                    if found := re.search(pattern, self._lines[self._read - 1]):
                        return found[0]
                assert self._reader.is_alive(), f"it ended without saying {pattern!r}:{self.stderr}"
                assert self._news.wait(OUTPUT_TIMEOUT_SECONDS), (
                    f"it did not say {pattern!r}:{self.stderr}"
                )

    async def told(self, number: int) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        self._process.send_signal(number)
        try:
            code = await asyncio.to_thread(self._process.wait, OUTPUT_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it did not end after signal {number}:{self.stderr}")
        await asyncio.to_thread(self._reader.join, OUTPUT_TIMEOUT_SECONDS)
        return code

    async def killed(self) -> None:
        """`kill -9`."""
        await self.told(signal.SIGKILL)

    def suspend(self) -> None:
        """Stop it with SIGSTOP, as a machine that swaps or sleeps does."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it continue with SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)
        if error is not None:
            sys.stderr.write(self.stderr)  # shown by pytest with what failed

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                with self._news:
                    self._lines.append(line)
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()


def worker(settings: Settings) -> Process:
    """A worker process."""
    return Process("-m", "workers", settings=settings)


def fast_worker(settings: Settings, *, ahead: float = 0) -> Process:
    """A worker that waits less: see fast_worker.py. Its clock is ``ahead`` seconds ahead."""
    clock = (str(ahead),) if ahead else ()
    return Process("-m", "tests.support.fast_worker", *clock, settings=settings)


def supervised_worker(settings: Settings) -> Process:
    """`kept worker`: a worker that restarts whenever it ends."""
    return Process("-m", "portal.cli", "worker", settings=settings)


def web(settings: Settings, listener: socket.socket) -> Process:
    """A web process on a socket that listens already: early calls wait."""
    number = listener.fileno()
    command = ("-m", "portal.cli", "web", "--fd", str(number))
    return Process(*command, settings=settings, pass_fds=(number,))


async def eventually(look: Callable[[], Awaitable[T | None]], within: float = 30) -> T:
    """What ``look`` finds, as soon as it finds anything: for what only a database row shows."""
    async with asyncio.timeout(within):
        while not (found := await look()):  # noqa: ASYNC110 (a row sends no event)
            await asyncio.sleep(0.05)
    return found
