"""The customer hears first: of a delay before the old date, and that we are still on it."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlmodel import col, select

from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    EventKind,
    Message,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import (
    CustomerDetails,
    accept,
    advance,
    announce_delay,
    hold,
    make_promise,
    resume,
    write_to_customer,
)
from portal.settings.types import QuietHours
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, delivered_bodies
from workers.sweep import Sweep

pytestmark = pytest.mark.either_database

START = datetime(2025, 6, 3, 14, tzinfo=UTC)  # Tuesday, 10:00 in New York: the clock's fixture

UPDATED = """
key = "update"
name = "Visa"
timezone = "America/New_York"
[departments.office]
name = "Visa Office"
hours = "Mon-Fri 09:00-17:00"
accept_within = "4bh"
[[stages]]
key = "work"
department = "telesales"
title = "We look at your papers"
expected = "20d"
update_every = "2d"
[[stages]]
key = "stamp"
department = "office"
title = "Your visa is being stamped"
expected = "20d"
update_every = "2bd"
delay = "The printer is busy in June."
"""


async def sweep(organisation: Organisation) -> None:
    """One round of the worker's sweep, as it is now."""
    await Sweep(organisation.operations, lambda: None, "a worker").once()


async def words_of(
    organisation: Organisation, request: ServiceRequest, *kinds: MessageKind
) -> list[str]:
    """What the customer was told of these kinds, oldest first."""
    return [one.body for one in await organisation.outbound_messages(request) if one.kind in kinds]


async def delays(organisation: Organisation, request: ServiceRequest) -> list[str]:
    return await words_of(organisation, request, MessageKind.DELAY)


async def updates(organisation: Organisation, request: ServiceRequest) -> list[str]:
    return await words_of(organisation, request, MessageKind.UPDATE)


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
    assert told.startswith("Acme Bank: Sorry, Martin, Telesales needs longer: now by 4 pm. http")
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
    (promise,) = [one for one in now.promises if one.kind == PromiseKind.ANSWER]
    assert promise.owner_id == organisation.people.tess.id
    assert promise.due_at == datetime.now(UTC) + timedelta(hours=2)
    clock.shift(timedelta(days=10))
    await sweep(organisation)
    assert await delays(organisation, card_request) == [first, second]


async def test_a_date_from_a_person_is_told_with_their_reason_and_begins_anew(
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
    assert "Sorry, it takes longer: now by Thu 5 Jun. A payslip misses. http" in told
    (run,) = given.open_runs
    assert (run.due_at, run.overdue_at) == (at, at + timedelta(hours=2))
    assert run.delays_announced == 0
    assert all(one.closed_at for one in given.promises)
    clock.move_to(at - timedelta(minutes=1))
    await sweep(organisation)
    assert len(await delays(organisation, card_request)) == 4


async def test_the_next_milestone_is_better_than_the_date_that_was_promised(
    clock, organisation, card_request
):
    """What was promised because no date had held is kept by the news that it goes on."""
    for _ in range(2):
        clock.move_to(
            (await organisation.reload(card_request)).open_runs[0].due_at - timedelta(minutes=1)
        )
        await sweep(organisation)
    passed = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert [one.closed_at for one in passed.promises] == [None], "nobody was told anything yet"
    taken = await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    assert [one.kept_at for one in taken.promises] == [datetime.now(UTC)]


async def test_a_date_that_is_sooner_is_good_news(clock, organisation, card_request):
    at = START + timedelta(hours=1)
    await organisation.run(
        announce_delay, card_request, expected_by=at, reason="Quick.", by=SYSTEM_ACTOR
    )
    (told,) = await delays(organisation, card_request)
    assert "Good news, Martin: sooner than we said, now by 11 am." in told


async def test_a_delay_of_what_waits_to_be_taken_up_says_so(clock, organisation, card_request):
    passed = await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    clock.move_to(passed.open_runs[0].due_at - timedelta(minutes=1))
    await sweep(organisation)
    (told,) = await delays(organisation, card_request)
    assert "Sorry, it is waiting for Underwriting to take it up. Now by" in told


async def test_the_words_of_the_workflow_are_the_reason(clock, organisation):
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
    told = [one for one in await organisation.outbound_messages(visa) if one.created_at > START]
    assert [one.kind for one in told] == [MessageKind.DELAY]
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
        one
        for one in await organisation.outbound_messages(request)
        if one.kind == MessageKind.DELAY
    ]
    assert [one.due_at for one in told] == [datetime.now(UTC)]
    assert "now by tomorrow" in told[0].body
    (run,) = (await organisation.reload(request)).open_runs
    assert run.due_at == datetime(2025, 6, 4, 13, tzinfo=UTC)  # 09:00


