"""A customer on WhatsApp: answers there, within the window as free text, after it by a template."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import httpx2
import time_machine

from portal.models import (
    Channel,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    Transport,
)
from portal.operations import accept, advance, hold
from portal.queries.consent import ConsentQuery, find_permitted
from tests.support.desk_client import DeskClient
from tests.support.factories import MARTIN, Organisation
from tests.support.twilio_client import PHONE
from tests.tracking.page_requests import link
from tests.whatsapp.conftest import BY_WHATSAPP, TEMPLATE_SID, WhatsAppStory, next_stage

A_DAY = timedelta(days=1)


async def test_answer_goes_where_the_customer_wrote(
    story: WhatsAppStory, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await story.deliver()
    assert story.ways() == [PHONE]
    await story.write("Where is my card?")
    await story.deliver()
    assert story.ways() == [PHONE, BY_WHATSAPP]
    answer = (await story.messages())[-1]
    assert (answer.channel, answer.transport) == (Channel.SMS, Transport.WHATSAPP)
    assert (answer.to_address, answer.segments, answer.template_sid) == (PHONE, 0, "")
    assert answer.status == MessageStatus.DELIVERED
    assert answer.read_at is not None
    heard = (await organisation.messages())[1]
    assert (heard.request_id, heard.transport) == (card_request.id, Transport.WHATSAPP)


async def test_answer_goes_to_the_number_as_whatsapp_spells_it(
    story: WhatsAppStory, organisation: Organisation
) -> None:
    """Old Mexican accounts are +52 1 at WhatsApp, and the same person as the number of today."""
    customer = replace(MARTIN, phone="+525512345678", email=None)
    request = await organisation.open(customer=customer, by=organisation.people.tess.actor)
    await story.write("Where is my card?", sender="whatsapp:+5215512345678")
    await story.deliver()
    assert story.ways()[-1] == "whatsapp:+5215512345678"
    answer = (await story.messages())[-1]
    assert (answer.request_id, answer.to_address) == (request.id, "+525512345678")
    assert (answer.transport, answer.status) == (Transport.WHATSAPP, MessageStatus.DELIVERED)


async def test_text_after_whatsapp_is_answered_by_text(
    story: WhatsAppStory, card_request: ServiceRequest
) -> None:
    await story.write("Where is my card?")
    await story.write("Are you there?", sender=PHONE)
    await story.deliver()
    assert set(story.ways()) == {PHONE}


async def test_window_decides_between_free_text_and_template(
    story: WhatsAppStory,
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await story.write("Thank you")
    await story.deliver()
    clock.shift(A_DAY - timedelta(minutes=1))
    await next_stage(organisation, card_request)
    await story.deliver()
    inside = (await story.messages())[-1]
    assert (inside.kind, inside.template_sid) == (MessageKind.MILESTONE, "")
    assert story.sent()[-1].body == inside.body
    clock.shift(A_DAY)
    await organisation.run(advance, card_request, by=organisation.people.uma.actor)
    await organisation.run(accept, card_request, by=organisation.people.pia.actor)
    await story.deliver()
    outside = (await story.messages())[-1]
    assert (outside.transport, outside.template_sid) == (Transport.WHATSAPP, TEMPLATE_SID)
    assert outside.status == MessageStatus.DELIVERED
    received = story.sent()[-1]
    assert received.content_sid == TEMPLATE_SID
    assert received.body.startswith("Acme Bank about ")
    assert link(card_request) in received.body
    assert "\n" not in received.body


async def test_kind_without_a_template_goes_by_sms_after_the_window(
    story: WhatsAppStory,
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await story.write("Thank you")
    await story.deliver()
    clock.shift(A_DAY)
    await organisation.run(
        hold, card_request, reason="We wait for a paper", by=organisation.people.tess.actor
    )
    await story.deliver()
    held = (await story.messages())[-1]
    assert (held.kind, held.transport) == (MessageKind.HOLD, Transport.SMS)
    assert held.segments > 0
    assert story.ways()[-1] == PHONE


async def test_stop_on_whatsapp_counts_for_the_number_and_is_confirmed_there(
    story: WhatsAppStory, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Twilio's keywords do not cover WhatsApp, so Kept confirms although Twilio answers texts."""
    await story.write("STOP")
    await story.deliver()
    confirmation = (await story.messages())[-1]
    assert (confirmation.kind, confirmation.transport) == (MessageKind.CONSENT, Transport.WHATSAPP)
    async with organisation.database.reading() as session:
        query = ConsentQuery(Channel.SMS, PHONE, None)
        assert query not in await find_permitted(session, [query])
    await next_stage(organisation, card_request)
    await story.deliver()
    assert story.sent()[-1].body == confirmation.body
    await story.write("START")
    await story.deliver()
    async with organisation.database.reading() as session:
        assert query in await find_permitted(session, [query])
    assert story.ways()[-1] == BY_WHATSAPP


async def test_stop_by_text_is_answered_by_twilio_alone(
    story: WhatsAppStory, card_request: ServiceRequest
) -> None:
    await story.deliver()
    await story.write("STOP", sender=PHONE)
    await story.deliver()
    assert story.ways() == [PHONE]
    await story.write("Where is it?", sender=BY_WHATSAPP)
    await story.deliver()
    assert story.ways() == [PHONE], "a stop by text counts on WhatsApp"


async def test_page_and_desk_name_whatsapp(
    story: WhatsAppStory,
    client: httpx2.AsyncClient,
    desk_clients: Callable[[str], Awaitable[DeskClient]],
    card_request: ServiceRequest,
) -> None:
    await story.write("Where is my card?")
    await story.deliver()
    page = (await client.get(link(card_request))).text
    assert "You, by WhatsApp" in page
    assert ", by text" not in page
    desk = await desk_clients("tess")
    conversation = (await desk.get(f"/desk/requests/{card_request.reference}")).text
    assert "Martin, by WhatsApp" in conversation
    assert f"by WhatsApp to {PHONE}" in conversation
    assert "Read " in conversation
