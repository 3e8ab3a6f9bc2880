"""What follows from a receipt: a retry, another channel, a retired address, or a dropped ball."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select

from portal.database import Database
from portal.demo.fake_providers import FakeProviders
from portal.messaging.sms import twilio_client
from portal.models import (
    Channel,
    Consent,
    DroppedBall,
    DroppedBallKind,
    Message,
    MessageStatus,
    ServiceRequest,
)
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due, delivered_bodies
from tests.support.twilio_client import TwilioClient
from workers.delivery.gateways import Gateways, SmsGateway
from workers.poll_receipts import ReceiptPoller


async def sent(organisation: Organisation, request: ServiceRequest) -> Message:
    """The newest message to the customer, handed to the carrier."""
    await delivered_bodies(organisation.operations, FakeSmsGateway())
    return (await organisation.outbound_messages(request))[-1]


async def test_phone_off_is_retried_once_later(
    twilio: TwilioClient, clock, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """30003: the same words go once more as a text of their own; the first keeps its end."""
    first = await sent(organisation, card_request)
    for _ in range(2):
        await twilio.receipt(first, "undelivered", first.provider_sid, ErrorCode="30003")
    first, second = await organisation.outbound_messages(card_request)
    assert (first.status, second.status) == (MessageStatus.UNDELIVERED, MessageStatus.QUEUED)
    assert (second.channel, second.body) == (Channel.SMS, first.body)
    assert await delivered_bodies(organisation.operations, FakeSmsGateway()) == []
    clock.shift(timedelta(minutes=11))
    second = await sent(organisation, card_request)
    await twilio.receipt(first, "sent", first.provider_sid)
    await twilio.receipt(second, "undelivered", second.provider_sid, ErrorCode="30003")
    first, second, mail = await organisation.outbound_messages(card_request)
    assert (first.status, second.status) == (MessageStatus.UNDELIVERED,) * 2
    assert mail.channel == Channel.EMAIL


@pytest.mark.parametrize("code", ["30006", "30007", "30034", "99999", ""])
async def test_permanent_failure_falls_back_to_email(
    code: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A landline, filtered words, a number not registered, a code that we do not know."""
    first = await sent(organisation, card_request)
    await twilio.receipt(first, "undelivered", first.provider_sid, ErrorCode=code)
    first, mail = await organisation.outbound_messages(card_request)
    assert first.status == MessageStatus.UNDELIVERED
    assert first.reason
    assert mail.channel == Channel.EMAIL


