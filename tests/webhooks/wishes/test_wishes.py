"""A wish for fewer messages is kept as what it is: never a stop of everything, never nothing."""

from dataclasses import replace
from datetime import UTC, datetime, time

import httpx2
import pytest
import time_machine
from sqlmodel import select

from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Consent,
    FollowUpState,
    Message,
    MessageKind,
    MessageStatus,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import accept, advance, hold, run_due_follow_ups, write_to_customer
from portal.operations.conversation.wishes.night_hours import read_quiet_hours
from portal.settings import QuietHours
from tests.operations.endings.receipts import DAY, HOUR, Receipt
from tests.support.customer_device import link
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeSmsGateway, delivered_bodies
from tests.support.twilio_client import PHONE, CustomerPhone, TwilioClient
from tests.webhooks.wishes.conftest import is_permitted, replies

pytestmark = pytest.mark.either_database

WISHES = (
    "not at night please",
    "no texts after 10pm please",
    "no more surveys",
    "not about this one",
    "only by mail please",
    "text me, no more e-mail",
    "fewer texts please",
)
NIGHT = datetime(2025, 6, 4, 2, 40, tzinfo=UTC)
"""10:40 pm in New York."""


@pytest.mark.parametrize("text", WISHES)
async def test_wish_is_confirmed_once_and_stops_not_everything(
    text: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await twilio.text(text)
    (reply,) = await replies(organisation)
    assert reply.to_address == PHONE
    assert "STOP" in reply.body or "START" in reply.body
    assert reply.segments == 1
    email = await is_permitted(organisation, Channel.EMAIL, MARTIN.email, card_request.id)
    texts = await is_permitted(organisation, Channel.SMS, PHONE, card_request.id)
    assert email or texts


async def test_no_messages_at_night(
    clock: time_machine.Traveller,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """A text of the night waits for the morning, though the organisation has no quiet hours."""
    await delivered_bodies(organisation.operations, FakeSmsGateway())
    await twilio.text("not at night please")
    (reply,) = await replies(organisation)
    assert "No messages from 9 pm to 8 am" in reply.body
    card = await organisation.reload(card_request)
    assert card.customer.quiet_hours == "21:00-08:00"
    assert (card.promises, card.unanswered_since) == ([], None)
    clock.move_to(NIGHT)
    await organisation.run(hold, card, reason="A part is missing.", by=SYSTEM_ACTOR)
    news = (await organisation.messages())[-1]
    assert news.due_at == datetime(2025, 6, 4, 12, tzinfo=UTC)


async def test_message_that_waits_already_waits_for_the_morning(
    clock: time_machine.Traveller,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """The claim checks it again."""
    await twilio.text("no texts after 10pm please")
    clock.move_to(NIGHT)
    await organisation.run(write_to_customer, card_request, "Hello.", by=SYSTEM_ACTOR)
    async with organisation.database.transaction() as session:
        message = await session.get_one(Message, (await organisation.messages())[-1].id)
        message.due_at = NIGHT
    assert not [
        b
        for b in await delivered_bodies(organisation.operations, FakeSmsGateway())
        if "Hello." in b
    ]
    clock.move_to(datetime(2025, 6, 4, 12, 1, tzinfo=UTC))
    assert "Hello." in (await delivered_bodies(organisation.operations, FakeSmsGateway()))[-1]


async def test_wish_about_the_person_is_not_asked_which(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.open("repair", by=SYSTEM_ACTOR)
    await twilio.text("not at night please")
    assert [reply.kind for reply in await replies(organisation)] == [MessageKind.CONSENT]


async def test_wish_about_one_request_stops_that_request_alone(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await twilio.text("not about this one")
    assert not await is_permitted(organisation, Channel.SMS, PHONE, card_request.id)
    assert await is_permitted(organisation, Channel.SMS, PHONE, None)
    other = await organisation.open("repair", by=SYSTEM_ACTOR)
    assert await is_permitted(organisation, Channel.SMS, PHONE, other.id)


@pytest.mark.parametrize(
    ("text", "stopped", "goes_on"),
    [
        ("only by mail please", Channel.SMS, Channel.EMAIL),
        ("text me, no more e-mail", Channel.EMAIL, Channel.SMS),
    ],
)
async def test_wish_for_one_channel_stops_the_other(
    text: str,
    stopped: Channel,
    goes_on: Channel,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await twilio.text(text)
    addresses = {Channel.SMS: PHONE, Channel.EMAIL: MARTIN.email}
    assert not await is_permitted(organisation, stopped, addresses[stopped], card_request.id)
    assert await is_permitted(organisation, goes_on, addresses[goes_on], card_request.id)
    await organisation.run(write_to_customer, card_request, "News.", by=SYSTEM_ACTOR)
    assert (await organisation.messages())[-1].channel == goes_on


async def test_wish_for_a_channel_that_they_do_not_have_is_for_a_person(
    twilio: TwilioClient, organisation: Organisation
) -> None:
    card = await organisation.open(customer=replace(MARTIN, email=None), by=SYSTEM_ACTOR)
    await twilio.text("only by mail please")
    assert await is_permitted(organisation, Channel.SMS, PHONE, card.id)
    (promise,) = (await organisation.reload(card)).promises
    assert promise.owner_id


async def test_wish_for_fewer_texts_is_for_a_person(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await twilio.text("fewer texts please")
    assert len((await organisation.reload(card_request)).promises) == 1
    (reply,) = await replies(organisation)
    assert "has your wish about our messages" in reply.body
    async with organisation.database.reading() as session:
        assert all((await session.exec(select(Consent.granted))).all())


@pytest.fixture
async def receipt(
    clock: time_machine.Traveller, organisation: Organisation, texts: CustomerPhone
) -> Receipt:
    return Receipt(organisation, clock, texts)


async def test_customer_who_wants_no_questions_gets_none_and_the_news_goes_on(
    receipt: Receipt, organisation: Organisation
) -> None:
    """The page alone asks; nobody is reminded, and the question closes by its date."""
    await receipt.deliver()
    await receipt.says("no more surveys")
    count = len(await receipt.said())
    for _ in range(8):
        await receipt.advance_clock(DAY)
    assert await receipt.questions() == 0
    (question,) = receipt.card.follow_ups
    assert question.state == FollowUpState.ASKED
    assert question.reminded_at is None
    assert len(await receipt.said()) == count
    await organisation.run(write_to_customer, receipt.card, "News.", by=SYSTEM_ACTOR)
    assert (await organisation.messages())[-1].status == MessageStatus.QUEUED
    await receipt.says("Yes")
    assert receipt.card.follow_ups[0].state == FollowUpState.ANSWERED


async def test_question_that_waits_to_be_sent_is_withdrawn(
    receipt: Receipt, organisation: Organisation
) -> None:
    await receipt.deliver()
    await receipt.advance_clock(HOUR)
    assert await receipt.questions() == 1
    await receipt.says("no more surveys")
    [status] = [
        each.status for each in await organisation.messages() if each.kind == MessageKind.FOLLOW_UP
    ]
    assert status == MessageStatus.SUPPRESSED
    await receipt.advance_clock(4 * DAY)
    assert await receipt.questions() == 1, "no reminder"


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("at night", 21, 8), ("after 9", 21, 8), ("not after 10 pm", 22, 8), ("before 9", 21, 9),
        ("between 10pm and 7am", 22, 7), ("entre las 22 y las 7", 22, 7),
        ("antes de las 9", 21, 9), ("بعد الساعة 10 مساء", 22, 8), ("after 99", 21, 8),
    ],
)  # fmt: skip
def test_quiet_hours_are_read_from_words(words: str, start: int, end: int) -> None:
    assert read_quiet_hours(words) == QuietHours(time(start), time(end))


async def test_hours_of_a_call_are_no_quiet_hours(
    clock: time_machine.Traveller,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await twilio.text("ok thanks. not at 3 pls, call me after 4 tomorrow")
    card = await organisation.reload(card_request)
    assert card.customer.quiet_hours == ""
    [promise] = card.promises
    assert (promise.kind, promise.not_before_at) == (
        PromiseKind.CALL, datetime(2025, 6, 4, 20, tzinfo=UTC),
    )  # fmt: skip
    [reply] = await replies(organisation)
    assert "after 4 pm" in reply.body


async def test_texts_at_any_hour_end_their_quiet_hours_and_the_call_has_an_owner(
    clock: time_machine.Traveller,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await twilio.text("no texts after 5pm please", sid="SM1")
    await twilio.text("no i mean PHONE me after 4 tomorrow. keep texting me any time", sid="SM2")
    card = await organisation.reload(card_request)
    assert card.customer.quiet_hours == ""
    [promise] = card.promises
    assert (promise.kind, promise.not_before_at) == (
        PromiseKind.CALL, datetime(2025, 6, 4, 20, tzinfo=UTC),
    )  # fmt: skip
    _, reply = await replies(organisation)
    assert "after 4 pm" in reply.body
    assert reply.body.endswith("Your quiet hours are over.")


async def test_wish_for_texts_at_any_hour_is_confirmed(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await twilio.text("no texts after 5pm please", sid="SM1")
    await twilio.text("you can text me at any hour", sid="SM2")
    assert (await organisation.reload(card_request)).customer.quiet_hours == ""
    _, reply = await replies(organisation)
    assert "Your quiet hours are over, our messages come as before." in reply.body
    assert reply.segments == 1


async def test_message_that_waits_goes_when_the_quiet_hours_are_ended(
    clock: time_machine.Traveller,
    client: httpx2.AsyncClient,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await delivered_bodies(organisation.operations, FakeSmsGateway())
    await twilio.text("no texts after 10pm please")
    clock.move_to(NIGHT)
    await organisation.run(write_to_customer, card_request, "Hello.", by=SYSTEM_ACTOR)
    page = f"{link(card_request)}/preferences"
    assert (await client.post(page, data={"do": "quiet_off"})).status_code == 303
    assert (await organisation.messages())[-1].due_at == NIGHT
    assert "Hello." in (await delivered_bodies(organisation.operations, FakeSmsGateway()))[-1]


async def test_held_news_of_a_request_that_has_ended_is_not_sent(
    clock: time_machine.Traveller,
    client: httpx2.AsyncClient,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """The customer says that it came before they read that it was delivered."""
    people = organisation.people
    for taker in (people.uma, people.pia, people.carl):
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
        await organisation.run(accept, card_request, by=taker.actor)
    await twilio.text("no texts after 10pm please")
    await delivered_bodies(organisation.operations, FakeSmsGateway())
    clock.move_to(NIGHT)
    for _ in range(2):
        await organisation.run(advance, card_request, by=people.carl.actor)
    await organisation.run(run_due_follow_ups, card_request, by=SYSTEM_ACTOR)
    held = (await organisation.messages())[-1]
    assert held.due_at > NIGHT
    clock.shift(DAY / 24)
    await twilio.text("It came, thanks", sid="SM2")
    assert (await organisation.reload(card_request)).is_closed
    page = f"{link(card_request)}/preferences"
    assert (await client.post(page, data={"do": "quiet_off"})).status_code == 303
    bodies = await delivered_bodies(organisation.operations, FakeSmsGateway())
    assert not [body for body in bodies if "delivered" in body]
