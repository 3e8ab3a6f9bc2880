"""The play, and beside it the same lives with Kept silent: what its messages spare customers."""

import asyncio
import logging
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import structlog
import uvloop

from tests.simulation.report import Asking, Report, report
from tests.simulation.run import Script, play


async def compare(script: Script, database_url: str | None) -> Report:
    """Play it, and at the same time, in a process of its own, without tellings and follow-ups."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        silent = replace(script, tells=False)
        without = asyncio.get_running_loop().run_in_executor(beside, count_asking, silent)
        outcome = await play(script, database_url)
        return report(outcome, await without)


def count_asking(script: Script) -> Asking:
    """Only how often customers had to ask."""
    say_nothing()
    return Asking.of(uvloop.run(play(script)))


def say_nothing() -> None:
    """A worker that is killed on purpose need not be told of."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
