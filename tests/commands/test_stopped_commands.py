"""Commands that run until a signal stops them: the demo, `kept serve`, and a backup."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.worker
def test_demo_serves_every_part_and_leaves_no_process(outside, tmp_path, number):
    folder = tmp_path / "demo"
    with start("demo", "--port", "0", "--data-dir", str(folder), env=outside, cwd=tmp_path) as demo:
        said = read_until(demo, "Ctrl-C stops it.")
        address = re.search(r"(http://127\.0\.0\.1:\d+)/demo", said)[1]
        assert re.search(r"password is \S{16}\n", said)
        assert "tess.moreno@acme.example" in said
        eventually(lambda: '"worker":"ok"' in (get(f"{address}/readyz") or ""))
        assert "Martin" in get(f"{address}/demo")
        page = re.search(r"(http\S+/r/\S+)  Martin Miller", said)[1]
        assert "Card Processing" in get(page)
        assert get(re.search(r"http://127\.0\.0\.1:\d+/mail", said)[0])
        ours = [demo.pid, *children(demo.pid)]
        assert len(ours) >= 4, "web, worker and queue run"
        demo.send_signal(number)
        assert demo.wait(30) == 0
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in ours))


@pytest.mark.worker
def test_serve_becomes_ready_on_an_empty_folder_and_stops_on_signal(outside, tmp_path):
    with start("serve", "--port", "0", env=outside, cwd=tmp_path, stderr=subprocess.PIPE) as serve:
        address = re.search(r"http://127\.0\.0\.1:\d+", serve.stderr.readline())[0]
        eventually(lambda: '"status":"ok"' in (get(f"{address}/readyz") or ""))
        ours = [serve.pid, *children(serve.pid)]
        serve.send_signal(signal.SIGTERM)
        serve.communicate(timeout=30)
        assert serve.returncode == 0
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in ours))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_backup_that_is_stopped_leaves_nothing(kept, outside, tmp_path, number):
    """Not even a part of the data."""
    assert kept("migrate", KEPT_DATA_DIR="data").returncode == 0
    waits = tmp_path / "data" / "files" / "aa" / ("a" * 64)
    waits.parent.mkdir(parents=True)
    os.mkfifo(waits)  # reading it never ends
    folder = tmp_path / "backups"
    folder.mkdir()
    arguments = ["backup", str(folder / "kept.tar"), "--data-dir", str(tmp_path / "data")]
    with start(*arguments, env=outside, cwd=tmp_path) as backup:
        eventually(lambda: len(list(folder.iterdir())) == 2)
        backup.send_signal(number)
        assert backup.wait(30) == 128 + number
    assert list(folder.iterdir()) == []


class Command(subprocess.Popen):
    """A command under test. It ends with a failed test, which would else wait for it for ever."""

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


def start(*arguments, **more):
    more = {"stdout": subprocess.PIPE, "text": True, **more}
    return Command([sys.executable, "-m", "portal.cli", *arguments], **more)


def read_until(process, words):
    said = ""
    while words not in said:
        line = process.stdout.readline()
        assert line, f"it ended with {process.wait(5)} having said {said!r}"
        said += line
    return said


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (our own address)
            return answer.read().decode()
    except OSError:  # also a response that takes longer while the process starts
        return None


def eventually(look, within=30.0):
    """Poll until the function returns a value, for effects of another process."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def children(pid):
    """The child processes of a process (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.parent.name))
    return found
