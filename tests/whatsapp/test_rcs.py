"""RCS: the messaging service chooses it where the phone takes it, else SMS; we learn which."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from portal.demo.fake_providers import Fault, FaultKind
from portal.models import Channel, MessageStatus, ServiceRequest, Transport
from portal.queries.consent import ConsentQuery, find_permitted
from tests.support.factories import Organisation
from tests.support.fake_gateways import deliver_due
from tests.support.twilio_client import PHONE
from tests.whatsapp.conftest import WhatsAppStory
from workers.delivery.gateways import Gateways
from workers.reconcile import Reconciler

BY_RCS = f"rcs:{PHONE}"


@pytest.fixture
def rcs_story(story: WhatsAppStory) -> WhatsAppStory:
    """Martin's phone takes RCS."""
    story.account.config = replace(story.account.config, rcs_numbers=frozenset({PHONE}))
    return story


async def test_receipt_tells_that_a_text_went_by_rcs_and_was_read(
    rcs_story: WhatsAppStory, card_request: ServiceRequest
) -> None:
    await rcs_story.write("Where is my card?", sender=BY_RCS)
    await rcs_story.deliver()
    assert set(rcs_story.ways()) == {BY_RCS}
    answer = (await rcs_story.messages())[-1]
    assert (answer.channel, answer.transport) == (Channel.SMS, Transport.RCS)
    assert (answer.to_address, answer.status) == (PHONE, MessageStatus.DELIVERED)
    assert answer.read_at is not None


async def test_phone_without_rcs_gets_sms_by_the_same_call(
    story: WhatsAppStory, card_request: ServiceRequest
) -> None:
    await story.deliver()
    (text,) = await story.messages()
    assert (text.transport, text.read_at) == (Transport.SMS, None)
    assert story.ways() == [PHONE]


async def test_stop_by_rcs_stops_the_number_and_twilio_answers_it(
    rcs_story: WhatsAppStory, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Since March 2026 Twilio has one opt-out for SMS, MMS and RCS."""
    await rcs_story.deliver()
    await rcs_story.write("STOP", sender=BY_RCS)
    await rcs_story.deliver()
    assert rcs_story.ways() == [BY_RCS]
    query = ConsentQuery(Channel.SMS, PHONE, None)
    async with organisation.database.reading() as session:
        assert query not in await find_permitted(session, [query])


async def test_text_by_rcs_with_an_unknown_outcome_is_found(
    rcs_story: WhatsAppStory,
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Twilio lists it under "rcs:" and the number; it is not sent again."""
    rcs_story.phone.faults.add(Fault(do=FaultKind.TRUNCATE_201, times=1))
    await deliver_due(organisation.operations, rcs_story.phone)
    clock.shift(timedelta(seconds=10))
    await Reconciler(organisation.operations, Gateways(rcs_story.phone.gateway, None)).once()
    (found,) = await rcs_story.messages()
    assert (found.status, found.provider_sid) == (
        MessageStatus.ACCEPTED, rcs_story.sent()[0].sid,
    )  # fmt: skip
