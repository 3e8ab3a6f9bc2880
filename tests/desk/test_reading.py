"""The desk explains how a customer's message was read."""

from typing import Any

import pytest

from portal.models import Direction, Message, ServiceRequest
from portal.operations import correct_intent
from tests.support.customer_device import link
from tests.support.desk_client import visible_text
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.twilio_client import TwilioClient

pytestmark = pytest.mark.either_database


async def heard(organisation: Organisation) -> Message:
    return [each for each in await organisation.messages() if each.direction == Direction.IN][-1]


async def test_desk_shows_the_words_that_decided(
    desk_clients: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
    twilio: TwilioClient,
) -> None:
    await twilio.text("got it <3")
    message = await heard(organisation)
    async with organisation.database.transaction() as session:
        row = await session.get_one(Message, message.id)
        row.intent, row.because = "yes", "got it <3"
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    assert "Read as YES because: 'got it <3'" in visible_text(page)
    assert "got it &lt;3" in page
    await organisation.run(
        correct_intent, card_request, message, "status", by=tess_of(organisation)
    )
    page = visible_text(await tess.page(card_request))
    assert "Corrected intent: status question (Tess Sales)" in page
    assert "Read as" not in page


def tess_of(organisation: Organisation) -> Any:
    return organisation.people.tess.actor


async def test_reaction_is_shown_with_the_beginning_of_its_text(
    desk_clients: Any,
    client: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
    twilio: TwilioClient,
) -> None:
    """On the desk and on the customer's page, without the rest of our text a second time."""
    await deliver_due(organisation.operations, FakeSmsGateway())
    (text,) = await organisation.outbound_messages(card_request)
    await twilio.text(f"👍 to “{text.body}”")
    shown = visible_text(await (await desk_clients("tess")).page(card_request))
    assert "👍 “Acme Bank: Hi Martin." in shown
    assert "Read as REACTION because: '👍'" in shown
    assert f"👍 to “{text.body}”" not in shown
    page = visible_text((await client.get(link(card_request))).text)
    assert "👍 “" in page
    assert "👍 to" not in page


async def test_reaction_hides_no_message_that_waits(
    desk_clients: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
    twilio: TwilioClient,
) -> None:
    """The inbox shows what the customer wrote, and a dislike that a person is owed for."""
    await deliver_due(organisation.operations, FakeSmsGateway())
    (text,) = await organisation.outbound_messages(card_request)
    await twilio.text("Is the form all right as it is?", sid="SM1")
    await twilio.text(f"Liked “{text.body}”", sid="SM2")
    inbox = visible_text((await (await desk_clients("tess")).get("/desk/inbox")).text)
    assert "Is the form all right as it is?" in inbox
    assert "Liked" not in inbox
