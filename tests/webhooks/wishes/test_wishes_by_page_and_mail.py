"""Wishes on the page and by mail, and how the desk and the page show them and take them back."""

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from portal.messaging.email.signed_addresses import reply_address
from portal.models import SYSTEM_ACTOR, Channel, ServiceRequest
from portal.operations import receive_web_message
from portal.settings import Settings
from tests.messaging.email.mail_server import TOKEN
from tests.support.customer_device import link
from tests.support.desk_client import visible_text
from tests.support.factories import MARTIN, Organisation
from tests.support.twilio_client import TwilioClient
from tests.webhooks.wishes.conftest import is_permitted, replies

pytestmark = pytest.mark.either_database


async def test_desk_shows_the_wishes_and_takes_them_back(
    desk_clients: Callable[[str], Any],
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await twilio.text("not at night please", sid="SM1")
    await twilio.text("no more surveys", sid="SM2")
    tess = await desk_clients("tess")
    page = visible_text(await tess.page(card_request))
    assert page.count("No messages from 9 pm to 8 am") == 2, "beside the confirmation"
    assert "Ask follow-up questions again" in page
    for wish in ("quiet_off", "questions_on"):
        await tess.submit(card_request, "wishes", wish=wish)
    customer = (await organisation.reload(card_request)).customer
    assert (customer.quiet_hours, customer.takes_questions) == ("", True)
    page = visible_text(await tess.page(card_request))
    assert page.count("No messages from") == 1
    assert "Customer asked for: messages at any hour" in page
    await tess.submit(card_request, "wishes", wish="quiet_on")
    customer = (await organisation.reload(card_request)).customer
    assert customer.quiet_hours == "21:00-08:00"
    refused = await tess.submit(card_request, "wishes", htmx=True, wish="quiet")
    assert refused.status_code == 422


async def test_page_shows_the_wishes_and_takes_them_back(
    client: Any, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await twilio.text("not at night please", sid="SM1")
    await twilio.text("no more surveys", sid="SM2")
    path = f"{link(card_request)}/preferences"
    page = visible_text((await client.get(path)).text)
    assert "We send you nothing from 9 pm to 8 am." in page
    assert "We send you no questions about how it went." in page
    for button in ("quiet_off", "questions_on"):
        assert (await client.post(path, data={"do": button})).status_code == 303
    customer = (await organisation.reload(card_request)).customer
    assert (customer.quiet_hours, customer.takes_questions) == ("", True)
    for button in ("quiet_on", "questions_off"):
        assert (await client.post(path, data={"do": button})).status_code == 303
    customer = (await organisation.reload(card_request)).customer
    assert (customer.quiet_hours, customer.takes_questions) == ("21:00-08:00", False)


async def test_wish_on_the_page_is_kept_and_confirmed_there(
    organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(
        receive_web_message, card_request, "not at night please", by=SYSTEM_ACTOR
    )
    assert (await organisation.reload(card_request)).customer.quiet_hours == "21:00-08:00"
    (reply,) = await replies(organisation)
    assert reply.channel == Channel.WEB


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("not at night please", lambda card: card.customer.quiet_hours == "21:00-08:00"),
        ("no more surveys", lambda card: not card.customer.takes_questions),
    ],
)
async def test_wish_by_mail_is_kept_and_confirmed_by_mail(
    text: str,
    is_kept: Callable[[ServiceRequest], bool],
    client: Any,
    settings: Settings,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = MARTIN.email, reply_address(settings, card_request.id or 0)
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content(text)
    answer = await client.post("/hooks/email/inbound", content=mail.as_bytes(), headers=TOKEN)
    assert answer.status_code == 204
    assert is_kept(await organisation.reload(card_request))
    (reply,) = await replies(organisation)
    assert (reply.channel, reply.to_address) == (Channel.EMAIL, MARTIN.email)
    assert await is_permitted(organisation, Channel.EMAIL, MARTIN.email, card_request.id)
