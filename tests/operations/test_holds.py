"""Waiting and holding: a clock that stands still is given back exactly what it lost."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict
from portal.models import KEPT, EventKind, MessageKind, RequestStatus, StageRun
from portal.operations import accept, advance, end_holds_that_are_over, hold, resume

pytestmark = pytest.mark.either_database


async def test_held_it_is_on_hold_and_the_customer_reads_that_it_is(house, martins):
    held = await house.do(hold, martins, reason="A payslip misses.", by=house.people.tess.actor)
    assert held.status == RequestStatus.ON_HOLD
    assert held.open_runs[0].hold_reason == "A payslip misses."
    assert (await house.told(held))[-1].kind == MessageKind.HOLD


async def test_resumed_its_due_time_moves_on_by_exactly_the_time_lost(clock, house):
    opened = await house.open(by=KEPT)
    [before] = opened.open_runs
    clock.shift(timedelta(hours=1))
    await house.do(hold, opened, reason="Wait.", by=KEPT)
    clock.shift(timedelta(days=3, minutes=7))
    resumed = await house.do(resume, opened, by=KEPT)
    [run] = resumed.open_runs
    assert run.due_at == before.due_at + timedelta(days=3, minutes=7)
    assert run.late_at == before.late_at + timedelta(days=3, minutes=7)
    assert run.paused_seconds == 3 * 86_400 + 420
    assert resumed.status == RequestStatus.OPEN


async def test_held_when_already_late_only_what_was_left_of_the_grace_is_given_back(clock, house):
    opened = await house.open(by=KEPT)
    [before] = opened.open_runs
    clock.move_to(before.due_at + timedelta(hours=1))
    await house.do(hold, opened, reason="Wait.", by=KEPT)
    clock.shift(timedelta(days=1))
    resumed = await house.do(resume, opened, by=KEPT)
    [run] = resumed.open_runs
    assert run.due_at == before.due_at
    assert run.late_at == before.late_at + timedelta(days=1)
    assert not run.is_late(datetime.now(UTC))


SHOP = """
key = "shop"
name = "Shop"
timezone = "America/New_York"
[departments.shop]
name = "Shop"
hours = "Mon-Fri 09:00-17:00"
[[stages]]
key = "work"
department = "shop"
title = "We work on it"
expected = "4bh"
grace = "2bh"
[[stages]]
key = "ride"
department = "shop"
title = "It travels"
expected = "6h"
"""


async def test_in_opening_hours_only_the_open_time_lost_is_given_back(clock, house):
    """Held on Friday 16:00 with two open hours left; resumed on Monday 10:00: due at 12:00."""
    await house.load(SHOP)
    clock.move_to(datetime(2025, 6, 6, 18, tzinfo=UTC))  # Friday 14:00 in New York
    opened = await house.open("shop", by=KEPT)
    assert opened.open_runs[0].due_at == datetime(2025, 6, 9, 14, tzinfo=UTC)  # Monday 10:00
    clock.move_to(datetime(2025, 6, 6, 20, tzinfo=UTC))
    await house.do(hold, opened, reason="Wait.", by=KEPT)
    clock.move_to(datetime(2025, 6, 9, 14, tzinfo=UTC))
    [run] = (await house.do(resume, opened, by=KEPT)).open_runs
    assert run.due_at == datetime(2025, 6, 9, 16, tzinfo=UTC)
    assert run.late_at == datetime(2025, 6, 9, 18, tzinfo=UTC)


async def test_where_the_clock_always_runs_a_closed_shop_loses_time_too(clock, house):
    """The same shop, but "6h" run through the night."""
    await house.load(SHOP)
    opened = await house.open("shop", by=KEPT)
    clock.move_to(datetime(2025, 6, 6, 20, tzinfo=UTC))
    moved = await house.do(advance, opened, by=KEPT)
    [before] = moved.open_runs
    await house.do(hold, opened, reason="Wait.", by=KEPT)
    clock.move_to(datetime(2025, 6, 9, 14, tzinfo=UTC))
    [run] = (await house.do(resume, opened, by=KEPT)).open_runs
    assert run.due_at - before.due_at == timedelta(days=2, hours=18)


async def test_a_hold_that_ends_by_itself_ends_once_and_is_told_once(clock, house):
    permit = await house.open("permit", by=KEPT)
    await house.do(advance, permit, by=KEPT)
    until = datetime.now(UTC) + timedelta(days=1)
    await house.do(hold, permit, reason="Holidays.", until=until, by=KEPT)
    clock.move_to(until)
    resumed = await house.do(end_holds_that_are_over, permit, by=KEPT)
    await house.do(end_holds_that_are_over, permit, by=KEPT)
    assert resumed.status == RequestStatus.OPEN
    assert not any(run.held_at for run in resumed.open_runs)
    kinds = [event.kind for event in await house.events(resumed)]
    assert kinds.count(EventKind.RESUMED) == 1
    assert [text.kind for text in await house.told(permit)].count(MessageKind.RESUMED) == 1


async def test_a_hold_before_its_time_stays(clock, house, martins):
    until = datetime.now(UTC) + timedelta(days=1)
    await house.do(hold, martins, reason="Wait.", until=until, by=KEPT)
    clock.shift(timedelta(hours=23))
    still = await house.do(end_holds_that_are_over, martins, by=KEPT)
    assert still.status == RequestStatus.ON_HOLD


async def test_one_branch_held_leaves_the_request_open(house):
    permit = await house.open("permit", by=KEPT)
    await house.do(advance, permit, by=KEPT)
    held = await house.do(hold, permit, stage="plans", reason="Wait.", by=KEPT)
    assert held.status == RequestStatus.OPEN
    held = await house.do(hold, permit, reason="All of it.", by=KEPT)
    assert held.status == RequestStatus.ON_HOLD


@pytest.mark.parametrize("until", [datetime(2000, 1, 1, tzinfo=UTC), None])
async def test_a_hold_needs_a_reason_and_an_end_to_come(house, martins, until):
    with pytest.raises(BadInput):
        await house.do(hold, martins, reason="Wait." if until else " ", until=until, by=KEPT)
    assert (await house.see(martins)).status == RequestStatus.OPEN


async def test_what_is_held_is_held_once_and_what_is_not_cannot_be_resumed(house, martins):
    with pytest.raises(Conflict, match="is not on hold"):
        await house.do(resume, martins, by=KEPT)
    await house.do(hold, martins, reason="Wait.", by=KEPT)
    with pytest.raises(Conflict, match="nothing to hold"):
        await house.do(hold, martins, reason="Wait.", by=KEPT)


async def test_a_stage_that_waits_on_the_customer_pauses_its_clock_and_says_so(clock, house):
    repair = await house.open("repair", by=KEPT)
    waiting = await house.do(advance, repair, by=KEPT)
    [run] = waiting.open_runs
    assert waiting.status == RequestStatus.WAITING_ON_CUSTOMER
    assert run.paused_at == run.reached_at
    clock.shift(timedelta(days=30))
    assert not run.is_late(datetime.now(UTC))


async def test_held_while_it_waits_on_the_customer_it_waits_on_when_resumed(house):
    repair = await house.open("repair", by=KEPT)
    await house.do(advance, repair, by=KEPT)
    held = await house.do(hold, repair, reason="Closed today.", by=KEPT)
    assert held.status == RequestStatus.ON_HOLD
    resumed = await house.do(resume, repair, by=KEPT)
    assert resumed.status == RequestStatus.WAITING_ON_CUSTOMER
    assert resumed.open_runs[0].is_paused


async def test_completed_while_held_it_moves_on_with_a_running_clock(house, martins):
    await house.do(hold, martins, reason="Wait.", by=KEPT)
    await house.do(advance, martins, by=KEPT)
    accepted = await house.do(accept, martins, by=KEPT)
    assert accepted.status == RequestStatus.OPEN
    runs: list[StageRun] = accepted.runs
    assert not any(run.is_paused for run in runs)


async def test_a_new_date_is_the_due_time_of_what_comes_next(house, martins):
    due = datetime.now(UTC) + timedelta(days=9)
    moved = await house.do(advance, martins, note="They are busy.", expected_by=due, by=KEPT)
    [run] = moved.open_runs
    assert run.due_at == due
    assert run.late_at == due + timedelta(hours=4)
    assert run.note == "They are busy."
    await house.do(accept, martins, by=KEPT)
    with pytest.raises(BadInput, match="passed already"):
        await house.do(advance, martins, expected_by=datetime(2001, 1, 1, tzinfo=UTC), by=KEPT)
