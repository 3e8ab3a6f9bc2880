"""The web server: the portal behind uvicorn, in the process that serves it.

Only that process imports this: it costs the whole portal.
"""

import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from portal.app import create_app
from portal.errors import PortalError
from portal.runtime.http_protocol import (
    ConnectionLimits,
    available_connections,
    bounded_protocol,
)
from portal.runtime.log_config import configure_logging
from portal.runtime.readiness import report_ready, take_ready_pipe
from portal.settings import Settings

STREAM_SHUTDOWN_SECONDS = 2  # seconds for open event streams when a web process is told to stop


def serve_web(listener: socket.socket, settings: Settings, *, demo: bool = False) -> None:
    """Serve until SIGINT or SIGTERM; raises PortalError where the portal could not start.

    No access log: paths hold customers' tokens. No proxy's headers: links and signatures
    use KEPT_PUBLIC_URL. The database is ready (see database_start).
    """
    pipe = take_ready_pipe()
    configure_logging(settings.log_format, "web")
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn puts back what it finds and raises the signal again; being told is no failure.
        signal.signal(number, lambda *_: None)
    app = create_app(settings, demo=True) if demo else create_app(settings)
    server = Server(app, server_config(app, settings), on_started=lambda: report_ready(pipe))
    server.run(sockets=[listener])
    if not server.started:
        raise PortalError("The portal could not start; the reason stands above.")


def server_config(app: Starlette, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the portal. The portal itself reads X-Forwarded-For, from trusted proxies."""
    limits = ConnectionLimits(
        max_connections=available_connections(settings.max_connections),
        head_seconds=settings.request_timeout_seconds,
    )
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=bounded_protocol(limits),
        ws="none",
        lifespan="on",
        log_config=None,  # our own, in which no exception's text is logged
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STREAM_SHUTDOWN_SECONDS,
    )


class Server(uvicorn.Server):
    """Ends the open event streams first: uvicorn itself would wait for their viewers to leave.

    ``on_started`` is called when it takes requests.
    """

    def __init__(
        self,
        app: Starlette,
        config: uvicorn.Config,
        on_started: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._app = app
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the portal and take requests."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let go of all viewers (they come back elsewhere), then end the rest."""
        live = getattr(self._app.state, "live", None)
        if live is not None:
            live.close_streams()
        await super().shutdown(sockets)
