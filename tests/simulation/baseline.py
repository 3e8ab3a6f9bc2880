"""The run_simulation, and beside it the same lives with Kept silent: what its messages spare customers."""

import asyncio
import logging
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import structlog
import uvloop

from tests.simulation.report import CustomerInquiries, Report, report
from tests.simulation.run import SimulationConfig, run_simulation


async def compare(script: SimulationConfig, database_url: str | None) -> Report:
    """Play it, and at the same time, in a process of its own, without tellings and follow-ups."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        silent = replace(script, sends_updates=False)
        without = asyncio.get_running_loop().run_in_executor(beside, count_inquiries, silent)
        outcome = await run_simulation(script, database_url)
        return report(outcome, await without)


def count_inquiries(script: SimulationConfig) -> CustomerInquiries:
    """Only how often customers had to ask."""
    silence_logs()
    return CustomerInquiries.of(uvloop.run(run_simulation(script)))


def silence_logs() -> None:
    """A worker that is killed on purpose need not be told of."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
