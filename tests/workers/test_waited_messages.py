"""A message that waited reads right when it is sent: its days, its language, its facts."""

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from starlette.applications import Starlette
from time_machine import Traveller

from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import SYSTEM_ACTOR, Channel, Message, MessageStatus, ServiceRequest
from portal.operations import (
    Operations,
    announce_delay,
    hold,
    make_promise,
    move_promise,
    run_due_follow_ups,
    set_preferences,
    write_to_customer,
)
from tests.support.customer_device import link
from tests.support.factories import CARD, MARTIN, Organisation
from tests.support.fake_gateways import FakeEmailGateway, FakeSmsGateway, delivered_bodies
from tests.support.twilio_client import TwilioClient
from tests.workers.nights import DAY, HOURS, MORNING, NIGHT, moved_on

pytestmark = pytest.mark.either_database

A_DAY = timedelta(days=1)
LANGUAGES = {
    "en": ("Wed 4 Jun.", "by Wed 4 Jun, 11 pm."),
    "es": ("el mié 4 jun.", "Plazo: el mié 4 jun a las 23:00."),
    "ar": ("الأربعاء 4 يونيو.", "التالي الأربعاء 4 يونيو، 11 م."),
}
"""How the due time is written on the day before, and on the day itself."""


@pytest.fixture
def organisation(clock, organisation, settings, database) -> Organisation:
    """With quiet hours from nine in the evening to eight, by text and by mail."""
    told = settings.model_copy(update={"quiet_hours": HOURS, "mail_quiet_hours": HOURS})
    organisation.operations = Operations(told, database, JobQueue(None), LiveUpdates(None))
    clock.move_to(DAY)
    return organisation


async def card_of(organisation: Organisation, locale: str, channel: Channel) -> ServiceRequest:
    """Martin's card in this language; he has had the first message by this channel."""
    request = await organisation.open(
        customer=replace(MARTIN, locale=locale), by=organisation.people.tess.actor
    )
    await organisation.run(
        set_preferences, request, preferred_channel=channel, by=organisation.people.tess.actor
    )
    await sent(organisation, Channel.SMS)
    return request


async def sent(organisation: Organisation, channel: Channel) -> list[str]:
    """What one pass of a worker sends by this channel."""
    gateway = FakeSmsGateway() if channel == Channel.SMS else FakeEmailGateway()
    return await delivered_bodies(organisation.operations, gateway)


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
async def test_day_of_a_held_milestone_is_that_of_the_morning(
    clock: Traveller, organisation: Organisation, locale: str, channel: Channel
) -> None:
    card = await card_of(organisation, locale, channel)
    aged, due = LANGUAGES[locale]
    clock.move_to(NIGHT)
    await moved_on(organisation, card)
    assert aged in (await organisation.outbound_messages(card))[-1].body
    assert await sent(organisation, channel) == []
    clock.move_to(MORNING)
    [body] = await sent(organisation, channel)
    assert aged not in body
    assert due in body
    assert (await organisation.outbound_messages(card))[-1].body == body


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
async def test_day_of_a_held_promise_is_that_of_the_morning(
    clock: Traveller, organisation: Organisation, channel: Channel
) -> None:
    card = await card_of(organisation, "en", channel)
    by = {"by": organisation.people.tess.actor}
    clock.move_to(NIGHT)
    await organisation.run(
        make_promise, card, text="We call you.", due_at=MORNING + A_DAY / 8, **by
    )
    card = await organisation.reload(card)
    due_at = MORNING + A_DAY
    await organisation.run(
        move_promise, card, card.promises[0].id, due_at=due_at, reason="More time.", **by
    )
    clock.move_to(MORNING)
    bodies = await sent(organisation, channel)
    assert len(bodies) == 2
    assert all("Thu 5 Jun, 8 am" in body for body in bodies), "Thursday, as both say by now"


async def test_new_date_and_hold_are_worded_in_the_morning(
    clock: Traveller, organisation: Organisation
) -> None:
    card = await card_of(organisation, "en", Channel.SMS)
    by = {"by": organisation.people.tess.actor}
    clock.move_to(NIGHT)
    due_at = NIGHT + timedelta(hours=20)
    await organisation.run(announce_delay, card, expected_by=due_at, reason="Ill", **by)
    clock.move_to(MORNING)
    [body] = await sent(organisation, Channel.SMS)
    assert "Sorry: now Wed 4 Jun, 7 pm, not Tue 3 Jun. Ill." in body
    clock.move_to(NIGHT + A_DAY)
    await organisation.run(hold, card, reason="Stock.", until=MORNING + 3 * A_DAY, **by)
    clock.move_to(MORNING + A_DAY)
    [body] = await sent(organisation, Channel.SMS)
    assert "On hold until Sat 7 Jun. Stock. " in body


async def test_day_is_right_after_an_outage_of_a_day(
    clock: Traveller, organisation: Organisation
) -> None:
    """No worker ran: what was written at two in the afternoon goes at noon the next day."""
    card = await card_of(organisation, "en", Channel.SMS)
    await moved_on(organisation, card)
    assert "Next step by Wed 4 Jun." in (await organisation.outbound_messages(card))[-1].body
    clock.shift(timedelta(hours=22))
    [body] = await sent(organisation, Channel.SMS)
    assert "Next step by Wed 4 Jun, 2 pm." in body


