"""The simulator as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from portal.demo.fake_providers.config import CarrierConfig
from portal.demo.fake_providers.control_api import control_routes
from portal.demo.fake_providers.errors import CarrierError
from portal.demo.fake_providers.fake_carrier import Carrier
from portal.demo.fake_providers.mail_pages import mail_routes
from portal.demo.fake_providers.mailbox import Mailbox
from portal.demo.fake_providers.twilio_api import error_response, twilio_routes

MAX_REQUEST_BYTES = 1_000_000


def create_carrier(config: CarrierConfig | None = None) -> Starlette:
    """Twilio's API, the simulator's own controls and the mailbox's pages.

    `app.state.carrier` and `app.state.mailbox` hold the state. Where the application is mounted
    in another one, whose lifespan is the only one that runs, `await app.state.carrier.close()`
    when that one ends.
    """
    carrier = Carrier(config or CarrierConfig())
    mailbox = Mailbox(carrier.config.keep_mails, carrier.faults, carrier.changes)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await carrier.close()

    app = Starlette(
        routes=[*twilio_routes(), *control_routes(), *mail_routes()],
        exception_handlers={404: _nothing_here},
        lifespan=lifespan,
        max_body_size=MAX_REQUEST_BYTES,
    )
    app.state.carrier = carrier
    app.state.mailbox = mailbox
    return app


async def _nothing_here(_: Request, __: Exception) -> Response:
    return error_response(CarrierError(20404))