async def test_dead_number_is_retired(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """30005: the next words find the mail address by themselves."""
    first = await sent(organisation, card_request)
    await twilio.receipt(first, "undelivered", first.provider_sid, ErrorCode="30005")
    request = await organisation.reload(card_request)
    assert request.customer.address(Channel.SMS, first.created_at + timedelta(days=1)) is None


async def test_opt_out_named_only_in_the_receipt_is_recorded(
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    database: Database,
) -> None:
    """21610 by callback withdraws the consent as it does at once."""
    first = await sent(organisation, card_request)
    await twilio.receipt(first, "failed", first.provider_sid, ErrorCode="21610")
    async with database.reading() as session:
        lines = (await session.exec(select(Consent).where(Consent.address == MARTIN.phone))).all()
    assert [line.granted for line in lines] == [True, False]
    assert "21610" in lines[-1].evidence


async def test_late_receipt_resolves_the_failed_message(
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    database: Database,
) -> None:
    """The facts close it, not a click."""
    message = await sent(organisation, card_request)
    async with database.transaction() as session:
        held = await session.get_one(Message, message.id)
        held.status, held.provider_sid = MessageStatus.REVIEW, None
        session.add(
            DroppedBall(
                kind=DroppedBallKind.OUTCOME_UNKNOWN,
                subject=f"message:{message.id}",
                request_id=card_request.id,
                dropped_at=message.created_at,
                raised_at=message.created_at,
            )
        )
    await twilio.receipt(message, "sent", "SMlate")
    async with database.reading() as session:
        (ball,) = (await session.exec(select(DroppedBall))).all()
    assert ball.resolved_at is not None


async def test_second_sid_creates_a_dropped_ball_even_for_a_marked_copy(
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    database: Database,
) -> None:
    """Sent once more on purpose, and then both turn out to have gone: the customer has it twice."""
    message = await sent(organisation, card_request)
    async with database.transaction() as session:
        (await session.get_one(Message, message.id)).possible_duplicate = True
    for _ in range(2):
        await twilio.receipt(message, "sent", "SMother")
    async with database.reading() as session:
        (ball,) = (await session.exec(select(DroppedBall))).all()
    assert ball.kind == DroppedBallKind.SENT_TWICE


class Asked:
    """A carrier that can be asked, on loopback."""

    def __init__(self, organisation: Organisation, simulator: FakeProviders) -> None:
        config = simulator.config
        gateway = twilio_client.TwilioClient(
            config.account_sid, config.auth_token, config.from_number, api_url=simulator.api_url
        )
        self.simulator = simulator
        self.gateways = Gateways(
            SmsGateway(gateway, organisation.operations.settings.public_url), None
        )
        self.receipt_poller = ReceiptPoller(organisation.operations, self.gateways)


@pytest.fixture
def simulator() -> Iterator[FakeProviders]:
    """A carrier whose callbacks nobody hears."""
    with FakeProviders(auth_token="the token of the tests") as simulator:
        yield simulator


@pytest.fixture
async def asked(organisation: Organisation, simulator: FakeProviders):
    """What may be asked, and whom."""
    asked = Asked(organisation, simulator)
    yield asked
    await asked.gateways.close()


async def handed_over(
    organisation: Organisation, asked: Asked, request: ServiceRequest, ends: str = "delivered"
) -> Message:
    """A text that the carrier really has, and with which it is done."""
    await deliver_due(organisation.operations, asked.gateways.texts)
    await asked.simulator.wait_for(
        lambda: [t for t in asked.simulator.texts_to(MARTIN.phone) if t.status == ends]
    )
    return (await organisation.outbound_messages(request))[-1]


async def test_missing_receipt_is_polled(
    clock, organisation: Organisation, card_request: ServiceRequest, asked: Asked
) -> None:
    """After a quarter of an hour the carrier is asked, and its word counts."""
    message = await handed_over(organisation, asked, card_request)
    await asked.receipt_poller.once()
    assert (await organisation.outbound_messages(card_request))[0].status == message.status
    clock.shift(timedelta(minutes=16))
    await asked.receipt_poller.once()
    (message,) = await organisation.outbound_messages(card_request)
    assert (message.status, message.poll_at) == (MessageStatus.DELIVERED, None)


async def test_polling_slows_down_and_then_ends(
    clock, organisation: Organisation, card_request: ServiceRequest, asked: Asked
) -> None:
    """For three days; from then on it stands as no receipt, and still as sent."""
    asked.simulator.fault("no_receipt")
    await handed_over(organisation, asked, card_request, ends="sent")
    asked_at = []
    while (
        next_time := (await organisation.outbound_messages(card_request))[0].poll_at
    ) is not None:
        clock.move_to(next_time)
        asked_at.append(next_time)
        await asked.receipt_poller.once()
    (message,) = await organisation.outbound_messages(card_request)
    assert message.status == MessageStatus.SENT
    assert message.has_no_receipt(message.sent_at + timedelta(days=3))
    assert not message.has_no_receipt(message.sent_at + timedelta(days=2, hours=23))
    assert len(asked_at) < 12
    assert asked_at[-1] == message.sent_at + timedelta(days=3)


async def test_conflicting_final_receipts_are_polled(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest, asked: Asked
) -> None:
    """Delivered, says one receipt, and failed, another: neither takes the other back by itself."""
    message = await handed_over(organisation, asked, card_request)
    await twilio.receipt(message, "undelivered", message.provider_sid, ErrorCode="30005")
    await twilio.receipt(message, "delivered", message.provider_sid)
    assert (await organisation.outbound_messages(card_request))[
        0
    ].status == MessageStatus.UNDELIVERED
    await asked.receipt_poller.once()
    (message, *_) = await organisation.outbound_messages(card_request)
    assert (message.status, message.error_code) == (MessageStatus.DELIVERED, None)
    assert message.delivered_at is not None


async def test_unanswered_poll_is_repeated(
    clock, organisation: Organisation, card_request: ServiceRequest, asked: Asked
) -> None:
    """An inquiry that fails changes nothing but the time of the next."""
    await handed_over(organisation, asked, card_request)
    clock.shift(timedelta(minutes=16))
    asked.simulator.fault("status_500", on="fetch", times=1)
    await asked.receipt_poller.once()
    (message,) = await organisation.outbound_messages(card_request)
    assert message.status != MessageStatus.DELIVERED
    clock.shift(timedelta(minutes=6))
    await asked.receipt_poller.once()
    assert (await organisation.outbound_messages(card_request))[0].status == MessageStatus.DELIVERED
