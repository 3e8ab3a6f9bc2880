"""Each outcome of a send says whether the customer may have the text."""

import asyncio
import json

import pytest

from portal.messaging.send_errors import NotSent, OutcomeUnknown, Refused, Throttled
from portal.messaging.sms.twilio_client import TwilioClient
from portal.models import DeliveryReason, MessageStatus
from tests.messaging.sms.wire import OURS, TO, Asked, carrier_says, refuses, says, text

CALLBACK = "https://kept.example/hooks/twilio/status?m=7"


async def hangs_up(writer: asyncio.StreamWriter, _: Asked) -> None:
    writer.close()


async def hangs(_: asyncio.StreamWriter, asked: Asked) -> None:
    await asked.over.wait()


CREATED = says(201, json.dumps(text()))


async def test_text_is_sent_once_with_all_parameters():
    async with carrier_says(CREATED) as (gateway, wire):
        accepted = await gateway.send(TO, "Hëllo €", CALLBACK, validity_seconds=99_999)
    assert (accepted.sid, accepted.status, accepted.segments) == ("SM1", MessageStatus.ACCEPTED, 1)
    (asked,) = wire.asked
    assert (asked.method, asked.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert asked.form == {
        "To": [TO],
        "From": [OURS],
        "Body": ["Hëllo €"],
        "StatusCallback": [CALLBACK],
        "ValidityPeriod": ["36000"],
    }


async def test_messaging_service_replaces_the_sender():
    async with carrier_says(CREATED, sender="MG1") as (gateway, wire):
        await gateway.send(TO, "Hello", CALLBACK)
    assert wire.asked[0].form["MessagingServiceSid"] == ["MG1"]
    assert "From" not in wire.asked[0].form


async def test_twilio_region_in_the_environment_is_ignored(monkeypatch):
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    async with carrier_says(CREATED) as (gateway, _):
        assert (await gateway.send(TO, "Hello", CALLBACK)).sid == "SM1"


@pytest.mark.parametrize(
    "answer",
    [
        says(500, '{"code": 20500, "message": "oops", "status": 500}'),
        says(502, "<html>Bad Gateway</html>", kind="text/html"),
        says(503, ""),
        says(408, ""),
        says(201, json.dumps(text()), cut=20),
        says(201, json.dumps(text())[:30]),
        says(201, ""),
        says(201, "{}"),
        says(201, "[]"),
        says(201, "\u00ff" * 3, kind="application/json; charset=ascii"),
        hangs_up,
    ],
    ids="500 502-html 503 408 cut-off half-json empty no-sid list not-text hang-up".split(),  # noqa: SIM905
)
async def test_ambiguous_result_is_outcome_unknown_and_not_retried(answer):
    async with carrier_says(answer, CREATED) as (gateway, wire):
        with pytest.raises(OutcomeUnknown):
            await gateway.send(TO, "Hello", CALLBACK)
        assert len(wire.asked) == 1


async def test_timeout_after_the_request_is_outcome_unknown():
    async with carrier_says(hangs, limit=0.3) as (gateway, _):
        async with asyncio.timeout(3):
            with pytest.raises(OutcomeUnknown):
                await gateway.send(TO, "Hello", CALLBACK)


async def test_refused_connection_is_not_sent():
    async with carrier_says() as (_, wire):
        pass
    gateway = TwilioClient("AC1", "token", OURS, api_url=wire.url)
    with pytest.raises(NotSent):
        await gateway.send(TO, "Hello", CALLBACK)
    await gateway.close()


async def test_unresolved_host_is_not_sent():
    gateway = TwilioClient("AC1", "token", OURS, api_url="http://nowhere.invalid")
    with pytest.raises(NotSent):
        await gateway.send(TO, "Hello", CALLBACK)
    await gateway.close()


async def test_connection_pool_timeout_is_not_sent():
    """The one connection is busy: the second text never left."""
    async with carrier_says(hangs) as (_, wire):
        gateway = TwilioClient("AC1", "token", OURS, api_url=wire.url, timeout=5, connections=1)
        first = asyncio.create_task(gateway.send(TO, "One", CALLBACK))
        await wire.heard.wait()
        gateway._timeout = 0.2
        with pytest.raises(NotSent):
            await gateway.send(TO, "Two", CALLBACK)
        first.cancel()
        await asyncio.wait([first])
        await gateway.close()
    assert len(wire.asked) == 1


async def test_429_is_not_sent():
    async with carrier_says(refuses(429, 20429), says(429, "slow")) as (gateway, _):
        for _ in range(2):
            with pytest.raises(Throttled):
                await gateway.send(TO, "Hello", CALLBACK)


@pytest.mark.parametrize(
    ("status", "code", "action", "permanent"),
    [
        (401, 20003, "pause_queue", False),
        (404, 20404, "pause_queue", False),
        (400, 21211, "bad_number", True),
        (400, 21614, "bad_number", True),
        (400, 21610, "opted_out", True),
        (400, 21408, "person", True),
        (400, 21617, "never_resend", True),
        (400, 99999, "person", True),
    ],
)
async def test_error_code_maps_to_an_action(status, code, action, permanent):
    async with carrier_says(refuses(status, code)) as (gateway, _):
        with pytest.raises(Refused) as refusal:
            await gateway.send(TO, "Hello", CALLBACK)
    seen = (refusal.value.code, refusal.value.action, refusal.value.permanent)
    assert seen == (code, action, permanent)
    assert refusal.value.reason in DeliveryReason


async def test_error_without_code_uses_the_http_status():
    async with carrier_says(says(401, "<html>", kind="text/html")) as (gateway, _):
        with pytest.raises(Refused) as refusal:
            await gateway.send(TO, "Hello", CALLBACK)
    assert (refusal.value.code, refusal.value.action) == (401, "pause_queue")


async def test_cancellation_is_propagated():
    """Nothing is swallowed: the caller knows that it was cut off, and that it is unknown."""
    async with carrier_says(hangs) as (gateway, wire):
        send = asyncio.create_task(gateway.send(TO, "Hello", CALLBACK))
        await wire.heard.wait()
        send.cancel()
        with pytest.raises(asyncio.CancelledError):
            await send


async def test_concurrent_sends_keep_their_own_outcomes():
    async def by_body(writer: asyncio.StreamWriter, asked: Asked) -> None:
        body = asked.form["Body"][0]
        sid = json.dumps(text(sid=f"SM{body}"))
        await (says(500, "") if int(body) % 3 == 0 else says(201, sid))(writer, asked)

    async with carrier_says(*[by_body] * 30) as (gateway, _):
        ends = await asyncio.gather(
            *(gateway.send(TO, str(number), CALLBACK) for number in range(30)),
            return_exceptions=True,
        )
    for number, end in enumerate(ends):
        if number % 3 == 0:
            assert isinstance(end, OutcomeUnknown)
        else:
            assert end.sid == f"SM{number}"
