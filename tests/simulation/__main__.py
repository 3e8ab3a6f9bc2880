"""`python -m tests.simulation`: plays, reports, and ends with 1 where a target is missed."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

import uvloop

from portal.errors import PortalError
from tests.simulation.baseline import compare, silence_logs
from tests.simulation.faults import SeededRandom, read_faults
from tests.simulation.report import Report, as_lines, report
from tests.simulation.run import SimulationConfig, run_simulation


def main(arguments: Sequence[str] | None = None) -> int:
    """Play as told; the exit code."""
    told = _parser().parse_args(arguments)
    silence_logs()
    try:
        made = uvloop.run(_play(told))
    except PortalError as refusal:
        sys.stderr.write(f"kept: {refusal}\n")
        return 1
    words = json.dumps(made.as_json(), indent=2) if told.json else "\n".join(as_lines(made))
    sys.stdout.write(f"{words}\n")
    return 1 if made.misses else 0


async def _play(told: Namespace) -> Report:
    script = SimulationConfig(told.requests, SeededRandom(told.seed, read_faults(told.faults)))
    if told.alone:
        return report(await run_simulation(script, told.database_url))
    return await compare(script, told.database_url)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default="all")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--database-url")
    return parser


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The same seed makes the same lives only where sets have the same order.
        command = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 (our own arguments)
    sys.exit(main())
