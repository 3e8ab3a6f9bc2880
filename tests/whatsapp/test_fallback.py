"""What WhatsApp does not take goes by SMS, once, with the reason at the desk."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx2
import pytest
import time_machine
from sqlmodel import select

from portal.demo.fake_providers import Fault, FaultKind
from portal.models import (
    Channel,
    Consent,
    DeliveryReason,
    DroppedBall,
    Message,
    MessageStatus,
    SendAttempt,
    Sender,
    ServiceRequest,
    Transport,
)
from tests.support.desk_client import DeskClient
from tests.support.factories import Organisation
from tests.support.fake_gateways import deliver_due
from tests.support.twilio_client import PHONE, TwilioClient
from tests.tracking.page_requests import link
from tests.whatsapp.conftest import BY_WHATSAPP, WhatsAppStory, next_stage
from workers.delivery.gateways import Gateways
from workers.reconcile import Reconciler

pytestmark = pytest.mark.either_database


async def last_two(story: WhatsAppStory) -> list[Message]:
    return (await story.messages())[-2:]


async def test_window_that_whatsapp_counts_otherwise_costs_no_message(
    story: WhatsAppStory, clock: time_machine.Traveller, twilio: TwilioClient, organisation: Organisation,
    card_request: ServiceRequest,
) -> None:  # fmt: skip
    """63016 comes after the acceptance; however often it is reported, one SMS follows."""
    await story.deliver()
    assert await twilio.text("Where is my card?", sid="SM1", From=BY_WHATSAPP) == 200
    await story.deliver()
    failed, copy = await last_two(story)
    assert (failed.transport, failed.status) == (Transport.WHATSAPP, MessageStatus.FAILED)
    assert (failed.error_code, failed.reason) == ("63016", DeliveryReason.WHATSAPP_WINDOW_CLOSED)
    assert failed.handled_at is not None
    assert (copy.transport, copy.status, copy.body) == (
        Transport.SMS, MessageStatus.DELIVERED, failed.body,
    )  # fmt: skip
    assert copy.segments == 1
    assert story.ways() == [PHONE, BY_WHATSAPP, PHONE]
    for _ in range(2):
        await twilio.receipt(failed, "failed", failed.provider_sid or "", ErrorCode="63016")
    await story.deliver()
    assert story.ways() == [PHONE, BY_WHATSAPP, PHONE]
    async with organisation.database.reading() as session:
        assert (await session.exec(select(DroppedBall))).all() == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (63003, DeliveryReason.WHATSAPP_UNREACHABLE),
        (63024, DeliveryReason.WHATSAPP_UNREACHABLE),
        (63005, DeliveryReason.WHATSAPP_REFUSED),
        (63007, DeliveryReason.WHATSAPP_SENDER),
        (21703, DeliveryReason.WHATSAPP_SENDER),
        (21211, DeliveryReason.WHATSAPP_REFUSED),
        (63999, DeliveryReason.WHATSAPP_REFUSED),
    ],
)
async def test_refusal_falls_back_to_sms(
    code: int, reason: DeliveryReason, story: WhatsAppStory, organisation: Organisation,
    card_request: ServiceRequest,
) -> None:  # fmt: skip
    """Also one about the sender: SMS is not paused because of WhatsApp, and the number stays."""
    await story.deliver()
    await story.write("Where is my card?")
    story.phone.faults.add(Fault(do=FaultKind.ERROR, code=code, times=1))
    await story.deliver()
    failed, copy = await last_two(story)
    assert (failed.status, failed.reason) == (MessageStatus.FAILED, reason)
    assert (copy.transport, copy.status) == (Transport.SMS, MessageStatus.DELIVERED)
    assert story.ways() == [PHONE, PHONE]
    async with organisation.database.reading() as session:
        attempt = (
            await session.exec(select(SendAttempt).where(SendAttempt.message_id == failed.id))
        ).one()
        assert (attempt.error_code, attempt.reason) == (str(code), reason)
        assert [sender.pause_reason for sender in (await session.exec(select(Sender))).all()] == [
            None
        ]


async def test_refusal_that_comes_after_a_person_has_seen_to_it_sends_nothing(
    story: WhatsAppStory, twilio: TwilioClient, organisation: Organisation,
    card_request: ServiceRequest,
) -> None:  # fmt: skip
    await story.deliver()
    await story.write("Where is my card?")
    await story.deliver()
    sent = (await story.messages())[-1]
    assert sent.transport == Transport.WHATSAPP
    async with organisation.database.transaction() as session:
        stored = await session.get_one(Message, sent.id)
        stored.status = MessageStatus.REVIEW
        stored.mark_handled("Tess Sales", stored.created_at)
    await twilio.receipt(sent, "failed", sent.provider_sid or "", ErrorCode="63016")
    last = (await story.messages())[-1]
    assert (last.id, last.status, last.handled_by) == (sent.id, MessageStatus.FAILED, "Tess Sales")


async def test_sms_that_fails_after_whatsapp_goes_by_email(
    story: WhatsAppStory, twilio: TwilioClient, card_request: ServiceRequest
) -> None:
    await story.deliver()
    await story.write("Where is my card?")
    story.phone.faults.add(Fault(do=FaultKind.UNDELIVERED, code=63003, times=1))
    story.phone.faults.add(Fault(do=FaultKind.UNDELIVERED, code=30006, times=1))
    await story.deliver()
    by_whatsapp, by_sms, mail = (await story.messages())[-3:]
    assert (by_whatsapp.transport, by_sms.transport) == (Transport.WHATSAPP, Transport.SMS)
    assert mail.channel == Channel.EMAIL


async def test_block_on_whatsapp_is_a_stop(
    story: WhatsAppStory, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await story.deliver()
    await story.write("Where is my card?")
    story.phone.faults.add(Fault(do=FaultKind.FAILED, code=63014, times=1))
    await story.deliver()
    assert story.ways() == [PHONE, BY_WHATSAPP], "no SMS to somebody who blocks us"
    async with organisation.database.reading() as session:
        stop = (await session.exec(select(Consent).where(Consent.granted == False))).one()  # noqa: E712
    assert (stop.channel, stop.address) == (Channel.SMS, PHONE)


async def test_wrong_credentials_still_pause_everything(
    story: WhatsAppStory, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await story.deliver()
    await story.write("Where is my card?")
    story.phone.faults.add(Fault(do=FaultKind.ERROR, code=20003, times=1))
    await deliver_due(organisation.operations, story.phone)
    assert (await story.messages())[-1].status == MessageStatus.QUEUED


async def test_template_with_an_unknown_outcome_is_found_at_the_provider(
    story: WhatsAppStory, clock: time_machine.Traveller, organisation: Organisation,
    card_request: ServiceRequest,
) -> None:  # fmt: skip
    """Twilio has its own words of a template, so it is found by its number and its time."""
    await story.deliver()
    await story.write("Thank you")
    await story.deliver()
    clock.shift(timedelta(days=2))
    await next_stage(organisation, card_request)
    story.phone.faults.add(Fault(do=FaultKind.TRUNCATE_201, times=1))
    await deliver_due(organisation.operations, story.phone)
    assert (await story.messages())[-1].status == MessageStatus.UNKNOWN
    clock.shift(timedelta(seconds=10))
    await Reconciler(organisation.operations, Gateways(story.phone.gateway, None)).once()
    found = (await story.messages())[-1]
    assert (found.status, found.provider_sid) == (MessageStatus.ACCEPTED, story.sent()[-1].sid)
    assert found.attempts == 1


async def test_page_shows_a_message_that_fell_back_once(
    story: WhatsAppStory, client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    await story.deliver()
    await story.write("Where is my card?")
    story.phone.faults.add(Fault(do=FaultKind.ERROR, code=63024, times=1))
    await story.deliver()
    page = (await client.get(link(card_request))).text
    assert page.count("Acme Bank, by text") == 1
    assert "Acme Bank, by WhatsApp" not in page


async def test_desk_says_why_it_went_by_sms(
    story: WhatsAppStory,
    desk_clients: Callable[[str], Awaitable[DeskClient]],
    card_request: ServiceRequest,
) -> None:
    await story.deliver()
    await story.write("Where is my card?")
    story.phone.faults.add(Fault(do=FaultKind.ERROR, code=63024, times=1))
    await story.deliver()
    desk = await desk_clients("tess")
    page = (await desk.get(f"/desk/requests/{card_request.reference}")).text
    assert "this number cannot be reached on WhatsApp, so it went by SMS" in page
