"""What a child process may use, and that nothing of it is left."""

import asyncio
import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from portal.errors import Busy
from portal.sandbox import FailureReason, Limits, Sandbox, TaskFailed

LIMITS = Limits(cpu_seconds=5, wall_seconds=60, memory_bytes=512_000_000, output_bytes=1_000_000)
TASKS = "tests.sandbox.tasks"

PARENT = f"""
import asyncio, sys
from portal.sandbox import Limits, Sandbox
limits = {LIMITS!r}
asyncio.run(Sandbox(1, 0).run("{TASKS}:sleep", sys.argv[1].encode(), limits))
"""


@pytest.fixture
def started(tmp_path):
    """A socket to which the task ``sleep`` connects; it is at its end when the process is."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        listener.settimeout(60)
        yield listener


def accept(listener):
    """Wait for the child; gives its connection and its process id."""
    connection, _ = listener.accept()
    connection.settimeout(60)
    return connection, int(connection.makefile().readline())


async def run(task, data=b"", limits=LIMITS, **arguments):
    return await Sandbox(1, 0).run(f"{TASKS}:{task}", data, limits, arguments)


async def test_bytes_and_json_go_in_and_out(monkeypatch):
    """And no environment, so no secret."""
    monkeypatch.setenv("KEPT_SECRET_KEY", "a secret")
    result = await run("echo", b"\x00\n" * 100_000, name="a “name”")
    assert result.fields["length"] == 200_000
    assert result.fields["name"] == "a “name”"
    assert "KEPT_SECRET_KEY" not in result.fields["environment"]
    assert result.blobs == [b"\x00\n" * 100_000, b""]


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("use_memory", FailureReason.MEMORY),
        ("write_much", FailureReason.OUTPUT),
        ("raise_error", FailureReason.ERROR),
        ("crash", FailureReason.ERROR),
        ("return_no_json", FailureReason.ERROR),
    ],
)
async def test_task_without_a_result_has_a_reason(task, reason):
    with pytest.raises(TaskFailed) as failed:
        await run(task, b"x" * 1_000_000)
    assert failed.value.reason == reason


async def test_cpu_time_is_limited():
    with pytest.raises(TaskFailed) as failed:
        await run("burn_cpu", limits=replace(LIMITS, cpu_seconds=1))
    assert failed.value.reason == FailureReason.TIME


async def test_wall_time_is_limited_and_the_process_is_reaped(started):
    path, limits = started.getsockname().encode(), replace(LIMITS, wall_seconds=8)
    running = asyncio.ensure_future(run("sleep", path, limits))
    connection, process_id = await asyncio.to_thread(accept, started)
    with pytest.raises(TaskFailed) as failed:
        await running
    assert failed.value.reason == FailureReason.TIME
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
    connection.close()


async def test_cancellation_kills_and_reaps_the_process(started):
    running = asyncio.ensure_future(run("sleep", started.getsockname().encode()))
    connection, process_id = await asyncio.to_thread(accept, started)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert connection.recv(1) == b""
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
    connection.close()


def test_process_ends_with_its_parent(started):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, started.getsockname()])
    connection, _ = accept(started)
    parent.kill()
    parent.wait()
    assert connection.recv(1) == b""
    connection.close()


async def test_no_more_than_so_many_run_and_wait(started):
    sandbox = Sandbox(1, 1)
    path = started.getsockname().encode()
    tasks = [asyncio.ensure_future(sandbox.run(f"{TASKS}:sleep", path, LIMITS)) for _ in range(2)]
    connection, _ = await asyncio.to_thread(accept, started)
    with pytest.raises(Busy):
        await sandbox.run(f"{TASKS}:echo", b"", LIMITS)
    started.settimeout(0)
    with pytest.raises(BlockingIOError):
        started.accept()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert (await sandbox.run(f"{TASKS}:echo", b"", LIMITS)).fields["length"] == 0
    connection.close()


async def test_process_writes_no_file(tmp_path):
    with pytest.raises(TaskFailed):
        await run("write_file", str(tmp_path / "file").encode())
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").stat().st_size


async def test_task_that_cannot_be_imported_is_our_own_error():
    """Not the sender's, so a mail server brings the mail again."""
    with pytest.raises(RuntimeError):
        await run("no_such_task")
