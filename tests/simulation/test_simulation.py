"""`python -m tests.simulation`: whole requests on the real code, and a report that notices faults."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from portal.database import Database
from portal.errors import BadInput
from tests.simulation.faults import Fault, SeededRandom, WorkerKilled, read_faults
from tests.simulation.report import Report, as_lines, report
from tests.simulation.run import Scenario, run_scenario
from tests.simulation.threadless_sqlite import InlineConnection

SCENARIO = Scenario(
    6, SeededRandom(7, frozenset(Fault)), kinds=("card-application", "device-repair")
)


def simulated_report(scenario: Scenario) -> Report:
    return report(asyncio.run(run_scenario(scenario)))


@pytest.fixture(scope="module")
def reported() -> Report:
    return simulated_report(SCENARIO)


def test_every_dropped_ball_is_raised_and_no_message_is_lost(reported: Report) -> None:
    """With every fault at work each target is met, and every request is done."""
    assert reported.misses == [], reported.details
    assert reported.done == SCENARIO.requests
    assert reported.never_put_right == 0, reported.details
    assert reported.dropped >= 5
    assert (reported.worst_seconds or 0) <= 60, reported.kinds
    assert as_lines(reported)[-1].startswith("Every target is met")
    assert len(reported.status_questions) == reported.customers_asked


def test_same_seed_makes_the_same_report(reported: Report) -> None:
    """The same requests, faults and figures: only the time that it took differs."""
    again = simulated_report(SCENARIO)
    assert {**again.as_json(), "seconds": 0} == {**reported.as_json(), "seconds": 0}


def test_missing_dropped_balls_are_reported() -> None:
    """The oracle finds them apart from the product: each is named, and the target is missed."""
    blind = replace(
        SCENARIO,
        requests=3,
        detects_drops=False,
        dice=SeededRandom(7, frozenset({Fault.FORGETFUL, Fault.SLOW})),
    )
    made = simulated_report(blind)
    assert made.dropped > made.raised
    assert any("were not raised" in miss for miss in made.misses)
    assert any(line.startswith("MISSED: ") for line in as_lines(made))


def test_killed_worker_passes_every_handler_of_the_product() -> None:
    assert not issubclass(WorkerKilled, Exception)


def test_other_databases_keep_their_threads(reported: Report, tmp_path: Path) -> None:
    """The simulation ends with its own connections: the tests after it have those of the product."""
    assert reported.done

    async def connect() -> object:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")
        try:
            async with database.engine.connect() as connection:
                return (await connection.get_raw_connection()).driver_connection
        finally:
            await database.close()

    assert not isinstance(asyncio.run(connect()), InlineConnection)


def test_unknown_fault_is_rejected() -> None:
    """All, none, or a list; an unknown name is refused with the known ones."""
    assert read_faults("all") == frozenset(Fault)
    assert read_faults("none") == frozenset()
    assert read_faults("slow, absent") == {Fault.SLOW, Fault.ABSENT}
    with pytest.raises(BadInput, match="no fault 'rain'"):
        read_faults("slow,rain")


def test_unsupported_aiosqlite_is_one_sentence(monkeypatch):
    monkeypatch.setattr("aiosqlite.Connection.__init__", lambda *_, **__: None)
    monkeypatch.setattr("aiosqlite.Connection.__del__", lambda _: None)
    with pytest.raises(AssertionError, match=r"needs the version of requirements\.lock"):
        InlineConnection(lambda: sqlite3.connect(":memory:"))
