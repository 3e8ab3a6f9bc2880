"""Twilio webhooks: a signed one is recorded once, an unsigned one changes nothing."""

import asyncio
from urllib.parse import quote, urlencode

import httpx2
import pytest
from sqlmodel import select
from twilio.request_validator import RequestValidator

from portal.database import Database
from portal.models import (
    Channel,
    Direction,
    DroppedBall,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.settings import Settings
from tests.support.cpu_limit import cpu_limit
from tests.support.factories import Organisation
from tests.support.twilio_client import INBOUND, PHONE, TwilioClient


async def heard(organisation: Organisation) -> list[Message]:
    """Every message that came in."""
    return [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]


async def test_repeated_webhook_records_one_text(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Twilio repeats itself: one record, one acknowledgement."""
    for _ in range(3):
        assert await twilio.text("Can it go to my office?") == 200
    (message,) = await heard(organisation)
    assert message.request_id == card_request.id
    answers = [
        m
        for m in await organisation.outbound_messages(card_request)
        if m.kind == MessageKind.ACKNOWLEDGEMENT
    ]
    assert len(answers) == 1


async def test_concurrent_webhooks_record_one_text(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A refusal would stand as an error in the carrier's log, though we have the text."""
    told = [twilio.text("Can it go to my office?") for _ in range(5)]
    assert await asyncio.gather(*told) == [200] * 5
    (message,) = await heard(organisation)
    assert message.request_id == card_request.id


async def test_nul_is_removed_and_overlong_values_are_truncated(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A NUL, and identities and codes far too long: taken as far as they go."""
    assert await twilio.text("one\x00two", To="+1\x00", sid="S" * 300) == 200
    assert [message.body for message in await heard(organisation)] == ["onetwo"]
    (message, *_) = await organisation.outbound_messages(card_request)
    assert await twilio.receipt(message, "failed", sid="R" * 400, ErrorCode="9" * 40) == 204
    (message, *_) = await organisation.outbound_messages(card_request)
    assert message.status == MessageStatus.FAILED


@pytest.mark.parametrize("attack", ["unsigned", "forged", "another path"])
async def test_invalid_signature_changes_nothing(
    attack: str,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """403 for a missing, a wrong and a borrowed signature."""
    form = {"MessageSid": "SM9", "From": PHONE, "To": "+1", "Body": "stop"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if attack == "forged":
        headers["X-Twilio-Signature"] = "bm90IGl0"
    elif attack == "another path":
        signer = RequestValidator("the token of the tests")
        headers["X-Twilio-Signature"] = signer.compute_signature(
            "http://testserver/hooks/twilio/status", form
        )
    answer = await client.post(INBOUND, content=urlencode(form), headers=headers)
    assert answer.status_code == 403
    assert await heard(organisation) == []


async def test_unexpected_bodies_are_4xx(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """Whatever cannot be checked is not signed: 403, never a 500."""
    for content, kind in (
        (b"{}", "application/json"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
    ):
        headers = {"Content-Type": kind, "X-Twilio-Signature": "x"}
        answer = await client.post(INBOUND, content=content, headers=headers)
        assert answer.status_code in (400, 403)
    assert await heard(organisation) == []


async def test_host_header_is_ignored(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The signature is checked against our configured origin, whatever a proxy calls us."""
    form = {"MessageSid": "SM1", "From": PHONE, "To": "+15005550006", "Body": "Hello there"}
    assert await twilio.post(INBOUND, form, host="evil.example") == 200
    assert len(await heard(organisation)) == 1


async def test_signature_covers_blank_and_unknown_parameters(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Twilio adds parameters without notice; blanks count."""
    assert await twilio.text("Hi, one question", FromCity="", SomethingNew="x") == 200
    assert len(await heard(organisation)) == 1


async def test_receipt_before_sid_is_stored_counts_as_accepted(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A callback may be quicker than the answer to the POST: our id in the address settles it."""
    (message,) = await organisation.outbound_messages(card_request)
    assert await twilio.receipt(message, "sent") == 204
    (message,) = await organisation.outbound_messages(card_request)
    assert message.status == MessageStatus.SENT
    assert message.provider_sid == "SMout"


async def test_status_never_regresses(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Receipts come doubled and out of order."""
    (message,) = await organisation.outbound_messages(card_request)
    for word in ("delivered", "sent", "queued", "delivered", "sending"):
        await twilio.receipt(message, word)
    (message,) = await organisation.outbound_messages(card_request)
    assert message.status == MessageStatus.DELIVERED
    assert message.delivered_at is not None


async def test_undelivered_text_falls_back_to_email(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A known failure, and only that, uses the other channel: the same cause, once."""
    (message,) = await organisation.outbound_messages(card_request)
    for _ in range(2):
        await twilio.receipt(message, "undelivered", ErrorCode="30005")
    first, second = await organisation.outbound_messages(card_request)
    assert (first.status, first.error_code) == (MessageStatus.UNDELIVERED, "30005")
    assert (second.channel, second.cause) == (Channel.EMAIL, first.cause)


async def test_second_sid_creates_a_dropped_ball(
    twilio: TwilioClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    database: Database,
) -> None:
    """The provider took it twice and nobody planned it: a person sees it, once."""
    (message,) = await organisation.outbound_messages(card_request)
    await twilio.receipt(message, "sent", sid="SMa")
    for word in ("sent", "delivered"):
        await twilio.receipt(message, word, sid="SMb")
    async with database.reading() as session:
        (ball,) = (await session.exec(select(DroppedBall))).all()
    assert ball.owner_id == card_request.owner_id
    (message,) = await organisation.outbound_messages(card_request)
    assert message.provider_sid == "SMa"
    assert message.possible_duplicate


@pytest.mark.parametrize("m", ["", "0", "999999", "x", "1e3", "99999999999999999999", "²"])
async def test_receipt_for_an_unknown_message_is_accepted_and_changes_nothing(
    m: str, client: httpx2.AsyncClient, settings: Settings, card_request: ServiceRequest
) -> None:
    """Twilio would repeat an error for hours."""
    path = f"/hooks/twilio/status?m={quote(m)}"
    form = {"MessageSid": "SMx", "MessageStatus": "sent"}
    signer = RequestValidator(settings.twilio_auth_tokens[0].get_secret_value())
    answer = await client.post(
        path,
        content=urlencode(form),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signer.compute_signature(settings.public_url + path, form),
        },
    )
    assert answer.status_code == 204


async def test_text_that_repeats_a_keyword_is_answered(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """155 letters: a pattern that tried each division of them would take minutes."""
    body = "stop " * 30 + "zebra"
    with cpu_limit(5):
        assert await twilio.text(body) == 200
    (message,) = await heard(organisation)
    assert (message.body, message.request_id) == (body, card_request.id)
    assert await organisation.outbound_messages(card_request)


async def test_angry_stop_is_obeyed(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    with cpu_limit(5):
        assert await twilio.text("STOP " * 30 + ", you people") == 200
    (message,) = await heard(organisation)
    assert message.intent == "stop"
    kinds = [answer.kind for answer in await organisation.messages()]
    assert kinds.count(MessageKind.CONSENT) == 1
