"""`python -m tests.simulation`: whole lives against the real code, and a report that notices what is wrong."""

import asyncio
from dataclasses import replace

import pytest

from portal.errors import BadInput
from tests.simulation.faults import Fault, SeededRandom, read_faults
from tests.simulation.report import Report, as_lines, report
from tests.simulation.run import SimulationConfig, run_simulation

LIVES = SimulationConfig(
    6, SeededRandom(7, frozenset(Fault)), kinds=("card-application", "device-repair")
)


def played(script: SimulationConfig) -> Report:
    return report(asyncio.run(run_simulation(script)))


@pytest.fixture(scope="module")
def reported() -> Report:
    return played(LIVES)


def test_everything_that_slips_is_raised_and_no_message_is_lost(reported):
    """With every fault at work each target is met, and every life comes to its end."""
    assert reported.misses == [], reported.details
    assert reported.done == LIVES.requests
    assert reported.never_put_right == 0, reported.details
    assert reported.dropped >= 5
    assert reported.worst_seconds <= 60, reported.kinds
    assert as_lines(reported)[-1].startswith("Every target is met")


def test_the_same_seed_makes_the_same_report(reported):
    """Lives, faults and figures: only the time that it took is another."""
    again = played(LIVES)
    assert {**again.as_json(), "seconds": 0} == {**reported.as_json(), "seconds": 0}


def test_disabled_detection_is_reported():
    """The truth is found apart from the watch: what nobody raises is named, and missed."""
    blind = replace(
        LIVES,
        requests=3,
        detects_drops=False,
        dice=SeededRandom(7, frozenset({Fault.FORGETFUL, Fault.SLOW})),
    )
    made = played(blind)
    assert made.dropped > made.raised
    assert any("were not raised" in miss for miss in made.misses)
    assert any(line.startswith("MISSED: ") for line in as_lines(made))


def test_faults_are_named_or_refused():
    """All, none, or a list; a word that is none is answered with those there are."""
    assert read_faults("all") == frozenset(Fault)
    assert read_faults("none") == frozenset()
    assert read_faults("slow, absent") == {Fault.SLOW, Fault.ABSENT}
    with pytest.raises(BadInput, match="no fault 'rain'"):
        read_faults("slow,rain")
