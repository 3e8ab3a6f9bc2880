"""Commits of one small row by one process, on a SQLite file: synchronous=FULL beside NORMAL.

The ratio depends on the disk: FULL waits for one fsync of the WAL at each commit, NORMAL for none
until a checkpoint.
"""

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from portal.database import SQLITE_PRAGMAS
from tests.bench.runner import table

ROW = "x" * 400  # about an event, with its indexes
ROUNDS = 3  # each mode in turn, so that a busy moment meets both


def run(options: Any) -> None:
    """Print commits a second and milliseconds for each, in both modes."""
    took: dict[str, list[float]] = {"NORMAL": [], "FULL": []}
    with tempfile.TemporaryDirectory(prefix="kept-bench-", dir=Path.cwd()) as folder:
        for number in range(ROUNDS):
            for mode, all_rates in took.items():
                path = Path(folder, f"{mode}-{number}.db")
                all_rates.append(rate(path, mode, options.seconds / ROUNDS))
    best = {mode: max(rates) for mode, rates in took.items()}
    table(
        "Commits on SQLite",
        ["synchronous", "a second", "ratio", "ms each"],
        [[mode, best[mode], best[mode] / best["NORMAL"], 1000 / best[mode]] for mode in took],
    )


def rate(path: Path, mode: str, seconds: float) -> float:
    """Commits a second."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (*SQLITE_PRAGMAS, f"PRAGMA synchronous={mode}"):
            connection.execute(pragma)
        connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, request INT, words TEXT)")
        connection.execute("CREATE INDEX ix_event ON event (request)")
        commits, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO event (request, words) VALUES (?, ?)", (commits * 7919 % 1000, ROW)
            )
            connection.execute("COMMIT")
            commits += 1
        return commits / (time.perf_counter() - start)
