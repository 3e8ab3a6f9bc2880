"""`/readyz` says what this web process can serve; `/healthz` that it lives."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import event
from starlette.applications import Starlette

from portal.business_time import now
from portal.database import Database
from portal.models import Heartbeat, ServiceRequest
from portal.settings import Settings
from tests.support.factories import ORIGIN
from tests.tracking.page_requests import link

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def settings(settings: Settings, queue: str, tmp_path: Path) -> Settings:
    """With a queue, and a folder of its own for files."""
    return settings.model_copy(update={"redis_url": queue, "files_dir": tmp_path / "files"})


async def beat(database: Database) -> None:
    async with database.transaction() as session:
        await session.merge(Heartbeat(name="worker", beat_at=now()))


async def test_web_is_ready_without_a_worker(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "database": "ok",
        "worker": "no sign of life yet",
        "queue": "ok",
        "texts": "ok",
        "files": "ok",
        "oldest_due_seconds": None,
    }


@on_sqlite
async def test_web_is_ready_without_a_queue(settings: Settings, database: Database) -> None:
    from portal.app import create_app  # noqa: PLC0415 (as in conftest)

    await beat(database)
    app = create_app(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"}))
    async with app.router.lifespan_context(app), browser(app) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["queue"] == "cannot be reached"


async def test_callers_at_the_same_time_share_one_ping(
    app: Starlette, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the connection that the process has: the address is open to everybody."""
    redis = app.state.live._redis
    pings = 0
    ping = redis.ping
    is_asked = asyncio.Event()

    async def counted() -> object:
        nonlocal pings
        pings += 1
        await is_asked.wait()
        return await ping()

    monkeypatch.setattr(redis, "ping", counted)
    calls = [asyncio.create_task(app.state.live.is_reachable()) for _ in range(20)]
    answering = asyncio.create_task(client.get("/readyz"))
    await asyncio.sleep(0)
    is_asked.set()
    assert await asyncio.gather(*calls) == [True] * 20
    assert (await answering).json()["queue"] == "ok"
    assert 1 <= pings <= 2


def browser(app: Starlette) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN)


async def test_last_sign_of_life_and_oldest_due_message_are_shown(
    clock: time_machine.Traveller,
    client: httpx2.AsyncClient,
    database: Database,
    card_request: ServiceRequest,
) -> None:
    await beat(database)
    young = (await client.get("/readyz")).json()
    assert (young["status"], young["worker"], young["texts"]) == ("ok", "ok", "ok")
    clock.shift(timedelta(minutes=12))
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    old = answer.json()
    assert old["status"] == "degraded"
    assert old["worker"] == "no sign of life since 2025-06-03T14:00:00Z"
    assert old["texts"] == "the oldest due message has waited 12 minutes"
    assert old["oldest_due_seconds"] == 720


@on_sqlite
async def test_full_disk_is_not_ready(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = SimpleNamespace(f_bavail=3, f_frsize=4096, f_flag=0)
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert answer.json()["database"] == "the disk is full"
    assert (await client.get("/healthz")).status_code == 200


async def test_full_disk_of_files_degrades_on_every_database(
    client: httpx2.AsyncClient,
    settings: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk of its own, with less than the files of one message need; pages are served."""
    await beat(database)
    settings.files_dir.mkdir(parents=True, exist_ok=True)
    statvfs = os.statvfs
    room = settings.max_message_bytes - 1

    def measured(path: object) -> object:
        is_files = Path(str(path)) == settings.files_dir
        return SimpleNamespace(f_bavail=room, f_frsize=1, f_flag=0) if is_files else statvfs(path)  # type: ignore[arg-type]

    assert (await client.get("/readyz")).json()["status"] == "ok"
    monkeypatch.setattr(os, "statvfs", measured)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["files"] == "the disk is full"
    room += 1
    assert (await client.get("/readyz")).json()["status"] == "ok"


@on_sqlite
async def test_read_only_disk_is_not_ready(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only = SimpleNamespace(f_bavail=10**9, f_frsize=4096, f_flag=os.ST_RDONLY)
    monkeypatch.setattr(os, "statvfs", lambda _path: read_only)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "is read-only")


@on_sqlite
async def test_write_that_the_database_could_not_make_is_remembered_for_a_while(
    clock: time_machine.Traveller,
    app: Starlette,
    client: httpx2.AsyncClient,
    card_request: ServiceRequest,
) -> None:
    """SQLite refuses to grow, as on a full disk (SQLITE_FULL)."""
    engine = app.state.database.engine.sync_engine

    def refuse_to_grow(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1")

    event.listen(engine, "begin", refuse_to_grow)
    for _ in range(60):  # until no page of the file has room
        answer = await client.post(
            f"{link(card_request)}/messages",
            data={"body": "word " * 180},
        )
        if answer.status_code == 503:
            break
    assert answer.status_code == 503
    event.remove(engine, "begin", refuse_to_grow)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "cannot write")


@on_sqlite
async def test_database_without_tables_names_the_remedy(
    client: httpx2.AsyncClient, database: Database
) -> None:
    async with database.transaction() as session:
        await (await session.connection()).execute(sa.text("DROP TABLE heartbeat"))
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "is not migrated: run `kept migrate`"


@pytest.fixture
async def read_only_client(
    settings: Settings, database: Database
) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser at a portal whose connections only read."""
    from portal.app import create_app  # noqa: PLC0415 (as in conftest)

    async def alter(change: str) -> None:
        async with database.transaction() as session:
            await (await session.connection()).execute(sa.text(f"ALTER DATABASE kept {change}"))

    await alter("SET default_transaction_read_only = on")
    app = create_app(settings)
    async with app.router.lifespan_context(app), browser(app) as client:
        yield client
    await alter("RESET default_transaction_read_only")


@on_postgres
async def test_read_only_postgres_is_not_ready(read_only_client: httpx2.AsyncClient) -> None:
    answer = await read_only_client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "is read-only")


async def test_page_is_a_kind_503_while_every_connection_is_in_use(
    settings: Settings, card_request: ServiceRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.app import create_app  # noqa: PLC0415 (as in conftest)

    monkeypatch.setattr("portal.database.POOL_WAIT_SECONDS", 0.05)
    app = create_app(settings.model_copy(update={"database_pool_size": 5}))
    async with app.router.lifespan_context(app), browser(app) as client:
        engine = app.state.database.engine
        busy = [await engine.connect() for _ in range(5)]
        page = await client.get("/desk/sign-in")
        assert page.status_code == 200, "it needs no database"
        answer = await client.post(f"{link(card_request)}/messages", data={"body": "Hello"})
        ready = await client.get("/readyz")
        for connection in busy:
            await connection.close()
        assert answer.status_code == 503
        assert "text/html" in answer.headers["content-type"]
        assert (ready.status_code, ready.json()["database"]) == (503, "has no free connection")
        assert (await client.get("/readyz")).status_code == 200
