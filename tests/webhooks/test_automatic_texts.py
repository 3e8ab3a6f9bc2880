# ruff: noqa: RUF001 - phones write these apostrophes.
"""A text that a phone writes by itself is kept on the request, owed nothing and answered by nothing."""

from datetime import timedelta

import pytest
import time_machine

from portal.messaging.sms.automatic_texts import automatic_wordings, is_automatic_text
from portal.models import (
    SYSTEM_ACTOR,
    DeliveryReason,
    Direction,
    Message,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import accept, advance, write_to_customer
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.twilio_client import TwilioClient

pytestmark = pytest.mark.either_database

DRIVING = (
    "I’m driving with Do Not Disturb While Driving turned on. "
    "I’ll see your message when I get where I’m going."
)
SECOND_PART = (
    "(I’m not receiving notifications. If this is urgent, reply “urgent” to send a notification "
    "through with your original message.)"
)
SURGERY = "The surgery is closed and this line is not read by anybody today"


async def heard(organisation: Organisation) -> list[Message]:
    return [each for each in await organisation.messages() if each.direction == Direction.IN]


@pytest.mark.parametrize("language", [*automatic_wordings().tables])
def test_automatic_texts_of_a_language(language: str) -> None:
    """The examples of ``automatic_texts.toml``."""
    table = automatic_wordings().tables[language]
    assert [text for text in table["examples"] if not is_automatic_text(text)] == []
    assert [text for text in table["counter_examples"] if is_automatic_text(text)] == []


@pytest.mark.parametrize(
    "parts",
    [
        (DRIVING, SECOND_PART),
        ("Estoy conduciendo con No molestar al conducir activado.",),
        ("أنا أقود السيارة الآن، سأرد عليك لاحقًا",),
        ("Automatische Antwort: Ich bin bis Montag nicht erreichbar",),
        ("Je suis au volant, je vous rappelle plus tard.",),
        ("I'm driving… Sent from Android Auto",),
    ],
)
async def test_automatic_text_is_kept_and_nothing_else(
    parts: tuple[str, ...],
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await deliver_due(organisation.operations, FakeSmsGateway())
    for number, part in enumerate(parts):
        assert await twilio.text(part, sid=f"SM{number}") == 200
    messages = await heard(organisation)
    assert [message.body for message in messages] == list(parts)
    for message in messages:
        assert (message.kind, message.reason) == (
            MessageKind.AUTOMATIC, DeliveryReason.AUTOMATIC_REPLY,
        )  # fmt: skip
        assert message.request_id == card_request.id
    card = await organisation.reload(card_request)
    assert (card.promises, card.unanswered_since) == ([], None)
    assert len(await organisation.outbound_messages(card_request)) == 1


async def test_wish_of_a_driver_is_for_a_person(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await twilio.text("I'm driving, call me later")
    card = await organisation.reload(card_request)
    [promise] = card.promises
    assert (promise.kind, promise.is_told) == (PromiseKind.CALL, False)


async def test_text_that_comes_after_each_automatic_one_within_minutes_is_automatic(
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
    twilio: TwilioClient,
) -> None:
    """From the third on it is a machine's: a person who repeats a sentence is a person."""
    people = organisation.people
    for number, taker in enumerate((people.uma, people.pia, people.carl)):
        await deliver_due(organisation.operations, FakeSmsGateway())
        clock.shift(timedelta(seconds=4))
        await twilio.text(SURGERY, sid=f"SM{number}")
        clock.shift(timedelta(minutes=2))
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
        await organisation.run(accept, card_request, by=taker.actor)
    kinds = [message.kind for message in await heard(organisation)]
    assert kinds == [MessageKind.CUSTOMER, MessageKind.CUSTOMER, MessageKind.AUTOMATIC]


async def test_text_that_comes_after_each_message_of_a_person_is_a_persons(
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
    twilio: TwilioClient,
) -> None:
    tess = organisation.people.tess.actor
    for number, body in enumerate(("First news.", "Second news.", "Third news.")):
        clock.shift(timedelta(minutes=2))
        await organisation.run(write_to_customer, card_request, body, by=tess)
        await deliver_due(organisation.operations, FakeSmsGateway())
        clock.shift(timedelta(seconds=4))
        await twilio.text(SURGERY, sid=f"SM{number}")
        await deliver_due(organisation.operations, FakeSmsGateway())
    assert {message.kind for message in await heard(organisation)} == {MessageKind.CUSTOMER}


@pytest.mark.parametrize("pause", [timedelta(seconds=4), timedelta(minutes=10)])
async def test_person_who_repeats_a_question_is_heard(
    pause: timedelta,
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
    twilio: TwilioClient,
) -> None:
    await deliver_due(organisation.operations, FakeSmsGateway())
    text = "The name that is printed on it is wrong"
    for number in range(2):
        clock.shift(pause)
        await twilio.text(text, sid=f"SM{number}")
    assert {message.kind for message in await heard(organisation)} == {MessageKind.CUSTOMER}


async def test_automatic_text_of_a_stranger_is_recorded_and_raises_nothing(
    twilio: TwilioClient, organisation: Organisation
) -> None:
    await twilio.text(DRIVING, From="+14155550199")
    assert [message.kind for message in await organisation.messages()] == [MessageKind.AUTOMATIC]
