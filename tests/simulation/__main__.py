"""`python -m tests.simulation`: simulates, reports, and exits with 1 where a target is missed."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

import uvloop

from portal.errors import PortalError
from tests.simulation.faults import SeededRandom, read_faults
from tests.simulation.report import Report, as_lines, compare, report, silence_logs
from tests.simulation.run import Scenario, run_scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate by these arguments; gives the exit code."""
    options = _parser().parse_args(arguments)
    silence_logs()
    try:
        made = uvloop.run(_simulate(options))
    except PortalError as refusal:
        sys.stderr.write(f"kept: {refusal}\n")
        return 1
    text = json.dumps(made.as_json(), indent=2) if options.json else "\n".join(as_lines(made))
    sys.stdout.write(f"{text}\n")
    return 1 if made.misses else 0


async def _simulate(options: Namespace) -> Report:
    scenario = Scenario(options.requests, SeededRandom(options.seed, read_faults(options.faults)))
    if options.alone:
        return report(await run_scenario(scenario, options.database_url))
    return await compare(scenario, options.database_url)


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
        # The same seed gives the same requests only where sets have the same order.
        command = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 (our own arguments)
    sys.exit(main())
