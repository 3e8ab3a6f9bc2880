"""The customer hears first: of a delay before the old date, and that we are still on it."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlmodel import col, select

from portal.models import (
    KEPT,
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
    hold,
    resume,
    tell_delay,
    write_to_customer,
)
from portal.settings.types import QuietHours
from tests.support.factories import House
from tests.support.fake_gateways import Phone, deliver
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


async def sweep(house: House) -> None:
    """One round of the worker's sweep, as it is now."""
    await Sweep(house.relay, lambda: None, "a worker").once()


async def words_of(house: House, request: ServiceRequest, *kinds: MessageKind) -> list[str]:
    """What the customer was told of these kinds, oldest first."""
    return [one.body for one in await house.told(request) if one.kind in kinds]


async def delays(house: House, request: ServiceRequest) -> list[str]:
    return await words_of(house, request, MessageKind.DELAY)


async def updates(house: House, request: ServiceRequest) -> list[str]:
    return await words_of(house, request, MessageKind.UPDATE)


async def test_a_delay_is_told_before_the_old_date_passes_with_a_new_date_and_a_reason(
    clock, house, martins
):
    """Intake is due in four hours with two of grace: told a little before, once, not sooner."""
    before = martins.open_runs[0]
    clock.move_to(before.due_at - timedelta(minutes=16))
    await sweep(house)
    assert await delays(house, martins) == []
    clock.move_to(before.due_at - timedelta(minutes=12))
    await sweep(house)
    await sweep(house)
    (told,) = await delays(house, martins)
    assert told.startswith("Acme Bank: Sorry, Martin, Telesales needs longer: now by 4 pm. http")
    (run,) = (await house.see(martins)).open_runs
    assert run.due_at == before.late_at
    assert run.late_at == before.late_at, "by its own clock the department is as late as before"
    assert run.delay_reason == "Telesales needs more time."
    (event,) = [e for e in await house.events(martins) if e.kind == EventKind.DELAYED]
    assert event.visible


async def test_the_second_time_a_person_gives_their_word_and_nobody_guesses_again(
    clock, house, martins
):
    for _ in range(2):
        clock.move_to((await house.see(martins)).open_runs[0].due_at - timedelta(minutes=1))
        await sweep(house)
    first, second = await delays(house, martins)
    assert "Tess will write to you by" in second
    now = await house.see(martins)
    (promise,) = [one for one in now.promises if one.kind == PromiseKind.ANSWER]
    assert promise.owner_id == house.people.tess.id
    assert promise.due_at == datetime.now(UTC) + timedelta(hours=2)
    clock.shift(timedelta(days=10))
    await sweep(house)
    assert await delays(house, martins) == [first, second]


async def test_a_date_from_a_person_is_told_with_their_reason_and_begins_anew(
    clock, house, martins
):
    """Then the department is late by that date, the word is given, and Kept may tell again."""
    for _ in range(2):
        clock.move_to((await house.see(martins)).open_runs[0].due_at - timedelta(minutes=1))
        await sweep(house)
    at = datetime.now(UTC) + timedelta(days=2)
    given = await house.do(
        tell_delay, martins, expected_by=at, reason="A payslip misses", by=house.people.tess.actor
    )
    told = (await delays(house, martins))[-1]
    assert "Sorry, it takes longer: now by Thu 5 Jun. A payslip misses. http" in told
    (run,) = given.open_runs
    assert (run.due_at, run.late_at) == (at, at + timedelta(hours=2))
    assert run.delays_told == 0
    assert all(one.closed_at for one in given.promises)
    clock.move_to(at - timedelta(minutes=1))
    await sweep(house)
    assert len(await delays(house, martins)) == 4


async def test_the_next_milestone_is_better_than_the_date_that_was_promised(clock, house, martins):
    """What was promised because no date had held is kept by the news that it goes on."""
    for _ in range(2):
        clock.move_to((await house.see(martins)).open_runs[0].due_at - timedelta(minutes=1))
        await sweep(house)
    passed = await house.do(advance, martins, by=house.people.tess.actor)
    assert [one.closed_at for one in passed.promises] == [None], "nobody was told anything yet"
    taken = await house.do(accept, martins, by=house.people.uma.actor)
    assert [one.kept_at for one in taken.promises] == [datetime.now(UTC)]


async def test_a_date_that_is_sooner_is_good_news(clock, house, martins):
    at = START + timedelta(hours=1)
    await house.do(tell_delay, martins, expected_by=at, reason="Quick.", by=KEPT)
    (told,) = await delays(house, martins)
    assert "Good news, Martin: sooner than we said, now by 11 am." in told


