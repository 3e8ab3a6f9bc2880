"""What benchmarks share: filled databases, servers as processes, printed tables."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import uvloop
from sqlmodel import select

from portal.database import Database
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import SYSTEM_ACTOR, StaffMember
from portal.operations import Operations
from portal.runtime.migrations import migrate
from portal.settings import Settings
from tests.support.database.postgres import PostgresServer
from tests.support.factories import Organisation, read_seed_rows, seed_organisation

ROOT = Path(__file__).parents[2]
TOKEN = "the token of the benchmarks"
T = TypeVar("T")


@contextlib.contextmanager
def databases(options: Any) -> Iterator[dict[str, str]]:
    """Migrated, empty databases: their URLs by name."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kept-bench-")))
        urls = {"SQLite": f"sqlite+aiosqlite:///{folder / 'kept.db'}"}
        if not options.sqlite_only:
            server = PostgresServer()
            stack.callback(server.cleanup)
            server.start()
            server.create("kept")
            urls["PostgreSQL"] = server.url("kept")
        for url in urls.values():
            migrate(url)
        yield urls


def settings_for(url: str, folder: Path | None = None, **told: Any) -> Settings:
    """Settings that send nowhere unless ``told`` says where (by the name in the environment)."""
    return Settings(
        _env_file=None,
        **{
            "DATABASE_URL": url,
            "KEPT_DATA_DIR": folder or Path(tempfile.gettempdir()) / "kept-bench",
            "KEPT_PUBLIC_URL": "http://127.0.0.1",
            "KEPT_SECRET_KEY": "a secret that only the benchmarks know",
            "KEPT_BRAND": "Acme Bank",
            "KEPT_QUIET_HOURS": "off",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": "+15005550006",
            "TWILIO_API_URL": "http://127.0.0.1:9",
            **told,
        },
    )


def with_organisation(settings: Settings, work: Callable[[Organisation], Awaitable[T]]) -> T:
    """Run this with the organisation in that database; it is seeded if it has no staff."""

    async def enter() -> T:
        database = Database(settings.database_url)
        operations = Operations(
            settings, database, JobQueue(settings.redis_url), LiveUpdates(settings.redis_url)
        )
        try:
            if not (await read_seed_rows(database))["staff_member"]:
                await seed_organisation(operations, by=SYSTEM_ACTOR)
            return await work(Organisation(operations, database, await _people(database)))
        finally:
            await operations.live.stop()
            await operations.jobs.close()
            await database.close()

    return uvloop.run(enter())


async def _people(database: Database) -> SimpleNamespace:
    async with database.reading() as session:
        people = (await session.exec(select(StaffMember))).all()
    return SimpleNamespace(**{person.email.partition("@")[0]: person for person in people})


@contextlib.contextmanager
def server(kind: str, settings: Settings | None = None, *words: str) -> Iterator["Server"]:
    """A server of `tests.bench.servers` as its own process."""
    told = {} if settings is None else environment(settings)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.servers", kind, *words],
        stdout=subprocess.PIPE, env={**kept, **told}, cwd=ROOT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.strip():
            raise RuntimeError(f"the server {kind} did not start")
        yield Server(process.pid, int(line))
    finally:
        process.terminate()
        process.wait()


class Server:
    """A server process, and its memory."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory."""
        return resident_bytes(self.pid)

    @property
    def cpu_seconds(self) -> float:
        """Seconds of a processor so far."""
        return cpu_seconds(self.pid)


def cpu_seconds(pid: int) -> float:
    """Seconds that a process has had of a processor, its own and the system's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Bytes of memory that a process holds (VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def environment(settings: Settings) -> dict[str, str]:
    """These settings for a process of its own."""
    told = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "KEPT_DATA_DIR": settings.data_dir,
        "KEPT_PUBLIC_URL": settings.public_url,
        "KEPT_SECRET_KEY": settings.secret_keys[0].get_secret_value(),
        "KEPT_BRAND": settings.brand,
        "KEPT_QUIET_HOURS": "off",
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM_NUMBER": settings.twilio_from_number,
        "TWILIO_API_URL": settings.twilio_api_url,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table as Markdown, as docs/performance.md takes it."""
    print(f"\n{title}\n")
    lines = [[_said(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(f"| {' | '.join(cells)} |", flush=True)


def _said(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part (0 to 1) of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]
