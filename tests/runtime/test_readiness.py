"""A process reports once that it is ready, whoever listens."""

import os

import pytest

from portal.operations import Operations
from portal.runtime.readiness import report_ready
from workers.sweep import Sweep


def test_report_is_lost_without_harm_where_nobody_reads_the_pipe() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    report_ready(writer)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writer)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sweep_reports_its_first_beat_once_even_where_that_fails(
    operations: Operations,
) -> None:
    reports: list[None] = []

    def report() -> None:
        reports.append(None)
        raise BrokenPipeError

    sweep = Sweep(operations, lambda: None, "worker")
    sweep.on_first_beat = report
    with pytest.raises(BrokenPipeError):
        await sweep.once()
    await sweep.once()
    assert len(reports) == 1
