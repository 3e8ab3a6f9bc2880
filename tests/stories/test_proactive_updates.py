"""Proactive updates while no announced date is valid: how often, with what content, and when not."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlmodel import col, select

from portal.models import SYSTEM_ACTOR, Channel, Message, MessageKind, PromiseKind, ServiceRequest
from portal.operations import (
    CustomerDetails,
    accept,
    advance,
    announce_delay,
    hold,
    make_promise,
    refuse,
    resume,
    write_to_customer,
)
from portal.settings.types import QuietHours
from tests.stories.updates import START, UPDATED, sweep, words_of
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, delivered_bodies

pytestmark = pytest.mark.either_database


async def updates(organisation: Organisation, request: ServiceRequest) -> list[str]:
    return await words_of(organisation, request, MessageKind.UPDATE)


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
    assert "Telesales is still on it. Next step by Mon 23 Jun. http" in told
    page = (await organisation.reload(visa)).page_version
    clock.shift(timedelta(days=1))
    await sweep(organisation)
    assert len(await updates(organisation, visa)) == 2
    assert (await organisation.reload(visa)).page_version == page, "the page says nothing new"


async def test_update_names_the_cause_of_the_delay(clock, organisation):
    await organisation.load(UPDATED)
    visa = await organisation.open("update", by=organisation.people.tess.actor)
    await organisation.run(
        hold, visa, reason="A paper misses", until=START + timedelta(days=9), by=SYSTEM_ACTOR
    )
    clock.shift(timedelta(days=2, hours=1))
    await sweep(organisation)
    assert (
        "On hold until Thu 12 Jun. A paper misses. http" in (await updates(organisation, visa))[-1]
    )
    await organisation.run(resume, visa, by=SYSTEM_ACTOR)
    await organisation.run(advance, visa, note="Your papers are complete", by=SYSTEM_ACTOR)
    clock.move_to(datetime(2025, 6, 9, 16, tzinfo=UTC))  # two working days later
    await sweep(organisation)
    assert (
        "Visa Office has not started yet. Tess is on it." in (await updates(organisation, visa))[-1]
    )
    await organisation.run(accept, visa, by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=2))
    await sweep(organisation)
    assert (
        "Visa Office is on it. Your papers are complete. Next by"
        in (await updates(organisation, visa))[-1]
    )


async def test_done_stage_is_told_within_a_day_although_nobody_accepts_the_next(
    clock, organisation
):
    """The date of the done stage is far: the customer need not wait for it."""
    await organisation.load(UPDATED.replace('accept_within = "4bh"', 'accept_within = "3bd"'))
    visa = await organisation.open("update", by=organisation.people.tess.actor)
    clock.shift(timedelta(hours=5))
    await organisation.run(advance, visa, by=SYSTEM_ACTOR)
    clock.shift(timedelta(hours=23))
    await sweep(organisation)
    assert await updates(organisation, visa) == []
    clock.shift(timedelta(hours=2))
    await sweep(organisation)
    [told] = await updates(organisation, visa)
    assert "Passed to Visa Office. They start by Fri 6 Jun" in told


async def test_date_that_the_customer_knows_stands_after_a_refused_handoff(clock, organisation):
    """The stage runs again without a message: before that date passes they get the new one."""
    card = await organisation.open(by=organisation.people.tess.actor)
    known = card.open_runs[0].due_at
    clock.shift(timedelta(minutes=20))
    await organisation.run(advance, card, by=organisation.people.tess.actor)
    await organisation.run(refuse, card, reason="No signature", by=organisation.people.uma.actor)
    [run] = (await organisation.reload(card)).open_runs
    assert (run.due_at, run.stage_key) == (known, "received")
    clock.move_to(known - timedelta(minutes=1))
    await sweep(organisation)
    [told] = await words_of(organisation, card, MessageKind.DELAY)
    assert "Sorry" in told


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
    assert "Ask what is happening" not in page
    clock.move_to(run.last_promised_at)
    page = (await client.get(url)).text
    words = re.search(r'id="ask-now".*?name="body" value="([^"]+)"', page, re.DOTALL)[1]
    answer = await client.post(f"{url}/messages", data={"body": words})
    assert answer.status_code == 303
    page = (await client.get(url)).text
    assert "Ask what is happening" not in page
    assert "Tess will answer you by" in page
    asked = await organisation.reload(card_request)
    assert asked.unanswered_since == datetime.now(UTC)
    (promise,) = [promise for promise in asked.promises if promise.closed_at is None]
    assert promise.owner_id == organisation.people.tess.id


async def test_status_question_without_valid_date_goes_to_staff(
    clock, texts, organisation, card_request
):
    """Before that the answer is where it stands."""
    await texts("Where is it?")
    assert (await organisation.reload(card_request)).promises == []
    clock.move_to(card_request.open_runs[0].last_promised_at)
    answer = await texts("Where is it?")
    assert "Tess at Telesales will answer you by" in answer.body
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
        message
        for message in await organisation.outbound_messages(late)
        if message.kind == MessageKind.DELAY
    ]
    assert message.due_at == datetime(2025, 6, 4, 12, tzinfo=UTC)
    await organisation.run(advance, late, by=SYSTEM_ACTOR)
    clock.move_to(message.due_at)
    sent_bodies = await delivered_bodies(organisation.operations, FakeSmsGateway())
    assert not [text for text in sent_bodies if "longer" in text]


async def test_promise_of_a_new_date_is_fulfilled_whatever_its_text(
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


async def test_staff_promise_with_the_same_text_stays_open(clock, organisation, card_request):
    promised = await organisation.run(
        make_promise, card_request, text="Telesales will tell you a new date.",
        kind=PromiseKind.ANSWER, due_at=START + timedelta(days=1),
        by=organisation.people.tess.actor,
    )  # fmt: skip
    at = promised.open_runs[0].due_at + timedelta(days=2)
    given = await organisation.run(
        announce_delay, card_request, expected_by=at, reason="A payslip misses.", by=SYSTEM_ACTOR
    )
    assert [promise.is_open for promise in given.promises] == [True]
