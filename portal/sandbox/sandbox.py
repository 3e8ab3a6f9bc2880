"""Runs a function on a stranger's bytes in a child process with limits."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from portal.errors import Busy
from portal.sandbox.child import BROKEN_EXIT, MEMORY_EXIT

CHILD = Path(__file__).with_name("child.py")
ROOT = Path(__file__).parents[2]
MAX_FIELDS_BYTES = 1_000_000
"""Bytes of a result's JSON: more would hold the event loop of whoever reads it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may use.

    ``cpu_seconds`` and ``memory_bytes`` (of address space) are enforced by the kernel
    (setrlimit(2), RLIMIT_CPU and RLIMIT_AS; macOS does not enforce the second), ``wall_seconds``
    by the parent and by a timer of the child (setitimer(2)). ``output_bytes`` is the whole result.
    """

    cpu_seconds: int
    wall_seconds: float
    memory_bytes: int
    output_bytes: int


class FailureReason(StrEnum):
    """Why a task has no result."""

    TIME = "time"
    MEMORY = "memory"
    OUTPUT = "output"
    ERROR = "error"


class TaskFailed(Exception):
    """The task has no result: the input is over a limit, or the task raised or crashed on it."""

    def __init__(self, reason: FailureReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Result:
    """What a task returns: JSON, and the bytes that belong to it."""

    fields: dict[str, Any]
    blobs: list[bytes] = field(default_factory=list)


class Sandbox:
    """At most ``max_concurrent`` child processes at once, and ``max_waiting`` tasks that wait.

    Each task has a new process, so nothing of one input meets the next. The process has no
    environment, so no secret of ours; it writes no file, and it sets its limits before it reads the
    input. Bytes and JSON go in and come out, never a pickle. It ends with its parent, and is
    killed and reaped at a time-out and when the caller is cancelled. A start takes about 70 ms of
    CPU time. A sandbox belongs to one event loop.
    """

    def __init__(self, max_concurrent: int, max_waiting: int) -> None:
        self._places = asyncio.Semaphore(max_concurrent)
        self._max_tasks = max_concurrent + max_waiting
        self._tasks = 0

    async def run(
        self,
        task: str,
        data: bytes,
        limits: Limits,
        arguments: Mapping[str, Any] | None = None,
    ) -> Result:
        """The result of ``task`` ("package.module:function") for these bytes.

        The function is called with ``data`` and the arguments and returns the fields and blobs of
        the Result. The arguments stand in the list of processes, which every user of the machine
        reads: nothing of a customer belongs there. Raises TaskFailed, Busy where too many tasks wait, OSError where no process can
        be started, and RuntimeError where the task cannot be imported.
        """
        if self._tasks >= self._max_tasks:
            raise Busy
        self._tasks += 1
        try:
            async with self._places:
                child = _Child(_command(task, limits, arguments), data, limits)
                return await _run(child, limits.wall_seconds)
        finally:
            self._tasks -= 1


async def _run(child: "_Child", wall_seconds: float) -> Result:
    """Run it in a thread, which is over when this returns or raises."""
    running = asyncio.ensure_future(asyncio.to_thread(child.run))
    try:
        async with asyncio.timeout(wall_seconds):
            return await asyncio.shield(running)
    except TimeoutError:
        raise TaskFailed(FailureReason.TIME) from None
    finally:
        if not running.done():
            child.stop()
            await _finish(running)


async def _finish(running: "asyncio.Future[Result]") -> None:
    """Wait for its end, also where the caller is cancelled meanwhile."""
    waiting = asyncio.ensure_future(asyncio.wait([running]))
    while not waiting.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(waiting)
    running.exception()  # It is of no interest, and asyncio logs one that nobody looks at.


def _command(task: str, limits: Limits, arguments: Mapping[str, Any] | None) -> list[str]:
    order = {
        "root": str(ROOT),
        "task": task,
        "arguments": arguments or {},
        "cpu_seconds": limits.cpu_seconds,
        "wall_seconds": limits.wall_seconds,
        "memory_bytes": limits.memory_bytes,
    }
    # -I: nothing is imported from the working directory.
    return [sys.executable, "-I", str(CHILD), json.dumps(order)]


class _Child:
    """One child process: ``run`` in a thread, ``stop`` from any."""

    def __init__(self, command: list[str], data: bytes, limits: Limits) -> None:
        self._command, self._data, self._limits = command, data, limits
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """Kill it, or let it not begin."""
        with self._lock:
            self._is_stopped = True
            if self._process is not None:
                self._process.kill()

    def run(self) -> Result:
        """Run it to its end; it is reaped when this returns or raises."""
        with self._lock:
            if self._is_stopped:
                raise TaskFailed(FailureReason.TIME)
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                process_group=0,
            )
        with self._process as process:
            try:
                return self._exchange(process)
            finally:
                process.kill()

    def _exchange(self, process: subprocess.Popen[bytes]) -> Result:
        with suppress(BrokenPipeError):  # It has ended already; its exit code says why.
            source = _pipe(process.stdin)
            source.write(len(self._data).to_bytes(4, "big"))
            source.write(self._data)
            source.flush()
        output = _pipe(process.stdout).read(self._limits.output_bytes + 1)
        if len(output) > self._limits.output_bytes:
            raise TaskFailed(FailureReason.OUTPUT)
        code = process.wait()
        if code == BROKEN_EXIT:
            raise RuntimeError("The task of a child process cannot be imported.")
        if code:
            raise TaskFailed(_REASONS.get(code, FailureReason.ERROR))
        return _read(output)


_REASONS = {
    MEMORY_EXIT: FailureReason.MEMORY,
    -signal.SIGXCPU: FailureReason.TIME,
    -signal.SIGALRM: FailureReason.TIME,
}


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("A child process has no pipe.")
    return pipe


def _read(output: bytes) -> Result:
    end = output.find(b"\n", 0, MAX_FIELDS_BYTES)
    if end < 0:
        raise TaskFailed(FailureReason.OUTPUT)
    head, at, blobs = json.loads(output[:end]), end + 1, []
    for size in head["sizes"]:
        blobs.append(output[at : at + size])
        at += size
    return Result(head["fields"], blobs)
