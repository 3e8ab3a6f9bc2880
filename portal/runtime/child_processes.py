"""The port, and the two kinds of process that Kept is made of: web and worker.

It imports neither of them nor a server: a supervisor is this very process, and stays small.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from types import FrameType

from portal.errors import PortalError
from portal.runtime.supervisor import Child

BACKLOG = 2048  # connections that wait while web processes start anew


def listen(host: str, port: int) -> socket.socket:
    """Take the port once, for all: a web process that starts anew finds its callers waiting.

    Port 0 takes a free one. Raises PortalError where the port is not to be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # Python adds the address to what bind(2) said; our own sentence has it already.
        reason = (error.strerror or str(error)).partition(" (while")[0].lower()
        raise PortalError(
            f"Cannot listen at {host}, port {port} ({reason}): choose another with --port."
        ) from None


def local_url(host: str, listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    here = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 -- compared only
    return f"http://{f'[{here}]' if ':' in here else here}:{listener.getsockname()[1]}"


def install_signal_handlers(*, is_failure: bool = False) -> None:
    """End tidily at SIGINT and SIGTERM from now on, also before there is a supervisor.

    Said explicitly, because a shell starts its background jobs with SIGINT ignored. With
    ``is_failure`` the exit code is the shell's for that signal (128 and its number), for work that
    is then not done; else 0.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        if is_failure:
            signal.signal(number, signal.SIG_IGN)  # a second one does not stop the tidying
        sys.exit(128 + number if is_failure else 0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def migrate_in_subprocess(environment: Mapping[str, str], *options: str) -> None:
    """Run `kept migrate`, in a process of its own that is then gone.

    What migrating takes in memory would otherwise stay with the supervisor. If it fails, it has said
    why, and this process ends with its exit code. With `--check` a server that is only unavailable
    now is no failure: web and worker wait for it.
    """
    command = [sys.executable, "-m", "portal.cli", "migrate", *options]
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode and not (options and done.returncode == os.EX_TEMPFAIL):
        sys.exit(done.returncode)


def web_child(
    name: str, listener: socket.socket, environment: Mapping[str, str], *options: str
) -> Child:
    """A web process on a socket that is listening; `environment` is added to its environment."""
    fd = listener.fileno()
    command = [sys.executable, "-m", "portal.cli", "web", "--fd", str(fd), *options]
    return Child(name, command, environment=environment, pass_fds=[fd], reports_ready=True)


def worker_child(environment: Mapping[str, str]) -> Child:
    """The worker, started by its dotted name: nothing here imports it."""
    command = [sys.executable, "-m", "workers"]
    return Child("worker", command, environment=environment, reports_ready=True)