async def test_a_stage_on_hold_has_no_date_to_miss(clock, organisation, card_request):
    await organisation.run(hold, card_request, reason="Wait.", by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=5))
    await sweep(organisation)
    assert await delays(organisation, card_request) == []
    resumed = await organisation.run(resume, card_request, by=SYSTEM_ACTOR)
    assert resumed.next_update_at > datetime.now(UTC)


async def test_update_interval_is_never_exceeded(clock, organisation):
    """Two days after the last word, and two days after that; anything that is said counts."""
    await organisation.load(UPDATED)
    visa = await organisation.open("update", by=organisation.people.tess.actor)
    clock.shift(timedelta(days=1, hours=23))
    await organisation.run(
        write_to_customer, visa, "We have your photo.", by=organisation.people.tess.actor
    )
    clock.shift(timedelta(days=1, hours=23))
    await sweep(organisation)
    assert await updates(organisation, visa) == []
    clock.shift(timedelta(hours=2))
    for _ in range(3):
        await sweep(organisation)
        clock.shift(timedelta(hours=20))
    (told,) = await updates(organisation, visa)
    assert "Telesales is still on it, since Tue, 10 am. Next by Mon 23 Jun. http" in told
    page = (await organisation.reload(visa)).page_version
    clock.shift(timedelta(days=1))
    await sweep(organisation)
    assert len(await updates(organisation, visa)) == 2
    assert (await organisation.reload(visa)).page_version == page, "the page says nothing new"


async def test_an_update_says_what_holds_it_up(clock, organisation):
    await organisation.load(UPDATED)
    visa = await organisation.open("update", by=organisation.people.tess.actor)
    await organisation.run(
        hold, visa, reason="A paper misses", until=START + timedelta(days=9), by=SYSTEM_ACTOR
    )
    clock.shift(timedelta(days=2, hours=1))
    await sweep(organisation)
    assert (
        "Martin, on hold until Thu 12 Jun. A paper misses. http"
        in (await updates(organisation, visa))[-1]
    )
    await organisation.run(resume, visa, by=SYSTEM_ACTOR)
    await organisation.run(advance, visa, note="Your papers are complete", by=SYSTEM_ACTOR)
    clock.move_to(datetime(2025, 6, 9, 16, tzinfo=UTC))  # two working days later
    await sweep(organisation)
    assert "it still waits for Visa Office to take it up" in (await updates(organisation, visa))[-1]
    await organisation.run(accept, visa, by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=2))
    await sweep(organisation)
    assert (
        "Visa Office is on it. Your papers are complete. Next by"
        in (await updates(organisation, visa))[-1]
    )


async def test_pending_reminder_suppresses_updates(clock, organisation):
    text = """
key = "ask"
name = "Ask"
[[stages]]
key = "quote"
department = "telesales"
title = "Your quote is ready"
expected = "1d"
update_every = "1d"
question = "Shall we go ahead? Reply YES or NO."
remind_after = "5d"
"""
    await organisation.load(text)
    asked = await organisation.open("ask", by=SYSTEM_ACTOR)
    await sweep(organisation)
    clock.shift(timedelta(days=3))
    await sweep(organisation)
    assert await updates(organisation, asked) == []


async def test_opted_out_customer_gets_no_updates_and_no_loop(clock, organisation):
    """What could not be told is written down with its reason, once a time."""
    await organisation.load(UPDATED)
    nobody = await organisation.open(
        "update", CustomerDetails("Nora"), by=organisation.people.tess.actor
    )
    clock.shift(timedelta(days=2, hours=1))
    for _ in range(3):
        await sweep(organisation)
    async with organisation.database.reading() as session:
        query = select(Message).where(
            col(Message.request_id) == nobody.id, col(Message.kind) == MessageKind.UPDATE
        )
        (message,) = (await session.exec(query)).all()
    assert message.channel == Channel.WEB
    assert (await organisation.reload(nobody)).next_update_at > datetime.now(UTC)


