"""The child processes of one `kept`: started, restarted, and ended with it."""

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Self

from portal.runtime.readiness import READY_FD

SHUTDOWN_SECONDS = 20.0  # seconds for all children to end before they are killed; a worker takes 15
STABLE_AFTER_SECONDS = 5.0  # seconds after which a child that does not report is taken for ready,
# and one that was ready and ends is started again without a longer pause
MAX_FAILED_STARTS = 3  # ends in a row before it was ever ready, after which the supervisor gives up
MAX_RESTART_SECONDS = 10.0  # seconds between two starts of a child that keeps ending
PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Supervisor:
    """Keeps children running until SIGINT or SIGTERM, then ends them all.

    Children are given in the order of their dependencies: the last is stopped first.
    A child that is running already is adopted.
    """

    def __init__(self, children: Sequence["Child"], *, grace: float = SHUTDOWN_SECONDS) -> None:
        self.children = list(children)
        self.grace = grace

    def run(self) -> int:
        """Run until SIGINT or SIGTERM; returns 0, or 1 if a child could not be started.

        While it runs it handles SIGINT, SIGTERM and SIGCHLD, also where they were ignored, as
        in a shell's background job. A second signal kills the children immediately.
        """
        with _Signals() as signals:
            try:
                return self._watch(signals)
            finally:
                self._stop(signals)

    def _watch(self, signals: "_Signals") -> int:
        for child in self.children:
            if not child.is_running:
                child.start()
        while True:
            pauses = [child.restart_if_due(time.monotonic()) for child in self.children]
            for child in self.children:
                if child.has_failed:
                    print_status(
                        f"{child.name} does not start: it ended with code {child.exit_code}, "
                        f"{child.early_ends} times in a row before it was ready; see above."
                    )
                    return 1
            if signals.wait(min((pause for pause in pauses if pause is not None), default=None)):
                return 0

    def _stop(self, signals: "_Signals") -> None:
        deadline = time.monotonic() + self.grace
        for child in reversed(self.children):
            child.request_stop()
            while child.is_running:
                left = deadline - time.monotonic()
                if left <= 0 or signals.wait(left):
                    deadline = 0.0
                    child.kill()


class Child:
    """One child process, with a name for messages. On Linux it is killed when its parent ends.

    Start it from the main thread: the kernel ties its life to the thread that started it
    (prctl(2), PR_SET_PDEATHSIG).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        reports_ready: bool = False,
    ) -> None:
        """``reports_ready``: the process calls ``report_ready`` (see readiness.py) when it works."""
        self.name = name
        self.command = list(command)
        self.environment = dict(environment or {})
        self.pass_fds = tuple(pass_fds)
        self.process: subprocess.Popen[bytes] | None = None
        self.reports_ready = reports_ready
        self.was_ready = False
        self.early_ends = 0
        self._started_at = 0.0
        self._rests_until: float | None = None
        self._ready_fd: int | None = None

    def start(self) -> None:
        """Start it in a process group of its own, so that a terminal's Ctrl-C reaches only the parent."""
        parent = os.getpid()
        self._started_at = time.monotonic()
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        ready = {READY_FD: str(writer)} if self.reports_ready else {}
        try:
            self.process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment, **ready},
                stdin=subprocess.DEVNULL,
                pass_fds=(*self.pass_fds, *([writer] if ready else [])),
                process_group=0,
                # One system call and no lock taken, so what is unsafe about it does not apply.
                preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509
            )
        finally:
            os.close(writer)
            self._close_ready_fd()
            self._ready_fd = reader

    @property
    def is_running(self) -> bool:
        """Whether its process is running."""
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code, below 0 if a signal ended it; None while it runs."""
        return self.process.poll() if self.process else None

    @property
    def has_failed(self) -> bool:
        """Whether it ended by itself at each of its first starts, and was never ready."""
        return (
            not self.was_ready
            and self.early_ends >= MAX_FAILED_STARTS
            and (self.exit_code or 0) > 0
        )

    def restart_if_due(self, now: float) -> float | None:
        """Restart it if it has ended and its pause is over; else return the seconds until then.

        ``now`` is on the monotonic clock. Each end in a row within ``STABLE_AFTER_SECONDS`` of the
        start, or before it was ready, doubles the pause.
        """
        if self.is_running:
            return None
        if self._rests_until is None:
            became_ready = self._became_ready(now)
            self.was_ready = self.was_ready or became_ready
            is_stable = became_ready and now - self._started_at >= STABLE_AFTER_SECONDS
            self.early_ends = 0 if is_stable else self.early_ends + 1
            if not self.has_failed:
                print_status(f"{self.name} ended with code {self.exit_code}; it is started again.")
            self._rests_until = now + min(0.1 * 2 ** min(self.early_ends, 10), MAX_RESTART_SECONDS)
        if now < self._rests_until:
            return self._rests_until - now
        self._rests_until = None
        self.start()
        return None

    def _became_ready(self, now: float) -> bool:
        """Whether the process that has ended was ready before."""
        if not self.reports_ready:
            return now - self._started_at >= STABLE_AFTER_SECONDS
        try:
            return self._ready_fd is not None and bool(os.read(self._ready_fd, 1))
        except BlockingIOError:  # a process that it started has its end of the pipe
            return False

    def _close_ready_fd(self) -> None:
        if self._ready_fd is not None:
            os.close(self._ready_fd)
            self._ready_fd = None

    def request_stop(self) -> None:
        """Send SIGTERM, never SIGINT: a shell may have made the child ignore SIGINT."""
        if self.process is not None and self.is_running:
            self.process.terminate()

    def kill(self) -> None:
        """Kill it, and return when it has ended."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def print_status(words: str) -> None:
    """Print a message for the operator on standard error, without buffering."""
    sys.stderr.write(f"kept: {words}\n")
    sys.stderr.flush()


class _Signals:
    """Waits for a signal, and says whether it was SIGINT or SIGTERM.

    A signal that comes between two sleeps is not lost: Python writes each one's number into a
    socket (signal.set_wakeup_fd), and that is what is waited on.
    """

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.settimeout(0)
        self._writer.settimeout(0)
        self._fd_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, _nothing)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
        }
        return self

    def wait(self, seconds: float | None) -> bool:
        """Sleep so long, or until a signal; whether SIGINT or SIGTERM has come."""
        readable, _, _ = select.select([self._reader], [], [], seconds)
        numbers = self._reader.recv(4096) if readable else b""
        return signal.SIGINT in numbers or signal.SIGTERM in numbers

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        self._reader.close()
        self._writer.close()


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler must be set for the signal to be written to the socket."""


def _die_with(parent: int) -> None:
    """In the new process: be killed when the parent ends, or now if it has ended already."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
