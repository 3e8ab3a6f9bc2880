"""`kept simulate`: whole lives in a process of its own, started by its dotted name."""

import os
import subprocess
import sys


def simulate(
    requests: int,
    seed: int,
    faults: str,
    *,
    database_url: str | None,
    is_alone: bool,
    is_json: bool,
) -> int:
    """Play, and let the report be printed; its exit code: 0 where every target is met."""
    command = [sys.executable, "-m", "workers.simulation"]
    command += ["--requests", str(requests), "--seed", str(seed), "--faults", faults]
    if database_url is not None:
        command += ["--database-url", database_url]
    command += ["--alone"] * is_alone + ["--json"] * is_json
    # The same seed makes the same lives, whatever order Python gives its sets.
    return subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False
    ).returncode
