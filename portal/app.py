"""The web application: its routes, its middleware and its error pages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp

from portal import api, desk, tracking, webhooks
from portal.attachments.file_store import FileStore
from portal.database import Database
from portal.database_errors import describe
from portal.demo.page import routes as demo_routes
from portal.errors import Conflict, PortalError, UnknownLink
from portal.i18n.lazy_string import LazyString
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.messaging.email.inbound import MailReader
from portal.operations import Operations, ReceiptWriter, reading_is_ready
from portal.queries.status_page.reader import page_versions
from portal.settings import Settings
from portal.web import app_icon, health, static_files
from portal.web.body_timeout import BodyTimeout
from portal.web.rate_limit import RateLimiter
from portal.web.response_headers import ResponseHeaders
from portal.web.stream_limits import StreamLimits
from portal.web.templating import error_page, preload

log = structlog.get_logger()

LANGUAGES_AFTER = 5.0
"""Seconds after the start until the languages of replies are read, which takes a processor."""
MAX_BODY_BYTES = 1_000_000
"""Bytes of a request's body; more is a 413 and never read."""


class Portal(Starlette):
    """The web application, wrapped in what holds for every call, failed ones included."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self.state.settings = settings
        # A redirect to the path without its last slash would name the host that the caller sent.
        self.router.redirect_slashes = False

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's own, inside ours: it has no place around its handler of unexpected errors."""
        settings: Settings = self.state.settings
        stack = BodyTimeout(super().build_middleware_stack(), settings.request_timeout_seconds)
        return ResponseHeaders(stack, settings)


def create_app(settings: Settings, *, demo: bool = False) -> Starlette:
    """The portal for these settings. It opens nothing until its lifespan begins.

    ``demo`` adds the demonstration's pages, where anybody may act for anybody.
    """
    app = Portal(
        settings,
        routes=[
            *tracking.routes,  # first: they are looked at most
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", health.metrics),
            Route("/static/{name}", static_files.serve_static_file),
            Route("/logo", static_files.serve_logo),
            Route("/icons/{name}", app_icon.serve_icon),
            Route("/apple-touch-icon.png", app_icon.serve_icon),
            Mount("/api/v1", Router(api.routes, redirect_slashes=False), name="api"),
            Mount("/hooks", Router(webhooks.routes, redirect_slashes=False), name="hooks"),
            *desk.routes,
            *(demo_routes if demo else ()),
        ],
        lifespan=lifespan,
        max_body_size=MAX_BODY_BYTES,
        exception_handlers={
            PortalError: handle_refusal,
            UnknownLink: tracking.show_unknown_link,
            IntegrityError: handle_conflict,
            DBAPIError: handle_database_unavailable,
            PoolTimeout: handle_database_unavailable,
            HTTPException: handle_http_error,
            ClientDisconnect: handle_disconnect,
            Exception: handle_unexpected_error,
        },
    )
    app.state.demo = demo
    return app


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the database, the queue and the live pages, and close them in turn."""
    settings: Settings = app.state.settings
    database = Database(settings.database_url, settings.database_pool_size)

    async def versions(ids: object) -> dict[int, int]:
        async with database.connection() as connection:
            return await page_versions(connection, ids)  # type: ignore[arg-type]

    jobs = JobQueue(settings.redis_url)
    live = LiveUpdates(settings.redis_url, versions)
    app.state.database = database
    app.state.live = live
    app.state.operations = Operations(settings, database, jobs, live)
    app.state.receipts = ReceiptWriter(app.state.operations)
    app.state.rate_limiter = RateLimiter()
    app.state.stream_limits = StreamLimits()
    app.state.file_store = FileStore(settings.files_dir, settings.max_upload_bytes)
    app.state.mail_reader = MailReader()
    app.state.status_pages = tracking.StatusPageCache(settings, database)
    await asyncio.to_thread(preload)
    languages_read = asyncio.create_task(_read_languages())
    await live.start()
    try:
        yield
    finally:
        languages_read.cancel()
        await live.stop()
        await jobs.close()
        await app.state.status_pages.close()
        await database.close()


async def _read_languages() -> None:
    """Read what replies are read by once the start is over; a message that comes before waits."""
    await asyncio.sleep(LANGUAGES_AFTER)
    await reading_is_ready()


async def handle_refusal(request: Request, error: Exception) -> Response:
    """An expected refusal: problem details for the API, a kind page for people."""
    assert isinstance(error, PortalError)  # noqa: S101 (Starlette hands over what was registered)
    if _is_api(request):
        response = api.problem(error.status, error.title, error.detail, error.fields)
    else:
        response = error_page(request, error.status, error.title, error.detail)
    response.headers.update(error.headers)
    return response


async def handle_conflict(request: Request, error: Exception) -> Response:
    """Two concurrent calls did the same; the database accepted one."""
    log.info("collided", path=_route(request), error=type(error).__name__)
    return await handle_refusal(
        request,
        Conflict(LazyString("Somebody else did this at the same moment. Please look again.")),
    )


async def handle_database_unavailable(request: Request, error: Exception) -> Response:
    """The database cannot be reached, or has no free connection: never a false "done"."""
    log.error("the database is away", path=_route(request), reason=describe(error))
    if _is_customers(request):
        return tracking.show_outage(request)
    title, detail = (
        LazyString("Just a moment"),
        LazyString("We cannot look this up right now. Please try again shortly."),
    )
    if _is_api(request):
        return api.problem(503, title, detail)
    return error_page(request, 503, title, detail)


async def handle_http_error(request: Request, error: Exception) -> Response:
    """No such page, the wrong method, or too much sent."""
    assert isinstance(error, HTTPException)  # noqa: S101 (as above)
    max_bytes = request.scope.get(MAX_BODY_SIZE_SCOPE_KEY, MAX_BODY_BYTES)
    titles = {
        404: LazyString("Not found"),
        405: LazyString("Not possible here"),
        408: LazyString("That took too long"),
        413: LazyString("That is too much at once"),
    }
    details = {
        404: LazyString("There is nothing at this address."),
        405: LazyString("This address does not take that kind of call."),
        408: LazyString("What you sent did not arrive in time. Please try again."),
        413: LazyString("Please send at most {most} kB.", most=max_bytes // 1000),
    }
    title = titles.get(error.status_code, LazyString("This could not be done"))
    detail = details.get(error.status_code, error.detail)
    if _is_api(request):
        response = api.problem(error.status_code, title, detail)
    else:
        response = error_page(request, error.status_code, title, detail)
    response.headers.update(error.headers or {})
    return response


async def handle_disconnect(request: Request, error: Exception) -> Response:
    """The caller has hung up within a body, or has sent it too slowly: a 408 (RFC 9110, 15.5.9)."""
    log.debug("the body did not arrive", path=_route(request), error=type(error).__name__)
    return await handle_http_error(request, HTTPException(408, headers={"Connection": "close"}))


async def handle_unexpected_error(request: Request, error: Exception) -> Response:
    """A fault of ours: logged with its traceback, shown without it."""
    log.error("an unexpected error", path=_route(request), exc_info=error)
    title, detail = (
        LazyString("Something went wrong"),
        LazyString("That was our mistake, and we know of it. Try again?"),
    )
    if _is_api(request):
        return api.problem(500, title, detail)
    return error_page(request, 500, title, detail)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def _is_customers(request: Request) -> bool:
    return request.url.path == "/" or request.url.path.startswith(("/r/", "/s/"))


def _route(request: Request) -> str:
    """The first part of the path: the rest may be a customer's secret link."""
    return "/" + request.url.path.lstrip("/").partition("/")[0]
