"""Holds and pauses: the due time moves by exactly the time on hold."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict
from portal.models import SYSTEM_ACTOR, EventKind, MessageKind, RequestStatus, StageRun
from portal.operations import accept, advance, hold, resume, resume_expired_holds

pytestmark = pytest.mark.either_database


async def test_hold_is_shown_to_the_customer(organisation, card_request):
    held = await organisation.run(
        hold, card_request, reason="A payslip misses.", by=organisation.people.tess.actor
    )
    assert held.status == RequestStatus.ON_HOLD
    assert held.open_runs[0].hold_reason == "A payslip misses."
    assert (await organisation.outbound_messages(held))[-1].kind == MessageKind.HOLD


async def test_resuming_moves_the_due_time_by_the_time_on_hold(clock, organisation):
    opened = await organisation.open(by=SYSTEM_ACTOR)
    [before] = opened.open_runs
    clock.shift(timedelta(hours=1))
    await organisation.run(hold, opened, reason="Wait.", by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=3, minutes=7))
    resumed = await organisation.run(resume, opened, by=SYSTEM_ACTOR)
    [run] = resumed.open_runs
    assert run.due_at == before.due_at + timedelta(days=3, minutes=7)
    assert run.overdue_at == before.overdue_at + timedelta(days=3, minutes=7)
    assert run.paused_seconds == 3 * 86_400 + 420
    assert resumed.status == RequestStatus.OPEN


async def test_hold_of_a_late_stage_restores_only_the_remaining_grace(clock, organisation):
    opened = await organisation.open(by=SYSTEM_ACTOR)
    [before] = opened.open_runs
    clock.move_to(before.due_at + timedelta(hours=1))
    await organisation.run(hold, opened, reason="Wait.", by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=1))
    resumed = await organisation.run(resume, opened, by=SYSTEM_ACTOR)
    [run] = resumed.open_runs
    assert run.due_at == before.due_at
    assert run.overdue_at == before.overdue_at + timedelta(days=1)
    assert not run.is_overdue(datetime.now(UTC))


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


async def test_hold_restores_only_opening_hours(clock, organisation):
    """Held on Friday 16:00 with two open hours left; resumed on Monday 10:00: due at 12:00."""
    await organisation.load(SHOP)
    clock.move_to(datetime(2025, 6, 6, 18, tzinfo=UTC))  # Friday 14:00 in New York
    opened = await organisation.open("shop", by=SYSTEM_ACTOR)
    assert opened.open_runs[0].due_at == datetime(2025, 6, 9, 14, tzinfo=UTC)  # Monday 10:00
    clock.move_to(datetime(2025, 6, 6, 20, tzinfo=UTC))
    await organisation.run(hold, opened, reason="Wait.", by=SYSTEM_ACTOR)
    clock.move_to(datetime(2025, 6, 9, 14, tzinfo=UTC))
    [run] = (await organisation.run(resume, opened, by=SYSTEM_ACTOR)).open_runs
    assert run.due_at == datetime(2025, 6, 9, 16, tzinfo=UTC)
    assert run.overdue_at == datetime(2025, 6, 9, 18, tzinfo=UTC)


async def test_hold_restores_all_hours_where_the_clock_always_runs(clock, organisation):
    """The same shop, but "6h" run through the night."""
    await organisation.load(SHOP)
    opened = await organisation.open("shop", by=SYSTEM_ACTOR)
    clock.move_to(datetime(2025, 6, 6, 20, tzinfo=UTC))
    moved = await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    [before] = moved.open_runs
    await organisation.run(hold, opened, reason="Wait.", by=SYSTEM_ACTOR)
    clock.move_to(datetime(2025, 6, 9, 14, tzinfo=UTC))
    [run] = (await organisation.run(resume, opened, by=SYSTEM_ACTOR)).open_runs
    assert run.due_at - before.due_at == timedelta(days=2, hours=18)


async def test_expired_hold_ends_once_and_is_announced_once(clock, organisation):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    until = datetime.now(UTC) + timedelta(days=1)
    await organisation.run(hold, permit, reason="Holidays.", until=until, by=SYSTEM_ACTOR)
    clock.move_to(until)
    resumed = await organisation.run(resume_expired_holds, permit, by=SYSTEM_ACTOR)
    await organisation.run(resume_expired_holds, permit, by=SYSTEM_ACTOR)
    assert resumed.status == RequestStatus.OPEN
    assert not any(run.held_at for run in resumed.open_runs)
    kinds = [event.kind for event in await organisation.events(resumed)]
    assert kinds.count(EventKind.RESUMED) == 1
    assert [text.kind for text in await organisation.outbound_messages(permit)].count(
        MessageKind.RESUMED
    ) == 1


async def test_hold_stays_until_its_end(clock, organisation, card_request):
    until = datetime.now(UTC) + timedelta(days=1)
    await organisation.run(hold, card_request, reason="Wait.", until=until, by=SYSTEM_ACTOR)
    clock.shift(timedelta(hours=23))
    still = await organisation.run(resume_expired_holds, card_request, by=SYSTEM_ACTOR)
    assert still.status == RequestStatus.ON_HOLD


async def test_hold_of_one_branch_leaves_the_request_open(organisation):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    held = await organisation.run(hold, permit, stage="plans", reason="Wait.", by=SYSTEM_ACTOR)
    assert held.status == RequestStatus.OPEN
    held = await organisation.run(hold, permit, reason="All of it.", by=SYSTEM_ACTOR)
    assert held.status == RequestStatus.ON_HOLD


@pytest.mark.parametrize("until", [datetime(2000, 1, 1, tzinfo=UTC), None])
async def test_hold_needs_a_reason_and_a_future_end(organisation, card_request, until):
    with pytest.raises(BadInput):
        await organisation.run(
            hold, card_request, reason="Wait." if until else " ", until=until, by=SYSTEM_ACTOR
        )
    assert (await organisation.reload(card_request)).status == RequestStatus.OPEN


async def test_stage_is_held_once_and_only_a_held_stage_resumes(organisation, card_request):
    with pytest.raises(Conflict, match="is not on hold"):
        await organisation.run(resume, card_request, by=SYSTEM_ACTOR)
    await organisation.run(hold, card_request, reason="Wait.", by=SYSTEM_ACTOR)
    with pytest.raises(Conflict, match="nothing to hold"):
        await organisation.run(hold, card_request, reason="Wait.", by=SYSTEM_ACTOR)


async def test_stage_that_waits_for_the_customer_pauses_its_clock(clock, organisation):
    repair = await organisation.open("repair", by=SYSTEM_ACTOR)
    waiting = await organisation.run(advance, repair, by=SYSTEM_ACTOR)
    [run] = waiting.open_runs
    assert waiting.status == RequestStatus.WAITING_ON_CUSTOMER
    assert run.paused_at == run.reached_at
    clock.shift(timedelta(days=30))
    assert not run.is_overdue(datetime.now(UTC))


async def test_stage_held_while_waiting_waits_again_after_resuming(organisation):
    repair = await organisation.open("repair", by=SYSTEM_ACTOR)
    await organisation.run(advance, repair, by=SYSTEM_ACTOR)
    held = await organisation.run(hold, repair, reason="Closed today.", by=SYSTEM_ACTOR)
    assert held.status == RequestStatus.ON_HOLD
    resumed = await organisation.run(resume, repair, by=SYSTEM_ACTOR)
    assert resumed.status == RequestStatus.WAITING_ON_CUSTOMER
    assert resumed.open_runs[0].is_paused


async def test_completing_a_held_stage_restarts_the_clock(organisation, card_request):
    await organisation.run(hold, card_request, reason="Wait.", by=SYSTEM_ACTOR)
    await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
    accepted = await organisation.run(accept, card_request, by=SYSTEM_ACTOR)
    assert accepted.status == RequestStatus.OPEN
    runs: list[StageRun] = accepted.runs
    assert not any(run.is_paused for run in runs)


async def test_new_date_is_the_due_time_of_the_next_stage(organisation, card_request):
    due = datetime.now(UTC) + timedelta(days=9)
    moved = await organisation.run(
        advance, card_request, note="They are busy.", expected_by=due, by=SYSTEM_ACTOR
    )
    [run] = moved.open_runs
    assert run.due_at == due
    assert run.overdue_at == due + timedelta(hours=4)
    assert run.note == "They are busy."
    await organisation.run(accept, card_request, by=SYSTEM_ACTOR)
    with pytest.raises(BadInput, match="passed already"):
        await organisation.run(
            advance, card_request, expected_by=datetime(2001, 1, 1, tzinfo=UTC), by=SYSTEM_ACTOR
        )
