"""A delivered text stays delivered, and a receipt counts only for the text that it names."""

import pytest
from sqlmodel import select

from portal.database import Database
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    ContactPoint,
    DroppedBall,
    Message,
    MessageStatus,
    ServiceRequest,
)
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.twilio_client import TwilioClient
from workers.delivery.gateways import Gateways
from workers.poll_receipts import ReceiptPoller


@pytest.fixture
def phone() -> FakeSmsGateway:
    return FakeSmsGateway()


@pytest.fixture
async def text(
    organisation: Organisation, card_request: ServiceRequest, phone: FakeSmsGateway
) -> Message:
    """The first text about the card, which the carrier has accepted."""
    await deliver_due(organisation.operations, phone)
    (message,) = await organisation.outbound_messages(card_request)
    return message


async def unresolved(database: Database) -> list[DroppedBall]:
    async with database.reading() as session:
        query = select(DroppedBall).where(DroppedBall.resolved_at == None)  # noqa: E711
        return list((await session.exec(query)).all())


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("undelivered", "30003"), ("undelivered", "30005"), ("failed", "30007"), ("failed", "21610"),
        ("undelivered", ""),
    ],
)  # fmt: skip
async def test_delivered_text_stays_delivered(
    status: str,
    code: str,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    text: Message,
    phone: FakeSmsGateway,
) -> None:
    """No second text, no mail, no ball, no retired number; also when the carrier is polled."""
    sid = text.provider_sid
    await twilio.receipt(text, "delivered", sid)
    (delivered,) = await organisation.outbound_messages(card_request)
    for _ in range(2):
        assert await twilio.receipt(text, status, sid, ErrorCode=code) == 204
    await ReceiptPoller(organisation.operations, Gateways(phone.gateway, None)).once()
    (message,) = await organisation.outbound_messages(card_request)
    assert (message.status, message.error_code, message.reason) == (
        MessageStatus.DELIVERED, None, None,
    )  # fmt: skip
    assert (message.delivered_at, message.poll_at) == (delivered.delivered_at, None)
    assert await unresolved(organisation.database) == []
    async with organisation.database.reading() as session:
        query = select(ContactPoint).where(ContactPoint.address == MARTIN.phone)
        assert (await session.exec(query)).one().valid_until is None
    request = await organisation.reload(card_request)
    assert request.customer.address(Channel.SMS, text.created_at) == MARTIN.phone


async def test_poll_that_reports_a_failure_leaves_a_delivered_text(
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    text: Message,
    phone: FakeSmsGateway,
) -> None:
    """A row that an earlier version marked for polling."""
    await twilio.receipt(text, "delivered", text.provider_sid)
    async with organisation.database.transaction() as session:
        (await session.get_one(Message, text.id)).poll_at = text.created_at
    sent = phone.account.find(text.provider_sid)
    assert sent is not None
    sent.status, sent.error_code = "undelivered", 30003
    await ReceiptPoller(organisation.operations, Gateways(phone.gateway, None)).once()
    (message,) = await organisation.outbound_messages(card_request)
    assert (message.status, message.poll_at) == (MessageStatus.DELIVERED, None)
    assert await unresolved(organisation.database) == []


async def test_failed_text_is_delivered_once_the_carrier_says_so(
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    text: Message,
    phone: FakeSmsGateway,
) -> None:
    sent = phone.account.find(text.provider_sid)
    assert sent is not None
    sent.status = "delivered"
    await twilio.receipt(text, "undelivered", text.provider_sid, ErrorCode="30005")
    await twilio.receipt(text, "delivered", text.provider_sid)
    await ReceiptPoller(organisation.operations, Gateways(phone.gateway, None)).once()
    message, *_ = await organisation.outbound_messages(card_request)
    assert (message.status, message.error_code) == (MessageStatus.DELIVERED, None)


@pytest.mark.parametrize("status", ["delivered", "undelivered", "failed"])
@pytest.mark.parametrize("own_sid", ["with a sid", "without"])
async def test_receipt_with_the_sid_of_another_text_changes_nothing(
    status: str,
    own_sid: str,
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    text: Message,
    phone: FakeSmsGateway,
) -> None:
    """Nor where our text has no sid yet: the other text keeps its own."""
    other_request = await organisation.open(by=SYSTEM_ACTOR)
    if own_sid == "with a sid":
        await deliver_due(organisation.operations, phone)
    (other,) = await organisation.outbound_messages(other_request)
    assert await twilio.receipt(other, status, text.provider_sid, ErrorCode="30005") == 204
    (unchanged,) = await organisation.outbound_messages(other_request)
    assert (unchanged.status, unchanged.provider_sid, unchanged.error_code) == (
        other.status, other.provider_sid, None,
    )  # fmt: skip
    assert not unchanged.possible_duplicate
    (first,) = await organisation.outbound_messages(card_request)
    assert (first.status, first.provider_sid) == (text.status, text.provider_sid)
    assert await unresolved(organisation.database) == []


async def test_receipt_with_the_sid_of_an_inbound_text_changes_nothing(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest, text: Message
) -> None:
    await twilio.text("thanks", sid="SMinbound")
    assert await twilio.receipt(text, "delivered", "SMinbound") == 204
    (message,) = await organisation.outbound_messages(card_request)
    assert (message.status, message.provider_sid) == (text.status, text.provider_sid)
    assert not message.possible_duplicate


async def test_ignored_receipt_is_logged_without_personal_data(
    twilio: TwilioClient,
    organisation: Organisation,
    text: Message,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other_request = await organisation.open(by=SYSTEM_ACTOR)
    (other,) = await organisation.outbound_messages(other_request)
    await twilio.receipt(other, "failed", text.provider_sid, ErrorCode="30005")
    logged = caplog.text + capsys.readouterr().out
    assert "a receipt with the id of another message is ignored" in logged
    assert MARTIN.phone not in logged


async def test_poll_answered_about_another_text_changes_nothing(
    organisation: Organisation,
    card_request: ServiceRequest,
    text: Message,
    phone: FakeSmsGateway,
) -> None:
    other_request = await organisation.open(by=SYSTEM_ACTOR)
    await deliver_due(organisation.operations, phone)
    (other,) = await organisation.outbound_messages(other_request)
    wrong = phone.account.find(other.provider_sid)
    assert wrong is not None
    wrong.status, wrong.error_code = "undelivered", 30005
    phone.account._texts[text.provider_sid] = wrong
    async with organisation.database.transaction() as session:
        (await session.get_one(Message, text.id)).poll_at = text.created_at
        (await session.get_one(Message, other.id)).poll_at = None
    await ReceiptPoller(organisation.operations, Gateways(phone.gateway, None)).once()
    (message,) = await organisation.outbound_messages(card_request)
    assert (message.status, message.error_code) == (text.status, None)
    assert await unresolved(organisation.database) == []
