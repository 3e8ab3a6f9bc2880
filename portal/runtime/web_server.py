"""Listening, and the two kinds of process that Kept is made of: web and worker."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping

import uvicorn
from starlette.applications import Starlette

from portal.errors import PortalError
from portal.runtime.supervisor import Child
from portal.settings import Settings

BACKLOG = 2048  # connections that wait while web processes start anew
STREAM_SHUTDOWN_SECONDS = 2  # seconds for open event streams when a web process is told to stop


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


def install_signal_handlers() -> None:
    """End tidily at SIGINT and SIGTERM from now on, also before there is a supervisor.

    Said explicitly, because a shell starts its background jobs with SIGINT ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))


def migrate_in_subprocess(environment: Mapping[str, str]) -> None:
    """Bring the database to the newest revision, in a process of its own that is then gone.

    What migrating takes in memory would otherwise stay with the supervisor. Raises PortalError;
    the reason is said by the process itself.
    """
    command = [sys.executable, "-m", "portal.cli", "migrate"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise PortalError("The database could not be migrated; the reason stands above.")


def web_child(
    name: str, listener: socket.socket, environment: Mapping[str, str], *options: str
) -> Child:
    """A web process on a socket that is listening; `told` is added to its environment."""
    fd = listener.fileno()
    command = [sys.executable, "-m", "portal.cli", "web", "--fd", str(fd), *options]
    return Child(name, command, environment=environment, pass_fds=[fd])


def worker_child(environment: Mapping[str, str]) -> Child:
    """The worker, started by its dotted name: nothing here imports it."""
    return Child("worker", [sys.executable, "-m", "workers"], environment=environment)


def serve_web(listener: socket.socket, settings: Settings, *, demo: bool = False) -> None:
    """Serve until SIGINT or SIGTERM; raises PortalError where the portal could not start.

    No access log: paths hold customers' tokens. No proxy's headers: links and signatures
    use KEPT_PUBLIC_URL. On one machine every process makes the database ready before it looks
    at it: whichever comes first does the work, and nobody has to wait for another.
    """
    # Here, so that the supervisor and `--help` do without the whole portal.
    import uvicorn  # noqa: PLC0415

    from portal.app import create_app  # noqa: PLC0415
    from portal.runtime.log_config import configure_logging  # noqa: PLC0415

    configure_logging()
    from portal.runtime.migrations import migrate  # noqa: PLC0415

    if settings.is_single_machine:
        migrate(settings.database_url)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn puts back what it finds and raises the signal again; being told is no failure.
        signal.signal(number, lambda *_: None)
    app = create_app(settings, demo=True) if demo else create_app(settings)
    server = Server(
        app,
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STREAM_SHUTDOWN_SECONDS,
        ),
    )
    server.run(sockets=[listener])
    if not server.started:
        raise PortalError("The portal could not start; the reason stands above.")


class Server(uvicorn.Server):
    """Ends the open event streams first: uvicorn itself would wait for their viewers to leave."""

    def __init__(self, app: Starlette, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let go of all viewers (they come back elsewhere), then end the rest."""
        live = getattr(self._app.state, "live", None)
        if live is not None:
            live.close_streams()
        await super().shutdown(sockets)
