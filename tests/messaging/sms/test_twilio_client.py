"""Each way that a send can end is told apart by whether the customer may have the text."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.messaging.send_errors import NotSent, OutcomeUnknown, Refused, Throttled
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_client import TwilioClient
from portal.models import DeliveryReason, MessageStatus

TO, OURS = "+14155550132", "+14155550100"
CALLBACK = "https://kept.example/hooks/twilio/status?m=7"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    form: dict[str, list[str]]
    over: asyncio.Event


Answer = Callable[[asyncio.StreamWriter, Asked], Awaitable[None]]


@dataclass
class Wire:
    """A server on loopback that answers as it is told, down to the bytes."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = first.split(" ")
                url = urlsplit(target)
                query = parse_qs(url.query)
                asked = Asked(method, url.path, query, parse_qs(body.decode()), self.over)
                self.asked.append(asked)
                self.heard.set()
                await self.answers.pop(0)(writer, asked)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def says(status: int, body: str, kind: str = "application/json", cut: int = 0) -> Answer:
    async def answer(writer: asyncio.StreamWriter, _: Asked) -> None:
        raw = body.encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n\r\n"
        writer.write(head.encode() + raw[: len(raw) - cut])
        await writer.drain()
        if cut:
            writer.close()

    return answer


def refuses(status: int, code: int) -> Answer:
    return says(status, json.dumps({"status": status, "code": code, "message": "no"}))


async def hangs_up(writer: asyncio.StreamWriter, _: Asked) -> None:
    writer.close()


async def hangs(_: asyncio.StreamWriter, asked: Asked) -> None:
    await asked.over.wait()


def text(**changes: object) -> dict[str, object]:
    return {
        "sid": "SM1",
        "status": "queued",
        "to": TO,
        "from": OURS,
        "body": "Hello",
        "num_segments": "1",
        "direction": "outbound-api",
        "date_created": format_datetime(NOW),
        "error_code": None,
    } | changes


CREATED = says(201, json.dumps(text()))


@asynccontextmanager
async def carrier_says(*answers: Answer, sender: str = OURS, limit: float = 5):
    wire = Wire(list(answers))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gateway = TwilioClient("AC1", "token", sender, api_url=wire.url + "/", timeout=limit)
    try:
        yield gateway, wire
    finally:
        await gateway.close()
        wire.over.set()
        server.close()


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
