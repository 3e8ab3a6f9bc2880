"""A delay is announced before the old date passes."""

from datetime import UTC, datetime, time, timedelta

import pytest

from portal.models import SYSTEM_ACTOR, EventKind, MessageKind, PromiseKind, ServiceRequest
from portal.operations import accept, advance, announce_delay, hold, resume
from portal.settings.types import QuietHours
from tests.stories.updates import START, UPDATED, sweep, words_of
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


async def delays(organisation: Organisation, request: ServiceRequest) -> list[str]:
    return await words_of(organisation, request, MessageKind.DELAY)


async def test_delay_is_announced_before_the_old_date_with_new_date_and_reason(
    clock, organisation, card_request
):
    """Intake is due in four hours with two of grace: told a little before, once, not sooner."""
    before = card_request.open_runs[0]
    clock.move_to(before.due_at - timedelta(minutes=16))
    await sweep(organisation)
    assert await delays(organisation, card_request) == []
    clock.move_to(before.due_at - timedelta(minutes=12))
    await sweep(organisation)
    await sweep(organisation)
    (told,) = await delays(organisation, card_request)
    assert told.startswith("Acme Bank: Sorry, Telesales needs longer: now by Tue 3 Jun, 4 pm. http")
    (run,) = (await organisation.reload(card_request)).open_runs
    assert run.due_at == before.overdue_at
    assert run.overdue_at == before.overdue_at, (
        "by its own clock the department is as late as before"
    )
    assert run.delay_reason == "Telesales needs more time."
    (event,) = [e for e in await organisation.events(card_request) if e.kind == EventKind.DELAYED]
    assert event.visible


async def test_second_delay_needs_a_date_from_staff(clock, organisation, card_request):
    for _ in range(2):
        clock.move_to(
            (await organisation.reload(card_request)).open_runs[0].due_at - timedelta(minutes=1)
        )
        await sweep(organisation)
    first, second = await delays(organisation, card_request)
    assert "Tess will write to you by" in second
    now = await organisation.reload(card_request)
    (promise,) = [promise for promise in now.promises if promise.kind == PromiseKind.ANSWER]
    assert promise.owner_id == organisation.people.tess.id
    assert promise.due_at == datetime.now(UTC) + timedelta(hours=2)
    clock.shift(timedelta(days=10))
    await sweep(organisation)
    assert await delays(organisation, card_request) == [first, second]


async def test_date_set_by_staff_is_announced_with_its_reason_and_restarts_the_updates(
    clock, organisation, card_request
):
    """Then the department is late by that date, the word is given, and Kept may tell again."""
    for _ in range(2):
        clock.move_to(
            (await organisation.reload(card_request)).open_runs[0].due_at - timedelta(minutes=1)
        )
        await sweep(organisation)
    at = datetime.now(UTC) + timedelta(days=2)
    given = await organisation.run(
        announce_delay,
        card_request,
        expected_by=at,
        reason="A payslip misses",
        by=organisation.people.tess.actor,
    )
    told = (await delays(organisation, card_request))[-1]
    assert "Sorry: now Thu 5 Jun, not Tue 3 Jun. A payslip misses. http" in told
    (run,) = given.open_runs
    assert (run.due_at, run.overdue_at) == (at, at + timedelta(hours=2))
    assert run.delays_announced == 0
    assert all(promise.closed_at for promise in given.promises)
    clock.move_to(at - timedelta(minutes=1))
    await sweep(organisation)
    assert len(await delays(organisation, card_request)) == 4


async def test_milestone_fulfils_the_promise_of_a_new_date(clock, organisation, card_request):
    """What was promised because no date had held is kept by the news that it goes on."""
    for _ in range(2):
        clock.move_to(
            (await organisation.reload(card_request)).open_runs[0].due_at - timedelta(minutes=1)
        )
        await sweep(organisation)
    passed = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert [promise.closed_at for promise in passed.promises] == [None], (
        "nobody was told anything yet"
    )
    taken = await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    assert [promise.kept_at for promise in taken.promises] == [datetime.now(UTC)]


async def test_earlier_date_is_announced_as_good_news(clock, organisation, card_request):
    at = START + timedelta(hours=1)
    await organisation.run(
        announce_delay, card_request, expected_by=at, reason="Quick.", by=SYSTEM_ACTOR
    )
    (told,) = await delays(organisation, card_request)
    assert "Good news, Martin: sooner than we said, now by Tue 3 Jun, 11 am." in told


