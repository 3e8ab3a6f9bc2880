"""Texts are looked up at Twilio: one by its SID, several by a listing."""

import json
from datetime import timedelta
from email.utils import format_datetime

import pytest

from portal.messaging.send_errors import OutcomeUnknown, Refused, Throttled
from portal.messaging.sms import twilio_codes
from portal.models import MessageStatus
from tests.messaging.sms.wire import NOW, TO, Answer, carrier_says, refuses, says, text


async def test_fetch_returns_the_text_or_none():
    late = text(status="undelivered", error_code=30003)
    async with carrier_says(
        says(200, json.dumps(late)), refuses(404, 20404), says(503, ""), refuses(401, 20003)
    ) as (gateway, wire):
        found = await gateway.fetch("SM1")
        assert found is not None
        assert (found.status, found.error_code) == (MessageStatus.UNDELIVERED, 30003)
        assert found.created_at == NOW
        assert await gateway.fetch("SM2") is None
        with pytest.raises(OutcomeUnknown):
            await gateway.fetch("SM3")
        with pytest.raises(Refused):
            await gateway.fetch("SM4")
    assert wire.asked[0].path == "/2010-04-01/Accounts/AC1/Messages/SM1.json"


async def test_find_sent_reads_every_page_in_its_window():
    """Only ours, only out, only within the window: what else stands there is not adopted."""

    def at(**ago: float) -> str:
        return format_datetime(NOW - timedelta(**ago))

    first = [
        text(sid="SM3", date_created=at(minutes=1)),
        text(sid="SM2", date_created=at(minutes=2), **{"from": "+14155550199"}),
        text(sid="SM9", date_created=at(minutes=2), direction="inbound"),
    ]
    second = [text(sid="SM1", date_created=at(minutes=3)), text(sid="SM0", date_created=at(days=2))]
    more = "/2010-04-01/Accounts/AC1/Messages.json?Page=1&PageToken=PT1"
    async with carrier_says(
        says(200, json.dumps({"messages": first, "next_page_uri": more, "page": 0})),
        says(200, json.dumps({"messages": second, "next_page_uri": None, "page": 1})),
    ) as (gateway, wire):
        found = await gateway.find_sent(TO, NOW - timedelta(hours=1), NOW)
    assert [sent.sid for sent in found] == ["SM1", "SM3"]
    assert wire.asked[0].query["To"] == [TO]
    assert wire.asked[1].query["PageToken"] == ["PT1"]


async def test_one_listing_serves_all_recipients():
    """Read back page by page to the moment asked for, and no further.

    Unfiltered: a text that still waits at the carrier has no date of sending to be found by.
    """
    waits = text(status="queued", date_sent=None)
    old = text(sid="SM0", date_created=format_datetime(NOW - timedelta(days=2)))

    def page(number: int, *texts: dict[str, object]) -> Answer:
        more = f"/2010-04-01/Accounts/AC1/Messages.json?Page={number + 1}&PageToken=PT"
        return says(200, json.dumps({"messages": texts, "next_page_uri": more, "page": number}))

    async with carrier_says(page(0, waits), page(1, old), page(2, old)) as (gateway, wire):
        found = await gateway.find_sent(None, NOW - timedelta(hours=1), NOW + timedelta(minutes=1))
    assert [sent.to for sent in found] == [TO]
    assert len(wire.asked) == 2
    assert not {"To", "DateSent", "DateSent>", "DateSent<"} & wire.asked[0].query.keys()


async def test_failed_listing_raises():
    async with carrier_says(says(500, ""), refuses(401, 20003), refuses(429, 20429)) as (
        gateway,
        _,
    ):
        for problem in (OutcomeUnknown, Refused, Throttled):
            with pytest.raises(problem):
                await gateway.find_sent(TO, NOW - timedelta(hours=1), NOW)


def test_every_twilio_status_is_mapped():
    assert twilio_codes.status("queued") == MessageStatus.ACCEPTED
    assert twilio_codes.status("Delivered") == MessageStatus.DELIVERED
    assert twilio_codes.status("read") == MessageStatus.DELIVERED
    assert twilio_codes.status("canceled") == MessageStatus.FAILED
    assert twilio_codes.status("teleported") == MessageStatus.ACCEPTED
    assert twilio_codes.status(None) == MessageStatus.ACCEPTED


def test_retried_error_code_is_not_permanent():
    for code, verdict in twilio_codes.FAILURE_RULES.items():
        assert verdict.permanent == (verdict.action not in ("retry_later", "pause_queue")), code
    assert twilio_codes.verdict(30003).retries == twilio_codes.verdict(30008).retries == 1
    assert twilio_codes.verdict(30001).retries is None
    assert (
        twilio_codes.verdict(30007).action == twilio_codes.verdict(30006).action == "never_resend"
    )
