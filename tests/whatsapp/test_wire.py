"""What goes to Twilio and comes back by HTTP: channel addresses, templates, refusals, "read"."""

from collections.abc import AsyncIterator

import pytest

from portal.demo.fake_providers import FakeProviders, Text
from portal.messaging.send_errors import Refused
from portal.messaging.sms.twilio_client import TwilioClient, WhatsAppContent
from portal.models import MessageStatus
from tests.support.twilio_client import PHONE
from tests.whatsapp.conftest import (
    BY_WHATSAPP,
    SERVICE,
    TEMPLATE_BODY,
    TEMPLATE_SID,
    WHATSAPP_NUMBER,
)

VARIABLES = '{"1": "your card", "2": "It is in the mail.", "3": "https://kept.example/r/1"}'


@pytest.fixture
async def providers() -> AsyncIterator[FakeProviders]:
    async with FakeProviders(
        messaging_service_sid=SERVICE,
        whatsapp_number=WHATSAPP_NUMBER,
        templates={TEMPLATE_SID: TEMPLATE_BODY},
        rcs_agent="acme_agent",
        rcs_numbers=frozenset({PHONE}),
        reads_messages=True,
    ) as providers:
        yield providers


@pytest.fixture
async def twilio_api(providers: FakeProviders) -> AsyncIterator[TwilioClient]:
    config = providers.config
    client = TwilioClient(config.account_sid, config.auth_token, SERVICE, api_url=providers.api_url)
    yield client
    await client.close()


async def ended(providers: FakeProviders) -> Text:
    """The last text, once it has its last status."""
    last = {"read", "delivered", "failed"}
    (text,) = await providers.wait_for(
        lambda: [
            text
            for text in providers.carrier.texts()[-1:]
            if text.status in last and (text.status != "delivered" or ":" not in text.to)
        ]
    )
    return text


async def test_template_goes_without_a_body(
    providers: FakeProviders, twilio_api: TwilioClient
) -> None:
    accepted = await twilio_api.send(
        PHONE, "Our own words", f"{providers.api_url}/nowhere",
        whatsapp=WhatsAppContent(TEMPLATE_SID, VARIABLES),
    )  # fmt: skip
    assert (accepted.status, accepted.segments) == (MessageStatus.ACCEPTED, 0)
    text = await ended(providers)
    assert (text.to, text.from_) == (BY_WHATSAPP, f"whatsapp:{WHATSAPP_NUMBER}")
    assert text.body == (
        "Acme Bank about your card: It is in the mail. All of it: https://kept.example/r/1 "
        "Reply STOP to end."
    )
    assert text.status == "read"
    record = await twilio_api.fetch(text.sid)
    assert record is not None
    assert (record.to, record.status) == (BY_WHATSAPP, MessageStatus.DELIVERED)


@pytest.mark.parametrize(
    ("sid", "variables", "code"),
    [("HX" + "b" * 32, VARIABLES, 21655), (TEMPLATE_SID, '{"1": "", "2": "x", "3": "y"}', 21656)],
)
async def test_refused_template_asks_for_sms(
    sid: str, variables: str, code: int, twilio_api: TwilioClient
) -> None:
    with pytest.raises(Refused) as refusal:
        await twilio_api.send(PHONE, "Hi", "", whatsapp=WhatsAppContent(sid, variables))
    assert (refusal.value.code, refusal.value.action) == (code, "by_sms")


async def test_free_text_goes_within_the_window_alone(
    providers: FakeProviders, twilio_api: TwilioClient
) -> None:
    await twilio_api.send(PHONE, "Hi", f"{providers.api_url}/x", whatsapp=WhatsAppContent())
    text = await ended(providers)
    assert (text.status, text.error_code) == ("failed", 63016)
    await providers.receive(BY_WHATSAPP, "Hello")
    await twilio_api.send(PHONE, "Hi Martin", f"{providers.api_url}/x", whatsapp=WhatsAppContent())
    text = await ended(providers)
    assert (text.body, text.status) == ("Hi Martin", "read")


async def test_service_sends_by_rcs_where_the_phone_takes_it(
    providers: FakeProviders, twilio_api: TwilioClient
) -> None:
    await twilio_api.send(PHONE, "Hi", f"{providers.api_url}/x")
    text = await ended(providers)
    assert (text.to, text.from_, text.status) == (f"rcs:{PHONE}", "rcs:acme_agent", "read")
    await twilio_api.send("+14155550177", "Hi", f"{providers.api_url}/x")
    text = await ended(providers)
    assert (text.to, text.status) == ("+14155550177", "delivered")