async def test_a_delay_of_what_waits_to_be_taken_up_says_so(clock, house, martins):
    passed = await house.do(advance, martins, by=house.people.tess.actor)
    clock.move_to(passed.open_runs[0].due_at - timedelta(minutes=1))
    await sweep(house)
    (told,) = await delays(house, martins)
    assert "Sorry, it is waiting for Underwriting to take it up. Now by" in told


async def test_the_words_of_the_workflow_are_the_reason(clock, house):
    await house.load(UPDATED)
    visa = await house.open("update", by=house.people.tess.actor)
    visa = await house.do(advance, visa, by=KEPT)
    visa = await house.do(accept, visa, by=KEPT)
    clock.move_to(visa.open_runs[0].due_at - timedelta(minutes=1))
    await sweep(house)
    assert "The printer is busy in June." in (await delays(house, visa))[-1]


async def test_three_that_are_late_side_by_side_are_one_piece_of_news(clock, house):
    """Each gets its new date, and the customer one text."""
    permit = await house.open("permit", by=house.people.cora.actor)
    permit = await house.do(advance, permit, by=house.people.cora.actor)
    assert len(permit.open_runs) == 3
    clock.move_to(permit.open_runs[0].due_at - timedelta(minutes=1))
    await sweep(house)
    assert len(await delays(house, permit)) == 1
    assert all(run.delays_told == 1 for run in (await house.see(permit)).open_runs)
    clock.shift(timedelta(seconds=5))
    await sweep(house)
    assert len(await delays(house, permit)) == 1


async def test_after_an_outage_one_thing_is_told_and_its_date_lies_ahead(clock, house):
    """Away for a week, with a delay and three updates due: one delay, for a day to come."""
    await house.load(UPDATED.replace('expected = "20d"', 'expected = "5d"', 1))
    visa = await house.open("update", by=house.people.tess.actor)
    clock.shift(timedelta(days=8))
    for _ in range(3):
        await sweep(house)
        clock.shift(timedelta(seconds=2))
    told = [one for one in await house.told(visa) if one.created_at > START]
    assert [one.kind for one in told] == [MessageKind.DELAY]
    assert (await house.see(visa)).open_runs[0].due_at > datetime.now(UTC) + timedelta(days=1)


async def test_a_date_at_night_is_told_in_the_evening_before(clock, house, settings):
    """Opened at 17:50 for 21:50, when the customer sleeps: told by 21:00, and the date is by day."""
    quiet = QuietHours(time(21), time(8))
    house.relay.settings = settings.model_copy(update={"quiet_hours": quiet})
    clock.shift(timedelta(hours=7, minutes=50))
    request = await house.open(by=house.people.tess.actor)
    clock.shift(timedelta(hours=2, minutes=50))
    await sweep(house)
    assert await delays(house, request) == []
    clock.move_to(datetime(2025, 6, 4, 0, 50, tzinfo=UTC))  # 20:50
    await sweep(house)
    told = [one for one in await house.told(request) if one.kind == MessageKind.DELAY]
    assert [one.due_at for one in told] == [datetime.now(UTC)]
    assert "now by tomorrow" in told[0].body
    (run,) = (await house.see(request)).open_runs
    assert run.due_at == datetime(2025, 6, 4, 13, tzinfo=UTC)  # 09:00


async def test_a_stage_on_hold_has_no_date_to_miss(clock, house, martins):
    await house.do(hold, martins, reason="Wait.", by=KEPT)
    clock.shift(timedelta(days=5))
    await sweep(house)
    assert await delays(house, martins) == []
    resumed = await house.do(resume, martins, by=KEPT)
    assert resumed.tell_at > datetime.now(UTC)


async def test_never_silent_longer_than_was_promised_and_what_is_said_is_true(clock, house):
    """Two days after the last word, and two days after that; anything that is said counts."""
    await house.load(UPDATED)
    visa = await house.open("update", by=house.people.tess.actor)
    clock.shift(timedelta(days=1, hours=23))
    await house.do(write_to_customer, visa, "We have your photo.", by=house.people.tess.actor)
    clock.shift(timedelta(days=1, hours=23))
    await sweep(house)
    assert await updates(house, visa) == []
    clock.shift(timedelta(hours=2))
    for _ in range(3):
        await sweep(house)
        clock.shift(timedelta(hours=20))
    (told,) = await updates(house, visa)
    assert "Telesales is still on it, since Tue, 10 am. Next by Mon 23 Jun. http" in told
    page = (await house.see(visa)).page_version
    clock.shift(timedelta(days=1))
    await sweep(house)
    assert len(await updates(house, visa)) == 2
    assert (await house.see(visa)).page_version == page, "the page says nothing new"


