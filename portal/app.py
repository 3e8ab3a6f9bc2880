"""The web application: what is where, what stands around it, and how refusals look."""

import contextlib
from collections.abc import AsyncIterator

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from portal import api, desk, tracking, webhooks
from portal.attachments.file_store import Shelf
from portal.database import Database
from portal.demo.page import routes as demo_routes
from portal.errors import Conflict, PortalError
from portal.i18n.lazy_string import Sentence
from portal.jobs import Jobs
from portal.live import Live
from portal.operations import Receipts, Relay
from portal.queries.pages import page_versions
from portal.settings import Settings
from portal.web import app_icon, health, static_files
from portal.web.rate_limit import Rates
from portal.web.templating import error_page

log = structlog.get_logger()

LARGEST_BODY = 1_000_000
"""Bytes of a request's body; more is a 413 and never read."""


def create_app(settings: Settings, *, demo: bool = False) -> Starlette:
    """The portal for these settings. It opens nothing until its lifespan begins.

    ``demo`` adds the demonstration's pages, where anybody may act for anybody.
    """
    app = Starlette(
        routes=[
            *tracking.routes,  # first: they are looked at most
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", health.metrics),
            Route("/static/{name}", static_files.serve_asset),
            Route("/logo", static_files.serve_logo),
            Route("/icons/{name}", app_icon.serve_icon),
            Route("/apple-touch-icon.png", app_icon.serve_icon),
            Mount("/api/v1", routes=api.routes, name="api"),
            Mount("/hooks", routes=webhooks.routes, name="hooks"),
            *desk.routes,
            *(demo_routes if demo else ()),
        ],
        lifespan=lifespan,
        max_body_size=LARGEST_BODY,
        exception_handlers={
            PortalError: refused,
            IntegrityError: collided,
            DBAPIError: away,
            HTTPException: not_served,
            Exception: broken,
        },
    )
    app.state.settings = settings
    app.state.demo = demo
    return app


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the database, the queue and the live pages, and close them in turn."""
    settings: Settings = app.state.settings
    database = Database(settings.database_url)

    async def versions(ids: object) -> dict[int, int]:
        async with database.connection() as connection:
            return await page_versions(connection, ids)  # type: ignore[arg-type]

    jobs = Jobs(settings.redis_url)
    live = Live(settings.redis_url, versions)
    app.state.database = database
    app.state.live = live
    app.state.relay = Relay(settings, database, jobs, live)
    app.state.receipts = Receipts(app.state.relay)
    app.state.rates = Rates()
    app.state.shelf = Shelf(settings.files_dir, settings.largest_file)
    app.state.status_pages = tracking.StatusPages(settings, database)
    await live.start()
    try:
        yield
    finally:
        await live.stop()
        await jobs.close()
        await app.state.status_pages.close()
        await database.close()


async def refused(request: Request, error: Exception) -> Response:
    """An expected refusal: problem details for the API, a kind page for people."""
    assert isinstance(error, PortalError)  # noqa: S101 (Starlette hands over what was registered)
    if _is_api(request):
        return api.problem(error.status, error.title, error.detail, error.fields)
    return error_page(request, error.status, error.title, error.detail)


async def collided(request: Request, error: Exception) -> Response:
    """Two did the same at the same moment; the database let one through."""
    log.info("collided", path=_route(request), error=type(error).__name__)
    return await refused(
        request, Conflict(Sentence("Somebody else did this at the same moment. Please look again."))
    )


async def away(request: Request, error: Exception) -> Response:
    """The database cannot be reached: never a false "done"."""
    log.error("the database is away", path=_route(request), error=type(error).__name__)
    if _is_customers(request):
        return tracking.show_outage(request)
    title, detail = (
        Sentence("Just a moment"),
        Sentence("We cannot look this up right now. Please try again shortly."),
    )
    if _is_api(request):
        return api.problem(503, title, detail)
    return error_page(request, 503, title, detail)


async def not_served(request: Request, error: Exception) -> Response:
    """No such page, the wrong method, or too much sent."""
    assert isinstance(error, HTTPException)  # noqa: S101 (as above)
    titles = {
        404: Sentence("Not found"),
        405: Sentence("Not possible here"),
        413: Sentence("That is too much at once"),
    }
    details = {
        404: Sentence("There is nothing at this address."),
        405: Sentence("This address does not take that kind of call."),
        413: Sentence("Please send at most {most} kB.", most=LARGEST_BODY // 1000),
    }
    title = titles.get(error.status_code, Sentence("This could not be done"))
    detail = details.get(error.status_code, error.detail)
    if _is_api(request):
        response = api.problem(error.status_code, title, detail)
    else:
        response = error_page(request, error.status_code, title, detail)
    response.headers.update(error.headers or {})
    return response


async def broken(request: Request, error: Exception) -> Response:
    """Our own mistake: logged with its trace, and said without it."""
    log.error("an unexpected error", path=_route(request), exc_info=error)
    title, detail = (
        Sentence("Something went wrong"),
        Sentence("That was our mistake, and we know of it. Try again?"),
    )
    if _is_api(request):
        return api.problem(500, title, detail)
    return error_page(request, 500, title, detail)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def _is_customers(request: Request) -> bool:
    return request.url.path == "/" or request.url.path.startswith("/r/")


def _route(request: Request) -> str:
    """The first part of the path: the rest may be a customer's secret link."""
    return "/" + request.url.path.lstrip("/").partition("/")[0]
