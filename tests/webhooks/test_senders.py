"""Who a text is from: a number by any channel and spelling, letters, short codes, and nobody."""

from dataclasses import replace

import pytest
from sqlmodel import select

from portal.errors import BadInput
from portal.messaging.sms.sender_address import HIDDEN_NUMBERS
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Direction,
    DroppedBall,
    DroppedBallKind,
    Message,
    RequestStatus,
    ServiceRequest,
)
from portal.operations import accept, advance, run_due_follow_ups
from portal.operations.conversation.unknown_senders import answer_unknown_sender
from portal.queries.consent import ConsentQuery, find_permitted
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import SENDER
from tests.support.twilio_client import PHONE, TwilioClient

pytestmark = pytest.mark.either_database


async def newest(organisation: Organisation, direction: Direction) -> Message:
    """The last message that came in, or that goes out."""
    return [each for each in await organisation.messages() if each.direction == direction][-1]


async def is_stopped(organisation: Organisation, number: str) -> bool:
    """Whether this number gets no texts."""
    query = ConsentQuery(Channel.SMS, number, None)
    async with organisation.database.reading() as session:
        return query not in await find_permitted(session, [query])


async def dropped_balls(organisation: Organisation) -> list[DroppedBall]:
    async with organisation.database.reading() as session:
        return list((await session.exec(select(DroppedBall))).all())


@pytest.mark.parametrize("sender", ["rcs:{}", "RCS:{}", "whatsapp:{}", "\u200e rcs:\u202a{}\u202c"])
async def test_number_is_the_same_person_by_every_channel(
    sender: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A question reaches the request, and STOP stops the number."""
    sender = sender.format(PHONE)
    assert await twilio.text("Where is my card?", sid="SM1", From=sender) == 200
    heard = await newest(organisation, Direction.IN)
    assert (heard.request_id, heard.from_address) == (card_request.id, PHONE)
    assert (await newest(organisation, Direction.OUT)).to_address == PHONE
    assert await twilio.text("STOP", sid="SM2", From=sender, OptOutType="STOP") == 200
    assert await is_stopped(organisation, PHONE)
    assert not await dropped_balls(organisation)


@pytest.mark.parametrize("sender", ["rcs:{}", "RCS:{}", "WhatsApp:{}"])
async def test_answer_by_another_channel_answers_the_question(
    sender: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The number confirms; each text of ours goes to the number, never to "rcs:" and the like."""
    people = organisation.people
    for taker in (people.uma, people.pia, people.carl):
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
        await organisation.run(accept, card_request, by=taker.actor)
    for _ in range(2):
        await organisation.run(advance, card_request, by=people.carl.actor)
    await organisation.run(run_due_follow_ups, card_request, by=SYSTEM_ACTOR)
    heard = {"From": sender.format(PHONE), "To": "rcs:acme_agent"}
    assert await twilio.text("YES", sid="SM1", **heard) == 200
    now = await organisation.reload(card_request)
    assert now.status == RequestStatus.COMPLETED
    assert (
        await twilio.text("Hello", sid="SM2", From="rcs:+14155550177", To="rcs:acme_agent") == 200
    )
    sent = [each for each in await organisation.messages() if each.direction == Direction.OUT]
    assert {each.to_address for each in sent} == {PHONE, "+14155550177"}


@pytest.mark.parametrize(
    ("given", "sends_from", "kept"),
    [
        ("+525512345678", "+5215512345678", "+525512345678"),
        ("+52 1 55 1234 5678", "+525512345678", "+525512345678"),
        ("+54 11 2345 6789", "+5491123456789", "+5491123456789"),
        ("+54 9 11 2345 6789", "+541123456789", "+5491123456789"),
        ("+55 11 8765 4321", "+5511987654321", "+5511987654321"),
        ("+55 11 98765 4321", "+551187654321", "+5511987654321"),
    ],
)
async def test_two_spellings_of_a_number_are_one_person(
    given: str, sends_from: str, kept: str, twilio: TwilioClient, organisation: Organisation
) -> None:
    customer = replace(MARTIN, phone=given, email=None)
    request = await organisation.open(customer=customer, by=organisation.people.tess.actor)
    assert await twilio.text("Where is my card?", sid="SM1", From=sends_from) == 200
    heard = await newest(organisation, Direction.IN)
    assert (heard.request_id, heard.from_address) == (request.id, kept)
    assert await twilio.text("STOP", sid="SM2", From=sends_from) == 200
    assert await is_stopped(organisation, kept)


@pytest.mark.parametrize("sender", ["SUPPORT", "68849", "", SENDER, *sorted(HIDDEN_NUMBERS)])
async def test_sender_that_takes_no_texts_is_put_before_a_person(
    sender: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Recorded, owned, never answered, and it stops nobody."""
    count = len(await organisation.outbound_messages(card_request))
    for number, body in enumerate(("Your parcel is delayed", "STOP", "START", "HELP")):
        assert await twilio.text(body, sid=f"SM{number}", From=sender) == 200
        heard = await newest(organisation, Direction.IN)
        assert (heard.body, heard.from_address, heard.request_id) == (body, sender, None)
    sent = [each for each in await organisation.messages() if each.direction == Direction.OUT]
    assert len(sent) == count, "nothing is answered"
    balls = await dropped_balls(organisation)
    assert [ball.kind for ball in balls] == [DroppedBallKind.UNKNOWN_SENDER] * 4
    assert all(ball.owner_id for ball in balls)
    assert not await is_stopped(organisation, PHONE)
    assert not await is_stopped(organisation, sender)
    with pytest.raises(BadInput, match="takes no texts"):
        async with organisation.operations.begin(organisation.people.mona.actor) as uow:
            await answer_unknown_sender(uow, heard, "Who is it?")


def test_hidden_numbers_spell_a_word() -> None:
    assert {"+266696687", "+86282452253", "+7378742833", "+2562533"} <= HIDDEN_NUMBERS
