"""A probe says whether Twilio takes texts, and sends none."""

import pytest

from portal.messaging.send_errors import NotSent, OutcomeUnknown, Refused, SendError
from portal.messaging.sms.twilio_client import TwilioClient
from tests.messaging.sms.test_twilio_client import OURS, carrier_says, hangs_up, refuses, says


async def test_probe_posts_a_text_without_a_recipient() -> None:
    async with carrier_says(refuses(400, 21604)) as (client, wire):
        await client.probe()
    (asked,) = wire.asked
    assert (asked.method, asked.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert "To" not in asked.form
    assert "Body" not in asked.form


@pytest.mark.parametrize(
    ("answer", "outage"),
    [
        (says(503, "<html>"), "Twilio answers 503"),
        (says(500, "{}"), "Twilio answers 500"),
        (hangs_up, "Twilio does not answer"),
    ],
)
async def test_probe_of_a_provider_that_is_down_says_how(answer: object, outage: str) -> None:
    async with carrier_says(answer) as (client, _):  # type: ignore[arg-type]
        with pytest.raises(OutcomeUnknown) as raised:
            await client.probe()
    assert raised.value.outage == outage


async def test_probe_of_a_provider_that_cannot_be_reached_says_so() -> None:
    client = TwilioClient("AC1", "token", OURS, api_url="http://127.0.0.1:9")
    with pytest.raises(NotSent) as raised:
        await client.probe()
    await client.close()
    assert raised.value.outage == "Twilio cannot be reached"


async def test_probe_with_wrong_credentials_is_refused() -> None:
    async with carrier_says(refuses(401, 20003)) as (client, _):
        with pytest.raises(Refused) as raised:
            await client.probe()
    assert raised.value.action == "pause_queue"


async def test_other_errors_are_no_outage() -> None:
    assert SendError("The worker had to stop.").outage == ""