async def test_expired_promise_offers_to_ask_staff(clock, organisation, card_request, client):
    """Not before; asked, it has an owner and a promise, the page says so and offers it no more."""
    (run,) = card_request.open_runs
    url = f"/r/{card_request.live_link.token}"
    clock.move_to(run.last_promised_at - timedelta(seconds=1))
    await sweep(organisation)
    page = (await client.get(url)).text
    assert "Now we expect it by" in page
    assert "Telesales needs more time." in page
    assert "Ask now" not in page
    clock.move_to(run.last_promised_at)
    page = (await client.get(url)).text
    words = re.search(r'id="ask-now".*?name="body" value="([^"]+)"', page, re.DOTALL)[1]
    answer = await client.post(f"{url}/messages", data={"body": words})
    assert answer.status_code == 303
    page = (await client.get(url)).text
    assert "Ask now" not in page
    assert "Tess will answer you by" in page
    asked = await organisation.reload(card_request)
    assert asked.unanswered_since == datetime.now(UTC)
    (promise,) = [one for one in asked.promises if one.closed_at is None]
    assert promise.owner_id == organisation.people.tess.id


async def test_status_question_without_valid_date_goes_to_staff(
    clock, texts, organisation, card_request
):
    """Before that the answer is where it stands."""
    await texts("Where is it?")
    assert (await organisation.reload(card_request)).promises == []
    clock.move_to(card_request.open_runs[0].last_promised_at)
    answer = await texts("Where is it?")
    assert "has your message and will answer by" in answer.body
    assert len((await organisation.reload(card_request)).promises) == 1


async def test_obsolete_update_after_quiet_hours_is_dropped(clock, organisation, settings):
    """A delay is no news about a stage that is done in the morning."""
    told = settings.model_copy(update={"quiet_hours": QuietHours(time(21), time(8))})
    organisation.operations.settings = told
    clock.move_to(datetime(2025, 6, 4, 1, 30, tzinfo=UTC))  # 21:30
    late = await organisation.open(by=organisation.people.tess.actor)
    clock.shift(timedelta(hours=3, minutes=50))
    await sweep(organisation)
    (message,) = [
        one for one in await organisation.outbound_messages(late) if one.kind == MessageKind.DELAY
    ]
    assert message.due_at == datetime(2025, 6, 4, 12, tzinfo=UTC)
    await organisation.run(advance, late, by=SYSTEM_ACTOR)
    clock.move_to(message.due_at)
    sent_bodies = await delivered_bodies(organisation.operations, FakeSmsGateway())
    assert not [text for text in sent_bodies if "longer" in text]


async def test_promise_of_a_new_date_is_kept_whatever_its_text_says(
    clock, organisation, card_request
):
    for _ in range(2):
        clock.move_to(
            (await organisation.reload(card_request)).open_runs[0].due_at - timedelta(minutes=1)
        )
        await sweep(organisation)
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        held = await uow.lock(card_request.reference)
        held.promises[0].text = "You get another date from Telesales."
    at = datetime.now(UTC) + timedelta(days=2)
    given = await organisation.run(
        announce_delay, card_request, expected_by=at, reason="A payslip misses.", by=SYSTEM_ACTOR
    )
    assert given.promises[0].kept_at == datetime.now(UTC)


async def test_promise_of_a_person_stays_open_though_its_text_reads_like_ours(
    clock, organisation, card_request
):
    promised = await organisation.run(
        make_promise, card_request, text="Telesales will tell you a new date.",
        kind=PromiseKind.ANSWER, due_at=START + timedelta(days=1),
        by=organisation.people.tess.actor,
    )  # fmt: skip
    at = promised.open_runs[0].due_at + timedelta(days=2)
    given = await organisation.run(
        announce_delay, card_request, expected_by=at, reason="A payslip misses.", by=SYSTEM_ACTOR
    )
    assert [one.is_open for one in given.promises] == [True]
