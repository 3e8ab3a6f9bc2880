"""Fixtures of all tests: real databases, a real queue, the real application.

Only the network and the time are faked. A test that uses ``settings``, ``database`` or what is built
on them runs on SQLite and on PostgreSQL: see tests/support/database/databases.py.
"""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
import structlog
import time_machine
from hypothesis import settings as effort
from redis import Redis
from starlette.applications import Starlette

from portal.business_time import now
from portal.database import Database
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import SYSTEM_ACTOR, ApiKey, ServiceRequest
from portal.operations import Operations
from portal.runtime.embedded_redis import EmbeddedRedis
from portal.settings import Settings
from tests.support import twilio_client
from tests.support.desk_client import DeskClient, signed_in_desk
from tests.support.factories import (
    ORIGIN,
    Organisation,
    SeedRows,
    insert_seed_rows,
    read_seed_rows,
    seed_organisation,
)
from tests.support.loop_watchdog import loop_watchdog  # noqa: F401 (a fixture of every test)

pytest_plugins = ["tests.support.database.databases"]

# No deadline, and the same cases in each run; `--hypothesis-profile=explore` looks for others.
effort.register_profile("kept", deadline=None, derandomize=True)
effort.register_profile("explore", deadline=None)
effort.load_profile("kept")


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """As in the product. Structlog's own choice, where rich is installed, takes a second for each."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command or process under test that configures logging does so for this test only."""
    config, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**config)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Acme Bank's settings, whatever the environment says. Texts would go where nobody listens.

    For others: ``settings.model_copy(update={"redis_url": queue})``.
    """
    for name in Settings.model_fields:
        monkeypatch.delenv(Settings.environment_name(name), raising=False)
    told = {
        "data_dir": tmp_path / "data",
        "database_url": database_url,
        "public_url": ORIGIN,
        "configured_secret_keys": "a secret that only the tests know",
        "brand": "Acme Bank",
        "quiet_hours": "off",
        "twilio_account_sid": "AC" + "0" * 32,
        "twilio_auth_tokens": "the token of the tests",
        "twilio_from_number": "+15005550006",
        "twilio_api_url": "http://127.0.0.1:9",
        "twilio_answers_keywords": False,
        "mail_hook_token": "the mail hook of the tests",
    }
    return Settings(
        _env_file=None, **{Settings.environment_name(name): word for name, word in told.items()}
    )


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """An open database."""
    database = Database(settings.database_url)
    yield database
    await database.close()


@pytest.fixture
def operations(settings: Settings, database: Database) -> Operations:
    """Operations without a job queue and without open pages."""
    return Operations(settings, database, JobQueue(None), LiveUpdates(None))


@pytest.fixture(scope="session")
def seed_rows(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> SeedRows:
    """The rows of the organisation of the tests, written once by the product's operations."""
    path = tmp_path_factory.mktemp("house") / "kept.db"
    shutil.copyfile(migrated_file, path)

    async def seed() -> SeedRows:
        database = Database(f"sqlite+aiosqlite:///{path}")
        settings = Settings(_env_file=None, DATABASE_URL=database.url)
        operations = Operations(settings, database, JobQueue(None), LiveUpdates(None))
        await seed_organisation(operations, by=SYSTEM_ACTOR)
        rows = await read_seed_rows(database)
        await database.close()
        return rows

    return asyncio.run(seed())


@pytest.fixture
async def organisation(
    operations: Operations, database: Database, seed_rows: SeedRows
) -> Organisation:
    """The organisation with its workflows and staff; see tests/support/factories.py."""
    return Organisation(operations, database, await insert_seed_rows(database, seed_rows))


@pytest.fixture
async def card_request(organisation: Organisation) -> ServiceRequest:
    """Martin's card, just opened by Tess of Telesales."""
    return await organisation.open(by=organisation.people.tess.actor)


@pytest.fixture
def texts(clock: time_machine.Traveller, organisation: Organisation) -> twilio_client.CustomerPhone:
    """Martin's phone: what it sends."""
    return twilio_client.CustomerPhone(organisation)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Starlette]:
    """The whole application, started and stopped, on the database of the test."""
    from portal.app import create_app  # noqa: PLC0415 (most tests need no pages)

    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser or another system, at the public URL; redirects are left for the test to see."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


@pytest.fixture
def twilio(client: httpx2.AsyncClient, settings: Settings) -> twilio_client.TwilioClient:
    """Twilio, as it calls our webhooks."""
    return twilio_client.TwilioClient(client, settings)


@pytest.fixture
async def desk_clients(
    app: Starlette, organisation: Organisation
) -> AsyncIterator[Callable[[str], Awaitable[DeskClient]]]:
    """People of the cast, signed in, each in a browser of their own.

    ``pia = await desks("pia")``
    """
    async with AsyncExitStack() as browsers:

        async def sign_in(name: str) -> DeskClient:
            return await browsers.enter_async_context(signed_in_desk(app, organisation, name))

        yield sign_in


@pytest.fixture
async def api_key(database: Database) -> str:
    """The secret of a key named ``crm``."""
    key, secret = ApiKey.make("crm", now())
    async with database.transaction() as session:
        session.add(key)
    return secret


@pytest.fixture
async def api(app: Starlette, api_key: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Another system with its key; paths are relative to ``/api/v1``."""
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url=f"{ORIGIN}/api/v1",
        headers={"Authorization": f"Bearer {api_key}"},
    ) as client:
        yield client


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still on Tuesday 3 June 2025, 14:00 UTC (10:00 in New York) until it is moved.

    ``clock.shift(timedelta(hours=2))``, ``clock.move_to(datetime(...))``. Asked for before what
    opens a request, so that it too happens then.
    """
    with time_machine.travel("2025-06-03T14:00:00+00:00", tick=False) as traveller:
        yield traveller


@pytest.fixture(scope="session")
def queue_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded queue, started once."""
    with EmbeddedRedis(tmp_path_factory.mktemp("queue")) as server:
        yield server.url


@pytest.fixture
def queue(queue_server: str) -> str:
    """The URL of an empty queue, as REDIS_URL."""
    with Redis.from_url(queue_server) as client:
        client.flushall()
    return queue_server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a chaos run has counted; with several hands it comes in with the report."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, told in report.user_properties:
            if name == "chaos" and report.when == "call":
                terminalreporter.section(told["run"])
                for line in told["lines"]:
                    terminalreporter.line(line)
