"""A whole story and forced failures, logged at DEBUG, and no name, number, link or message in it."""

import ast
import asyncio
import io
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TypeGuard

import httpx2
import pytest
import structlog
from starlette.applications import Starlette

from portal.database import Database
from portal.demo.fake_providers import FakeProviders
from portal.runtime.log_config import HANDLER, configure_logging
from portal.settings import Settings
from tests.api.requests import MARTIN, opened
from tests.support.factories import ORIGIN, Organisation
from tests.support.twilio_client import TwilioClient
from workers.worker import Worker

NUMBER = "4155550132"
WORDS = "Zanzibar lighthouse"
NOTE = "Marzipan umbrella"
REFUSALS = {
    "sqlite": "CREATE TRIGGER refuse BEFORE INSERT ON message BEGIN "
    "SELECT RAISE(ABORT, 'refused by a trigger'); END",
    "postgresql": "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'refused: % %', NEW.to_address, NEW.body; END $$; "
    "CREATE TRIGGER refuse BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION refuse()",
}
ENDS = {
    "sqlite": "DROP TRIGGER refuse",
    "postgresql": "DROP TRIGGER refuse ON message; DROP FUNCTION refuse()",
}


ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log"}
EXCEPTIONS = {"error", "problem", "failure", "refusal", "exception", "exc", "broken"}
"""The names that an ``except`` clause gives in this code base."""


def is_log_call(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether it is a call such as ``log.warning(...)``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and "log" in ast.unparse(node.func.value).lower()
    )


def has_text_of_exception(call: ast.Call) -> bool:
    """Whether an argument is ``repr`` or ``str`` of anything, or an exception as it is."""
    values = [*call.args, *(word.value for word in call.keywords if word.arg != "exc_info")]
    return any(_is_text(node) for value in values for node in ast.walk(value)) or any(
        isinstance(value, ast.Name) and value.id in EXCEPTIONS for value in values
    )


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.FormattedValue):
        return isinstance(node.value, ast.Name) and node.value.id in EXCEPTIONS
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"repr", "str"}
    )


@pytest.fixture
def carrier() -> Iterator[FakeProviders]:
    with FakeProviders(auth_token="the token of the tests") as carrier:
        yield carrier


@pytest.fixture
def settings(settings: Settings, carrier: FakeProviders) -> Settings:
    """With a carrier that answers."""
    return settings.model_copy(
        update={
            "twilio_account_sid": carrier.config.account_sid,
            "twilio_from_number": carrier.config.from_number,
            "twilio_api_url": carrier.api_url,
            "sweep_seconds": 0.1,
        }
    )


@pytest.fixture
def debug_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The product's logging, with nothing held back by level."""
    level, log = logging.root.level, io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    configure_logging()
    logging.root.setLevel(logging.DEBUG)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("DEBUG"))
    monkeypatch.setattr(logging.getLogger("httpx2"), "disabled", True)  # the test's own browser
    yield log
    structlog.reset_defaults()
    (ours,) = (handler for handler in logging.root.handlers if handler.name == HANDLER)
    logging.root.removeHandler(ours)
    logging.root.setLevel(level)


@pytest.fixture
async def web(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that is answered 500, as by the web server, where an endpoint fails."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def execute(database: Database, statements: str) -> None:
    parts = [statements] if "$$" not in statements else statements.split("$$; ")
    for part in parts:
        ending = "$$" if part.count("$$") == 1 else ""
        async with database.transaction() as session:
            await (await session.connection()).exec_driver_sql(part + ending)


@pytest.mark.holds_the_loop  # worker and web run in one process here
async def test_log_of_a_story_and_of_failures_has_no_personal_data(
    debug_log: io.StringIO,
    settings: Settings,
    database: Database,
    organisation: Organisation,
    carrier: FakeProviders,
    web: httpx2.AsyncClient,
    api: httpx2.AsyncClient,
) -> None:
    async def sent(number: int) -> None:
        await carrier.wait_for(lambda: len(carrier.texts_to(f"+1{NUMBER}")) >= number, 30)

    twilio = TwilioClient(web, settings)
    name = database.engine.dialect.name
    async with Worker(settings) as worker:
        stop = asyncio.Event()
        work = asyncio.create_task(worker.until(stop))
        request = await opened(api)
        token = request["status_url"].rpartition("/")[2]
        await sent(1)
        assert await twilio.text(WORDS, sid="SM1") == 200
        await sent(2)
        page = await web.post(f"/r/{token}/messages", data={"body": NOTE})
        assert page.status_code == 303

        await execute(database, REFUSALS[name])
        answers = [
            (await web.post(f"/r/{token}/messages", data={"body": NOTE})).status_code,
            await twilio.text(WORDS, sid="SM2"),
        ]
        assert all(code >= 409 for code in answers), answers
        for statement in ENDS[name].split("; "):
            await execute(database, statement)

        zone = f"Mars/{MARTIN['name']}"
        await execute(database, f"UPDATE customer SET timezone = '{zone}'")  # noqa: S608
        assert (await web.get(f"/r/{token}")).status_code in {200, 500}
        await web.post(f"/r/{token}/messages", data={"body": NOTE})
        await worker.sweep.once()
        await worker.detector.once()
        stop.set()
        await work

    logging.getLogger("uvicorn.error").error(
        "Exception in ASGI application\n", exc_info=ValueError(WORDS)
    )
    logging.getLogger("asyncio").error("Task exception was never retrieved\n%s %s", token, WORDS)
    log = debug_log.getvalue()
    assert "the worker is at work" in log
    assert "Traceback" in log, "the failures are logged"
    assert "ValueError" in log
    assert "Task exception was never retrieved" in log
    secrets = ["Martin", "Miller", NUMBER, "415 555", "martin@example.com", token, WORDS, NOTE]
    lines = [
        line for line in log.splitlines() for secret in secrets if secret.lower() in line.lower()
    ]
    assert lines == []


def test_no_log_call_has_the_text_of_an_exception() -> None:
    """Its class is enough; ``exc_info`` is cleaned by the formatter."""
    modules = [path for folder in ("portal", "workers") for path in (ROOT / folder).rglob("*.py")]
    assert len(modules) > 200
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if is_log_call(node) and has_text_of_exception(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("call", "is_refused"),
    [
        ('log.warning("it failed", error=repr(error))', True),
        ('log.exception("it failed", error=str(error))', True),
        ('log.error(f"it failed: {error}")', True),
        ('logging.getLogger("x").error("%s", error)', True),
        ('log.info("it failed", reason=str(problem))', True),
        ('log.error("it failed", error=type(error).__name__, exc_info=error)', False),
        ('log.warning("away", reason=describe(error))', False),
        ('log.warning("asked", error=problem.summary)', False),
    ],
)
def test_text_of_an_exception_is_seen(call: str, *, is_refused: bool) -> None:
    node = ast.parse(call, mode="eval").body
    assert is_log_call(node)
    assert has_text_of_exception(node) is is_refused