async def test_delay_of_a_waiting_handoff_gives_no_date_of_nobodys(
    clock, organisation, card_request
):
    """A person promises the date: no department has accepted the work."""
    passed = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    clock.move_to(passed.open_runs[0].due_at - timedelta(minutes=1))
    await sweep(organisation)
    (told,) = await delays(organisation, card_request)
    assert "Sorry, we are late again. Uma will write to you by Wed 4 Jun, 1:59 pm." in told


async def test_delay_reason_comes_from_the_workflow_file(clock, organisation):
    await organisation.load(UPDATED)
    visa = await organisation.open("update", by=organisation.people.tess.actor)
    visa = await organisation.run(advance, visa, by=SYSTEM_ACTOR)
    visa = await organisation.run(accept, visa, by=SYSTEM_ACTOR)
    clock.move_to(visa.open_runs[0].due_at - timedelta(minutes=1))
    await sweep(organisation)
    assert "The printer is busy in June." in (await delays(organisation, visa))[-1]


async def test_parallel_delays_are_one_update(clock, organisation):
    """Each gets its new date, and the customer one text."""
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    permit = await organisation.run(advance, permit, by=organisation.people.cora.actor)
    assert len(permit.open_runs) == 3
    for run in permit.open_runs:
        if permit.pending_handoff(run):
            await organisation.run(accept, permit, stage=run.stage_key, by=SYSTEM_ACTOR)
    clock.move_to(permit.open_runs[0].due_at - timedelta(minutes=1))
    await sweep(organisation)
    assert len(await delays(organisation, permit)) == 1
    assert all(run.delays_announced == 1 for run in (await organisation.reload(permit)).open_runs)
    clock.shift(timedelta(seconds=5))
    await sweep(organisation)
    assert len(await delays(organisation, permit)) == 1


async def test_one_update_with_future_date_after_outage(clock, organisation):
    """Away for a week, with a delay and three updates due: one delay, for a day to come."""
    await organisation.load(UPDATED.replace('expected = "20d"', 'expected = "5d"', 1))
    visa = await organisation.open("update", by=organisation.people.tess.actor)
    clock.shift(timedelta(days=8))
    for _ in range(3):
        await sweep(organisation)
        clock.shift(timedelta(seconds=2))
    told = [
        message
        for message in await organisation.outbound_messages(visa)
        if message.created_at > START
    ]
    assert [message.kind for message in told] == [MessageKind.DELAY]
    assert (await organisation.reload(visa)).open_runs[0].due_at > datetime.now(UTC) + timedelta(
        days=1
    )


async def test_night_deadline_is_announced_the_evening_before(clock, organisation, settings):
    """Opened at 17:50 for 21:50, when the customer sleeps: told by 21:00, and the date is by day."""
    quiet = QuietHours(time(21), time(8))
    organisation.operations.settings = settings.model_copy(update={"quiet_hours": quiet})
    clock.shift(timedelta(hours=7, minutes=50))
    request = await organisation.open(by=organisation.people.tess.actor)
    clock.shift(timedelta(hours=2, minutes=50))
    await sweep(organisation)
    assert await delays(organisation, request) == []
    clock.move_to(datetime(2025, 6, 4, 0, 50, tzinfo=UTC))  # 20:50
    await sweep(organisation)
    told = [
        message
        for message in await organisation.outbound_messages(request)
        if message.kind == MessageKind.DELAY
    ]
    assert [message.due_at for message in told] == [datetime.now(UTC)]
    assert "now Wed 4 Jun" in told[0].body
    (run,) = (await organisation.reload(request)).open_runs
    assert run.due_at == datetime(2025, 6, 4, 13, tzinfo=UTC)  # 09:00


async def test_stage_on_hold_gets_no_delay_update(clock, organisation, card_request):
    await organisation.run(hold, card_request, reason="Wait.", by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=5))
    await sweep(organisation)
    assert await delays(organisation, card_request) == []
    resumed = await organisation.run(resume, card_request, by=SYSTEM_ACTOR)
    assert resumed.next_update_at > datetime.now(UTC)
