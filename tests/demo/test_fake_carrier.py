"""The texts of the fake carrier, called with Twilio's SDK, and its control API."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from portal.demo.fake_providers import FakeProviders
from tests.demo.carrier_product import MARTIN, OURS, SERVICE

# The SDK itself still writes its credentials in the way that aiohttp 4 will drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]


async def test_accepted_text_can_be_fetched(simulator: FakeProviders, twilio: Client) -> None:
    taken = await twilio.messages.create_async(to=MARTIN, from_=OURS, body="Hi Martin")
    assert taken.sid.startswith("SM")
    assert len(taken.sid) == 34
    assert (taken.status, taken.direction, taken.num_segments) == ("queued", "outbound-api", "1")
    assert (taken.error_code, taken.date_sent) == (None, None)
    assert abs(taken.date_created - datetime.now(UTC)) < timedelta(seconds=5)
    text = simulator.carrier.find(taken.sid)
    await simulator.wait_for(lambda: text and text.status == "delivered")
    fetched = await twilio.messages(taken.sid).fetch_async()
    assert (fetched.status, fetched.body, fetched.to) == ("delivered", "Hi Martin", MARTIN)
    assert fetched.date_sent is not None


async def test_messaging_service_accepts_before_it_chooses_a_sender(
    simulator: FakeProviders, twilio: Client
) -> None:
    taken = await twilio.messages.create_async(to=MARTIN, messaging_service_sid=SERVICE, body="Hi")
    assert (taken.status, taken.from_, taken.num_segments) == ("accepted", None, "0")
    (text,) = await simulator.wait_for(
        lambda: [t for t in simulator.texts_to(MARTIN) if t.status == "delivered"]
    )
    assert text.statuses == ["accepted", "queued", "sent", "delivered"]
    assert text.from_ == OURS


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"to": "martin", "from_": OURS, "body": "Hi"}, 21211),
        ({"to": MARTIN, "body": "Hi"}, 21603),
        ({"to": MARTIN, "from_": "+14155550199", "body": "Hi"}, 21606),
        ({"to": MARTIN, "messaging_service_sid": "MG1", "body": "Hi"}, 21705),
        ({"to": MARTIN, "from_": OURS, "body": ""}, 21602),
        ({"to": MARTIN, "from_": OURS, "body": "x" * 1601}, 21617),
        ({"to": MARTIN, "from_": OURS, "body": "Hi", "status_callback": "/status"}, 21609),
        ({"to": MARTIN, "from_": OURS, "body": "Hi", "validity_period": 36_001}, 20001),
        ({"to": "+15005550001", "from_": OURS, "body": "Hi"}, 21211),
        ({"to": "+15005550004", "from_": OURS, "body": "Hi"}, 21610),
    ],
)
async def test_rejected_text_is_not_listed(
    simulator: FakeProviders, twilio: Client, words: dict[str, Any], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        await twilio.messages.create_async(**words)
    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert simulator.texts() == ()
    assert simulator.carrier.requests["create"] == 1


async def test_wrong_credentials_and_unknown_messages_are_rejected(
    simulator: FakeProviders, twilio: Client
) -> None:
    with pytest.raises(TwilioRestException) as missing:
        await twilio.messages("SM" + "0" * 32).fetch_async()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    account = await twilio.api.accounts(simulator.config.account_sid).fetch_async()
    assert account.status == "active"
    twilio.auth = (simulator.config.account_sid, "wrong")
    with pytest.raises(TwilioRestException) as refusal:
        await twilio.api.accounts(simulator.config.account_sid).fetch_async()
    assert (refusal.value.status, refusal.value.code) == (401, 20003)


async def test_lists_are_paged_newest_first_and_stable(
    simulator: FakeProviders, twilio: Client
) -> None:
    for number in range(7):
        await twilio.messages.create_async(to=MARTIN, from_=OURS, body=f"Text {number}")
    await twilio.messages.create_async(to="+14155550133", from_=OURS, body="Another's")
    page = await twilio.messages.page_async(to=MARTIN, page_size=3)
    bodies = [text.body for text in page]
    await twilio.messages.create_async(to=MARTIN, from_=OURS, body="Too late for this list")
    while (page := await page.next_page_async()) is not None:
        bodies += [text.body for text in page]
    assert bodies == [f"Text {number}" for number in reversed(range(7))]
    assert len(await twilio.messages.list_async(page_size=2)) == 9
    assert len(await twilio.messages.list_async(limit=4, page_size=3)) == 4


async def test_lists_filter_by_sender_and_time(simulator: FakeProviders, twilio: Client) -> None:
    taken = await twilio.messages.create_async(to=MARTIN, from_=OURS, body="Hi")
    await simulator.receive(MARTIN, "Hello")
    an_hour, now = timedelta(hours=1), datetime.now(UTC)
    found = await twilio.messages.list_async(
        from_=OURS, to=MARTIN, date_sent_after=now - an_hour, date_sent_before=now + an_hour
    )
    assert [text.sid for text in found] == [taken.sid]
    assert await twilio.messages.list_async(date_sent_after=now + an_hour) == []
    assert await twilio.messages.list_async(date_sent_before=now - an_hour) == []
    inbound = await twilio.messages.list_async(to=OURS)
    assert [(text.direction, text.body) for text in inbound] == [("inbound", "Hello")]


async def test_thread_has_the_texts_of_one_phone(
    simulator: FakeProviders, twilio: Client, http: aiohttp.ClientSession
) -> None:
    await twilio.messages.create_async(to="+14155550133", from_=OURS, body="Another's")
    await twilio.messages.create_async(to=MARTIN, from_=OURS, body="Hi")
    await simulator.wait_for(lambda: simulator.texts_to(MARTIN)[0].status == "delivered")
    await simulator.receive(MARTIN, "Hello")
    async with http.get(f"/simulator/threads/{MARTIN}") as answer:
        thread = (await answer.json())["messages"]
    shown = [(text["direction"], text["body"], text["status"]) for text in thread]
    assert shown == [("out", "Hi", "delivered"), ("in", "Hello", "received")]


async def test_control_api_explains_invalid_input(
    simulator: FakeProviders, twilio: Client, http: aiohttp.ClientSession
) -> None:
    async def say(method: str, path: str, **body: Any) -> tuple[int, Any]:
        async with http.request(method, f"/simulator/{path}", **body) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    assert (await say("POST", "inbound", json={"from": "Martin"}))[0] == 400
    assert (await say("POST", "faults", json={"do": "explode"}))[0] == 400
    assert (await say("POST", "faults", json={"do": "hang"}))[1]["error"].endswith('"seconds".')
    assert (await say("GET", "wait?timeout=0.01"))[0] == 408
    status, rule = await say("POST", "faults", json={"do": "status_500", "times": 1})
    assert (status, rule["do"]) == (201, "status_500")
    assert (await say("DELETE", "faults"))[0] == 204
    await twilio.messages.create_async(to=MARTIN, from_=OURS, body="Hi Martin")
    status, waited = await say("GET", f"wait?to=%2B{MARTIN[1:]}&status=delivered&contains=Hi")
    assert (status, [text["body"] for text in waited["messages"]]) == (200, ["Hi Martin"])
    assert (await say("GET", "messages"))[1] == waited
    assert (await say("GET", "requests"))[1] == {"create": 1, "total": 1}
    assert (await say("DELETE", "messages"))[0] == 204
    assert (await say("GET", "messages"))[1] == {"messages": []}


async def test_oldest_texts_are_dropped() -> None:
    async with FakeProviders(keep_texts=2) as simulator:
        for body in ("One", "Two", "Three"):
            await simulator.receive(MARTIN, body)
        assert [text.body for text in simulator.texts()] == ["Two", "Three"]
        assert [text.body for text in simulator.carrier.thread(MARTIN)] == ["Two", "Three"]


async def test_stop_ends_every_wait() -> None:
    async with FakeProviders() as simulator:
        waiting = simulator.wait_for(lambda: simulator.texts_to(MARTIN), timeout=60)
        await asyncio.to_thread(simulator.stop)
        with pytest.raises(TimeoutError, match="stopped"):
            await waiting