async def failed_milestone(organisation: Organisation, card: ServiceRequest) -> Message:
    """The milestone of the next stage, which the carrier has rejected."""
    await moved_on(organisation, card)
    failed = (await organisation.outbound_messages(card))[-1]
    async with organisation.database.transaction() as session:
        (await session.get_one(Message, failed.id)).status = MessageStatus.FAILED
    return failed


async def test_day_of_a_repeated_text_is_that_of_the_repeat(
    clock: Traveller, organisation: Organisation, api: httpx2.AsyncClient
) -> None:
    """Also of one that is repeated twice."""
    card = await card_of(organisation, "en", Channel.SMS)
    failed = await failed_milestone(organisation, card)
    clock.shift(timedelta(hours=22))
    assert (await api.post(f"/messages/{failed.id}/retry")).status_code == 201
    [body] = await sent(organisation, Channel.SMS)
    assert "Next step by Wed 4 Jun, 2 pm." in body


async def test_day_of_the_mail_in_place_of_an_undelivered_text_is_that_of_the_mail(
    clock: Traveller, organisation: Organisation, twilio: TwilioClient
) -> None:
    card = await card_of(organisation, "en", Channel.SMS)
    await moved_on(organisation, card)
    await sent(organisation, Channel.SMS)
    text = (await organisation.outbound_messages(card))[-1]
    clock.shift(timedelta(hours=21))
    assert await twilio.receipt(text, "undelivered", sid=text.provider_sid or "") == 204
    [body] = await sent(organisation, Channel.EMAIL)
    assert "Next step by Wed 4 Jun, 2 pm." in body


async def test_text_that_a_person_edited_stays_as_edited(
    clock: Traveller, organisation: Organisation, api: httpx2.AsyncClient
) -> None:
    card = await card_of(organisation, "en", Channel.SMS)
    failed = await failed_milestone(organisation, card)
    body = {"body": "It is checked tomorrow."}
    assert (await api.post(f"/messages/{failed.id}/resend", json=body)).status_code == 201
    clock.shift(timedelta(hours=3))
    assert await sent(organisation, Channel.SMS) == ["It is checked tomorrow."]


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
async def test_held_message_goes_in_the_language_chosen_meanwhile(
    clock: Traveller,
    organisation: Organisation,
    app: Starlette,
    client: httpx2.AsyncClient,
    channel: Channel,
) -> None:
    """A night of three minutes, as long as it takes to press "Español"."""
    card = await card_of(organisation, "en", channel)
    clock.move_to(MORNING - timedelta(minutes=3))
    await moved_on(organisation, card)
    answer = await client.post(f"{link(card)}/language", data={"locale": "es"})
    assert answer.status_code == 303
    clock.move_to(MORNING)
    [body] = await sent(organisation, channel)
    assert "Plazo: el jue 5 jun." in body
    told = (await organisation.outbound_messages(card))[-1]
    assert told.body == body


async def test_first_text_keeps_the_way_out_in_the_new_language(
    clock: Traveller, organisation: Organisation
) -> None:
    clock.move_to(NIGHT)
    card = await organisation.open(by=organisation.people.tess.actor)
    await organisation.run(set_preferences, card, locale="ar", by=SYSTEM_ACTOR)
    clock.move_to(MORNING)
    [body] = await sent(organisation, Channel.SMS)
    assert body.startswith("\u200fAcme Bank: Martin، We have")
    assert body.endswith("للإيقاف: STOP")
    told = (await organisation.outbound_messages(card))[-1]
    assert (told.body, told.segments) == (body, 2)


async def test_words_of_a_person_stay_as_they_were_written(
    clock: Traveller, organisation: Organisation
) -> None:
    card = await card_of(organisation, "en", Channel.SMS)
    clock.move_to(NIGHT)
    await organisation.run(
        write_to_customer, card, body="We are open tomorrow.", by=organisation.people.tess.actor
    )
    await organisation.run(set_preferences, card, locale="es", by=SYSTEM_ACTOR)
    clock.move_to(MORNING)
    assert await sent(organisation, Channel.SMS) == ["Tess at Acme Bank: We are open tomorrow."]


async def test_question_is_asked_in_the_language_chosen_since_it_was_planned(
    clock: Traveller, organisation: Organisation
) -> None:
    """It is planned when its stage is reached, and asked later."""
    asked = 'question = "Has your card arrived? Reply YES or NO."'
    both = f'{asked.replace("question", "question.en")}\nquestion.es = "¿Ha llegado? Responda SI o NO."'
    await organisation.load(CARD.replace('key = "card"', 'key = "tarjeta"').replace(asked, both))
    card = await organisation.open("tarjeta", by=SYSTEM_ACTOR)
    await moved_on(organisation, card, times=5)
    await sent(organisation, Channel.SMS)
    await organisation.run(set_preferences, card, locale="es", by=SYSTEM_ACTOR)
    clock.shift(timedelta(minutes=1))
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    assert "¿Ha llegado? Responda SI o NO." in (await sent(organisation, Channel.SMS))[-1]
    await organisation.run(set_preferences, card, locale="en", by=SYSTEM_ACTOR)
    clock.shift(3 * A_DAY)
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    assert "once more: Has your card arrived?" in (await sent(organisation, Channel.SMS))[-1]
