"""Thousands of messages under random faults: none is lost, duplicated without a mark, or unwanted.

`bin/test -m chaos` runs the whole of it, on SQLite and on PostgreSQL; a small one runs always.
`KEPT_CHAOS_SEED` names another seed than today's, to repeat a run or to look for new trouble.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import pytest

from portal.demo.fake_providers import FakeProviders
from portal.settings import Settings
from tests.chaos.audit import Audit, all_messages_ended, record_status_changes
from tests.chaos.kill_loop import KillLoop
from tests.chaos.workload import ERRAND_WORKFLOW, Workload
from tests.support.factories import SeedRows
from tests.support.processes import Process, eventually, fast_worker, worker
from tests.support.running_stack import TOKEN, RunningStack


@dataclass(frozen=True)
class Size:
    """How much of it, and with what patience (seconds)."""

    name: str
    customers: int
    faults: int
    start_worker: Callable[[Settings], Process]
    too_long: float
    drains_within: float


SMALL = Size("small-chaos", 45, 7, fast_worker, 4, 90)
LARGE = Size("large-chaos", 430, 35, worker, 12, 240)

SIZES = [
    pytest.param(SMALL, "sqlite", id=SMALL.name),
    pytest.param(LARGE, "sqlite", id=f"{LARGE.name}-sqlite", marks=pytest.mark.chaos),
    pytest.param(
        LARGE,
        "postgres",
        id=f"{LARGE.name}-postgres",
        marks=[pytest.mark.chaos, pytest.mark.postgres],
    ),
]


@pytest.fixture
def place(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The product as it runs, at a carrier that leaves stops and their answers to us."""
    carrier = FakeProviders(
        auth_token=TOKEN,
        blocks_stopped=False,
        confirms_stop=False,
        sent_after=0.1,
        delivered_after=0.3,
    )
    with RunningStack(database_url, tmp_path_factory.mktemp("place"), carrier) as place:
        yield place


@pytest.mark.parametrize(("size", "database_url"), SIZES, indirect=["database_url"])
async def test_no_text_is_lost_duplicated_unmarked_or_sent_after_stop(
    size: Size,
    place: RunningStack,
    seed_rows: SeedRows,
    record_property: Callable[[str, Any], None],
    request: pytest.FixtureRequest,
) -> None:
    """Whatever the carrier answers, and whoever is killed, every message is accounted for."""
    seed = int(os.environ.get("KEPT_CHAOS_SEED", "20261123"))
    dice, started = Random(seed), time.monotonic()
    async with place.organisation(seed_rows) as organisation, place.api(organisation) as api:
        await organisation.load(ERRAND_WORKFLOW)
        await record_status_changes(organisation.database)
        kill_loop = KillLoop(
            place, size.start_worker, Random(dice.random()),
            actions=size.customers * 5, faults=size.faults, too_long=size.too_long,
        )  # fmt: skip
        try:
            workload = Workload(api, place.carrier, Random(dice.random()), kill_loop.count_action)
            await workload.run(size.customers)
            await kill_loop.finish()
            with suppress(TimeoutError):  # What has no end then, the reckoning names.
                settled = partial(all_messages_ended, organisation.database)
                await eventually(settled, within=size.drains_within)
        finally:
            kill_loop.close()
        reckoning = await Audit.collect(organisation.database, place.carrier)
    faults = reckoning.violations(workload)
    figures = {**reckoning.count(), "seconds": round(time.monotonic() - started)}
    name = request.node.callspec.id
    again = f"again: KEPT_CHAOS_SEED={seed} bin/test -m 'chaos or not chaos' -k {name}"
    lines = [_line("counted", figures), _line("done to it", kill_loop.done), again]
    record_property("chaos", {"run": name, "lines": lines})
    assert not faults, "\n".join([again, *faults[:40]])


def _line(heading: str, figures: Mapping[str, int]) -> str:
    return f"{heading}: {', '.join(f'{what} {number}' for what, number in figures.items())}"
