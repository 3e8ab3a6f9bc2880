"""Failures of rows: remembered while they last, forgotten with their ball, one ball for many."""

from datetime import timedelta

import pytest
import time_machine

from portal.business_time import now
from portal.models import DroppedBallKind
from portal.operations import cancel
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation
from tests.workers.odd_rows import balls, execute, job_failures, open_for, unreadable
from workers.failing_rows import MAX_SINGLE_BALLS
from workers.sweep import Sweep


@pytest.fixture
def sweep(clock: time_machine.Traveller, organisation: Organisation) -> Sweep:
    """The sweep of a worker."""
    return Sweep(organisation.operations, lambda: None, "worker")


async def make_update_due(organisation: Organisation) -> None:
    """An update of every request is due."""
    moment = now().strftime("%Y-%m-%d %H:%M:%S+00:00")
    if organisation.database.is_sqlite:
        moment = moment.replace("+00:00", ".000000")
    await execute(organisation, f"UPDATE service_request SET next_update_at = '{moment}'")  # noqa: S608


async def test_ball_about_an_unreadable_request_is_resolved_once_it_is_checked(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    odd = await open_for(organisation, "+14152000001")
    watch = DetectionDriver(organisation.operations, clock, organisation.database)
    raised = f"INSERT ON dropped_ball WHEN (NEW.request_id = {odd.id} AND NEW.kind <> 'unreadable')"
    async with unreadable(organisation, "service_request", "title", odd.id or 0, writes=raised):
        await watch.advance_clock(timedelta(days=1))
        assert await job_failures(organisation) == [("detection", odd.id)]
    await watch.advance_clock(timedelta(minutes=11))
    assert await watch.kinds() == [DroppedBallKind.STAGE_OVERDUE]
    (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
    assert ball.resolved_at is not None
    assert await job_failures(organisation) == []


async def test_failure_of_a_request_that_was_cancelled_is_forgotten(
    clock: time_machine.Traveller, organisation: Organisation, sweep: Sweep
) -> None:
    odd = await open_for(organisation, "+14152000001")
    await make_update_due(organisation)
    await execute(organisation, "UPDATE service_request SET status = 'unheard of'")
    await sweep.once()
    assert await job_failures(organisation) == [("updates", odd.id)]
    await execute(organisation, f"UPDATE service_request SET status = '{odd.status.value}'")  # noqa: S608
    await organisation.run(
        cancel, odd, reason="No longer needed", by=organisation.people.mona.actor
    )
    clock.shift(timedelta(hours=2))
    await sweep.once()
    assert await job_failures(organisation) == []
    (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
    assert ball.resolved_at is not None


async def test_number_of_failures_does_not_stop_the_sweep(
    organisation: Organisation, sweep: Sweep
) -> None:
    """40,000 are more than sqlite3 or asyncpg bind in one statement."""
    request = await open_for(organisation, "+14152000001")
    await make_update_due(organisation)
    await execute(
        organisation,
        "WITH RECURSIVE numbers(n) AS (SELECT 1000000 UNION ALL SELECT n + 1 FROM numbers "
        "WHERE n < 1040000) INSERT INTO job_failure (job, row_id, failures, retry_at) "
        "SELECT 'updates', n, 1, '2125-01-01 00:00:00' FROM numbers",
    )
    await sweep.once()
    assert (await organisation.reload(request)).next_update_at != now()


async def test_fault_of_every_request_is_one_ball_more_than_the_limit(
    clock: time_machine.Traveller, organisation: Organisation, sweep: Sweep
) -> None:
    requests = [
        await open_for(organisation, f"+141520000{number}")
        for number in range(10, 14 + MAX_SINGLE_BALLS)
    ]
    await make_update_due(organisation)
    await execute(organisation, "UPDATE service_request SET status = 'unheard of'")
    await sweep.once()
    assert len(await job_failures(organisation)) == len(requests)
    raised = await balls(organisation, DroppedBallKind.UNREADABLE)
    assert len(raised) == MAX_SINGLE_BALLS + 1
    (of_all,) = (ball for ball in raised if ball.subject == "updates")
    assert (of_all.owner_id, of_all.request_id) == (organisation.people.mona.id, None)
    assert f"more than {MAX_SINGLE_BALLS} times" in of_all.detail
    status = requests[0].status.value
    await execute(organisation, f"UPDATE service_request SET status = '{status}'")  # noqa: S608
    clock.shift(timedelta(minutes=11))
    await sweep.once()
    assert await job_failures(organisation) == []
    raised = await balls(organisation, DroppedBallKind.UNREADABLE)
    assert [ball for ball in raised if ball.resolved_at is None] == []
