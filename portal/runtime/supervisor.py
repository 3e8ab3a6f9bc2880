"""The processes of one `kept`: started, watched, started again, and all gone when it goes."""

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

SHUTDOWN_SECONDS = 10.0  # seconds that all children together have to end before they are killed
STABLE_AFTER_SECONDS = 5.0  # seconds after which a child counts as well started
MAX_FAILED_STARTS = 3  # so many short lives before it ever settled, and we give up with a sentence
MAX_RESTART_SECONDS = 10.0  # seconds between two starts of a child that keeps ending
PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Supervisor:
    """Keeps children running until SIGINT or SIGTERM, then ends them all.

    Name them in the order in which they need one another: the last is stopped first.
    A child that is running already is taken over as it is.
    """

    def __init__(self, children: Sequence["Child"], *, grace: float = SHUTDOWN_SECONDS) -> None:
        self.children = list(children)
        self.grace = grace

    def run(self) -> int:
        """Run until told to stop; the exit code: 0, or 1 when a child could not be started.

        While it runs it handles SIGINT, SIGTERM and SIGCHLD, also where they were ignored, as
        in a shell's background job. When it is told to stop twice it kills at once.
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
                        f"{child.name} does not start: it ended with code {child.exit_code}."
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
    """One process of ours, with a name for people. On Linux it is killed when we end.

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
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment or {})
        self.pass_fds = tuple(pass_fds)
        self.process: subprocess.Popen[bytes] | None = None
        self.is_stable = False
        self.failed_starts = 0
        self._started_at = 0.0
        self._rests_until: float | None = None

    def start(self) -> None:
        """Start it, in a process group of its own, so that a terminal's Ctrl-C reaches only us."""
        parent = os.getpid()
        self._started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            pass_fds=self.pass_fds,
            process_group=0,
            # One system call and no lock taken, so what is unsafe about it does not apply.
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509
        )

    @property
    def is_running(self) -> bool:
        """Whether its process lives now."""
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The code it ended with, below 0 where a signal ended it; None while it runs."""
        return self.process.poll() if self.process else None

    @property
    def has_failed(self) -> bool:
        """Whether it ended by itself at each of its first starts, so that it never was of use."""
        return (
            not self.is_stable
            and self.failed_starts >= MAX_FAILED_STARTS
            and (self.exit_code or 0) > 0
        )

    def restart_if_due(self, now: float) -> float | None:
        """Start it again where it has ended and has rested; the seconds until then, if not yet.

        ``now`` is on the monotonic clock. Each short life in a row doubles the next rest.
        """
        if self.is_running:
            return None
        if self._rests_until is None:
            print_status(f"{self.name} ended with code {self.exit_code}; it is started again.")
            settled = now - self._started_at >= STABLE_AFTER_SECONDS
            self.is_stable = self.is_stable or settled
            self.failed_starts = 0 if settled else self.failed_starts + 1
            self._rests_until = now + min(
                0.1 * 2 ** min(self.failed_starts, 10), MAX_RESTART_SECONDS
            )
        if now < self._rests_until:
            return self._rests_until - now
        self._rests_until = None
        self.start()
        return None

    def request_stop(self) -> None:
        """Send SIGTERM, whatever we were told with: a shell may have made SIGINT be ignored."""
        if self.process is not None and self.is_running:
            self.process.terminate()

    def kill(self) -> None:
        """Kill it, and return when it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def print_status(words: str) -> None:
    """Tell the operator, at once and in order, on standard error."""
    sys.stderr.write(f"kept: {words}\n")
    sys.stderr.flush()


class _Signals:
    """Sleeps until a signal comes, and says whether it was one that stops us.

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
    """A handler must stand there for the signal to be written to the socket."""


def _die_with(parent: int) -> None:
    """In the new process: be killed when the parent ends, or now if it has ended already."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
