"""`python -m workers.simulation`: plays, reports, and ends with 1 where a target is missed."""

import asyncio
import json
import logging
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import structlog
import uvloop

from portal.errors import PortalError
from workers.simulation.faults import Dice, read_faults
from workers.simulation.play import Script, play
from workers.simulation.report import Asking, Report, in_words, report


def main(arguments: Sequence[str] | None = None) -> int:
    """Play as told; the exit code."""
    told = _parser().parse_args(arguments)
    _say_nothing()
    try:
        script = Script(told.requests, Dice(told.seed, read_faults(told.faults)))
        made = uvloop.run(_play(script, told.database_url, compares=not told.alone))
    except PortalError as refusal:
        sys.stderr.write(f"kept: {refusal}\n")
        return 1
    sys.stdout.write(
        json.dumps(made.as_json(), indent=2) if told.json else "\n".join(in_words(made))
    )
    sys.stdout.write("\n")
    return 1 if made.misses else 0


async def _play(script: Script, database_url: str | None, *, compares: bool) -> Report:
    """The play itself, and beside it in a process of its own the one in which Kept is silent."""
    if not compares:
        return report(await play(script, database_url))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        silent = replace(script, tells=False)
        without = asyncio.get_running_loop().run_in_executor(beside, count_asking, silent)
        outcome = await play(script, database_url)
        return report(outcome, await without)


def count_asking(script: Script) -> Asking:
    """Only how often customers had to ask; in a process of its own."""
    _say_nothing()
    return Asking.of(uvloop.run(play(script)))


def _say_nothing() -> None:
    """A worker that is killed on purpose need not be told of."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="kept simulate", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default="all")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--database-url")
    return parser


if __name__ == "__main__":
    sys.exit(main())
