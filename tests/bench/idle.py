"""An idle `kept serve`: memory, CPU and the time until it is ready."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.bench.runner import ROOT, cpu_seconds, resident_bytes, table

WATCHED = 10.0
"""Seconds."""


def run(options: Any) -> None:
    """Print what each of its processes holds and takes."""
    with tempfile.TemporaryDirectory(prefix="kept-idle-") as folder:
        starts = [_serve(folder, options, watch=watch) for watch in (False, True)]
    rows = starts[-1][1]
    memory, share = (sum(row[place] for row in rows) for place in (1, 3))
    shared = sum(row[2] for row in rows)
    table(
        "kept serve, idle",
        ["process", "resident MB", "of it its own MB", "% of a core"],
        [*rows, ["all", memory, shared, share]],
    )
    first, again = (start[0] for start in starts)
    print(f"\nready in {first:.1f} s at the first start, {again:.1f} s at the next\n")


def _serve(folder: str, options: Any, *, watch: bool) -> tuple[float, list[list[Any]]]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "serve", "--port", "0", "--data-dir", folder],
        env=kept, cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        address = ""
        while not address:
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
            address = found[0] if found else ""
        while not _is_ready(address):
            time.sleep(0.02)
        ready = time.monotonic() - begun
        if not watch:
            return ready, []
        time.sleep(2)
        pids = [process.pid, *_children(process.pid)]
        before = {pid: cpu_seconds(pid) for pid in pids}
        time.sleep(WATCHED)
        return ready, [
            [_name(pid), resident_bytes(pid) / 1e6, _own(pid) / 1e6,
             (cpu_seconds(pid) - before[pid]) / WATCHED * 100]
            for pid in pids
        ]  # fmt: skip
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310 (our own)
            return b'"status":"ok"' in answer.read()
    except (urllib.error.URLError, OSError):
        return False


def _children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in told]


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    for name in ("web", "workers", "serve"):
        if name in words:
            return {"serve": "supervisor", "workers": "worker"}.get(name, name)
    return Path(words[0]).name


def _own(pid: int) -> int:
    """Bytes that would be free if this process ended (Private_*)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