async def test_an_update_says_what_holds_it_up(clock, house):
    await house.load(UPDATED)
    visa = await house.open("update", by=house.people.tess.actor)
    await house.do(hold, visa, reason="A paper misses", until=START + timedelta(days=9), by=KEPT)
    clock.shift(timedelta(days=2, hours=1))
    await sweep(house)
    assert (
        "Martin, on hold until Thu 12 Jun. A paper misses. http" in (await updates(house, visa))[-1]
    )
    await house.do(resume, visa, by=KEPT)
    await house.do(advance, visa, note="Your papers are complete", by=KEPT)
    clock.move_to(datetime(2025, 6, 9, 16, tzinfo=UTC))  # two working days later
    await sweep(house)
    assert "it still waits for Visa Office to take it up" in (await updates(house, visa))[-1]
    await house.do(accept, visa, by=KEPT)
    clock.shift(timedelta(days=2))
    await sweep(house)
    assert (
        "Visa Office is on it. Your papers are complete. Next by"
        in (await updates(house, visa))[-1]
    )


async def test_while_a_question_reminds_of_itself_nothing_else_is_said(clock, house):
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
    await house.load(text)
    asked = await house.open("ask", by=KEPT)
    await sweep(house)
    clock.shift(timedelta(days=3))
    await sweep(house)
    assert await updates(house, asked) == []


async def test_who_wants_no_messages_gets_none_and_nothing_spins(clock, house):
    """What could not be told is written down with its reason, once a time."""
    await house.load(UPDATED)
    nobody = await house.open("update", CustomerDetails("Nora"), by=house.people.tess.actor)
    clock.shift(timedelta(days=2, hours=1))
    for _ in range(3):
        await sweep(house)
    async with house.database.reading() as session:
        query = select(Message).where(
            col(Message.request_id) == nobody.id, col(Message.kind) == MessageKind.UPDATE
        )
        (message,) = (await session.exec(query)).all()
    assert message.channel == Channel.WEB
    assert (await house.see(nobody)).tell_at > datetime.now(UTC)


async def test_past_the_last_date_the_page_offers_to_ask_and_a_person_answers(
    clock, house, martins, client
):
    """Not before; asked, it has an owner and a promise, the page says so and offers it no more."""
    (run,) = martins.open_runs
    url = f"/r/{martins.live_link.token}"
    clock.move_to(run.outer_at - timedelta(seconds=1))
    await sweep(house)
    page = (await client.get(url)).text
    assert "Now we expect it by" in page
    assert "Telesales needs more time." in page
    assert "Ask now" not in page
    clock.move_to(run.outer_at)
    page = (await client.get(url)).text
    words = re.search(r'id="ask-now".*?name="body" value="([^"]+)"', page, re.DOTALL)[1]
    answer = await client.post(f"{url}/messages", data={"body": words})
    assert answer.status_code == 303
    page = (await client.get(url)).text
    assert "Ask now" not in page
    assert "Tess will answer you by" in page
    asked = await house.see(martins)
    assert asked.unanswered_since == datetime.now(UTC)
    (promise,) = [one for one in asked.promises if one.closed_at is None]
    assert promise.owner_id == house.people.tess.id


async def test_where_is_it_gets_a_person_once_no_date_of_ours_holds(clock, texts, house, martins):
    """Before that the answer is where it stands."""
    await texts("Where is it?")
    assert (await house.see(martins)).promises == []
    clock.move_to(martins.open_runs[0].outer_at)
    answer = await texts("Where is it?")
    assert "has your message and will answer by" in answer.body
    assert len((await house.see(martins)).promises) == 1


async def test_what_waited_through_the_night_and_is_done_since_is_not_told(clock, house, settings):
    """A delay is no news about a stage that is done in the morning."""
    told = settings.model_copy(update={"quiet_hours": QuietHours(time(21), time(8))})
    house.relay.settings = told
    clock.move_to(datetime(2025, 6, 4, 1, 30, tzinfo=UTC))  # 21:30
    late = await house.open(by=house.people.tess.actor)
    clock.shift(timedelta(hours=3, minutes=50))
    await sweep(house)
    (message,) = [one for one in await house.told(late) if one.kind == MessageKind.DELAY]
    assert message.due_at == datetime(2025, 6, 4, 12, tzinfo=UTC)
    await house.do(advance, late, by=KEPT)
    clock.move_to(message.due_at)
    shows = await deliver(house.relay, Phone())
    assert not [text for text in shows if "longer" in text]
