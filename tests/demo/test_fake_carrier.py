"""The fake carrier, called with Twilio's SDK, and posting to a small webhook server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from portal.demo.fake_providers import FakeProviders

# The SDK itself still writes its credentials in the way that aiohttp 4 will drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

MARTIN = "+14155550132"
OURS = "+14155550100"
SERVICE = "MG" + "0" * 32


class Product:
    """The receiver of webhooks: records each one and gives the configured response."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.answers: list[web.Response] = []
        self.url = ""
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.calls.append({"url": str(request.url), "form": form, "headers": dict(request.headers)})
        await self.may_answer.wait()
        return self.answers.pop(0) if self.answers else web.Response(status=204)

    @property
    def statuses(self) -> list[str]:
        return [call["form"]["MessageStatus"] for call in self.calls]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProviders]:
    with FakeProviders(messaging_service_sid=SERVICE, webhook_timeout=0.3) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: FakeProviders) -> FakeProviders:
    running.carrier.forget()
    running.faults.clear()
    running.inbound_url = None
    return running


@pytest.fixture
async def product(simulator: FakeProviders) -> AsyncIterator[Product]:
    product = Product()
    app = web.Application()
    app.router.add_post("/{path:.*}", product.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    product.url = f"http://{host}:{port}"
    simulator.inbound_url = f"{product.url}/hooks/twilio/inbound"
    yield product
    await runner.cleanup()


@pytest.fixture
async def twilio(simulator: FakeProviders) -> AsyncIterator[Client]:
    http = AsyncTwilioHttpClient()
    client = Client(simulator.config.account_sid, simulator.config.auth_token, http_client=http)
    client.api.base_url = simulator.api_url
    yield client
    await http.close()


@pytest.fixture
async def http(simulator: FakeProviders) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(simulator.api_url) as session:
        yield session


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


async def test_callbacks_are_signed_and_in_order(
    simulator: FakeProviders, twilio: Client, product: Product
) -> None:
    url = f"{product.url}/hooks/twilio/status?m=42"
    taken = await twilio.messages.create_async(
        to=MARTIN, from_=OURS, body="Hi", status_callback=url
    )
    await simulator.wait_for(lambda: len(product.calls) == 3)
    assert product.statuses == ["queued", "sent", "delivered"]
    for call in product.calls:
        assert call["url"] == url
        assert {call["form"][name] for name in ("MessageSid", "SmsSid")} == {taken.sid}
        assert (call["form"]["To"], call["form"]["From"]) == (MARTIN, OURS)
        signature = call["headers"]["X-Twilio-Signature"]
        validator = RequestValidator(simulator.config.auth_token)
        assert validator.validate(url, call["form"], signature)
        assert not validator.validate(f"{url}1", call["form"], signature)


async def test_undelivered_text_has_an_error_code(
    simulator: FakeProviders, twilio: Client, product: Product
) -> None:
    taken = await twilio.messages.create_async(
        to="+14155553005", from_=OURS, body="Hi", status_callback=f"{product.url}/status"
    )
    await simulator.wait_for(lambda: len(product.calls) == 3)
    assert product.statuses == ["queued", "sent", "undelivered"]
    assert product.calls[-1]["form"]["ErrorCode"] == "30005"
    fetched = await twilio.messages(taken.sid).fetch_async()
    assert (fetched.status, fetched.error_code) == ("undelivered", 30005)


@pytest.mark.parametrize(
    ("rule", "told", "status"),
    [
        ({"do": "callback_twice"}, ["queued"] * 2 + ["sent"] * 2 + ["delivered"] * 2, "delivered"),
        ({"do": "callback_reversed"}, ["delivered", "sent", "queued"], "delivered"),
        ({"do": "callback_delay", "seconds": 0.01}, ["queued", "sent", "delivered"], "delivered"),
        ({"do": "no_receipt"}, ["queued", "sent"], "sent"),
        ({"do": "failed", "code": 30008}, ["queued", "failed"], "failed"),
        ({"do": "no_callback"}, [], "delivered"),
    ],
)
async def test_callback_faults(
    simulator: FakeProviders,
    twilio: Client,
    product: Product,
    rule: dict[str, Any],
    told: list[str],
    status: str,
) -> None:
    simulator.fault(**rule, to=MARTIN, times=1)
    await twilio.messages.create_async(
        to=MARTIN, from_=OURS, body="Hi", status_callback=f"{product.url}/status"
    )
    (text,) = simulator.texts_to(MARTIN)
    await simulator.wait_for(lambda: text.status == status and len(text.webhooks) == len(told))
    assert product.statuses == told
    assert simulator.faults.rules() == []


async def test_callback_can_arrive_before_the_response(
    simulator: FakeProviders, twilio: Client, product: Product
) -> None:
    simulator.fault("callback_before_answer")
    taken = await twilio.messages.create_async(
        to=MARTIN, from_=OURS, body="Hi", status_callback=f"{product.url}/status"
    )
    assert taken.status == "queued"
    assert product.statuses == ["queued", "sent", "delivered"]


async def test_inbound_text_is_posted_with_a_signature(
    simulator: FakeProviders, product: Product, http: aiohttp.ClientSession
) -> None:
    words = {"from": MARTIN, "body": "Where is my card? ñ", "media": ["http://127.0.0.1/a.jpg"]}
    async with http.post("/simulator/inbound", json=words) as answer:
        assert answer.status == 201
        said = await answer.json()
    (call,) = product.calls
    form = call["form"]
    assert said == {"sid": form["MessageSid"], "webhook": {"answer": 204, "error": None}}
    assert (form["From"], form["To"], form["Body"]) == (MARTIN, OURS, words["body"])
    assert (form["FromCountry"], form["FromCity"], form["SmsStatus"]) == ("US", "", "received")
    assert (form["NumMedia"], form["MediaContentType0"]) == ("1", "image/jpeg")
    validator = RequestValidator(simulator.config.auth_token)
    url, signature = str(simulator.inbound_url), call["headers"]["X-Twilio-Signature"]
    assert validator.validate(url, form, signature)
    await simulator.receive(MARTIN, "", sid=said["sid"])
    assert product.calls[1]["form"] == form, "the same text, announced once more"


async def test_twiml_response_becomes_a_text(simulator: FakeProviders, product: Product) -> None:
    product.answers = [
        web.Response(
            text="<Response><Message>One</Message><Message><Body>Two</Body></Message></Response>",
            content_type="text/xml",
        ),
        web.Response(text="<Response/>", content_type="text/xml"),
        web.Response(text="<Response", content_type="text/xml"),
    ]
    for _ in range(3):
        _, outcome = await simulator.receive(MARTIN, "Hello")
        assert outcome.status == 200
    assert [text.body for text in simulator.texts_to(MARTIN)] == ["One", "Two"]


async def test_stop_blocks_a_number_and_start_unblocks_it(
    simulator: FakeProviders, twilio: Client, product: Product
) -> None:
    await simulator.receive(MARTIN, " stop ")
    assert len(product.calls) == 1, "the product hears of it all the same"
    assert product.calls[0]["form"]["OptOutType"] == "STOP"
    with pytest.raises(TwilioRestException) as refusal:
        await twilio.messages.create_async(to=MARTIN, from_=OURS, body="Hi")
    assert refusal.value.code == 21610
    await twilio.messages.create_async(to="+14155550133", from_=OURS, body="Another's")
    await simulator.receive(MARTIN, "Yes")
    await twilio.messages.create_async(to=MARTIN, from_=OURS, body="Hi again")
    await simulator.receive(MARTIN, "YES")
    assert [text.direction for text in simulator.texts_to(MARTIN)] == [
        "outbound-reply",  # stopped
        "outbound-reply",  # begun again
        "outbound-api",  # and YES is an ordinary answer from then on
    ]


def test_carrier_can_leave_stop_to_the_product() -> None:
    """Also from a test without an event loop."""
    with FakeProviders(blocks_stopped=False, confirms_stop=False) as simulator:
        text, outcome = simulator.receive(MARTIN, "STOP").result()
        assert outcome.error == "Not posted: no inbound URL is set."
        assert simulator.texts() == (text,)


async def test_unanswered_webhook_times_out(simulator: FakeProviders, product: Product) -> None:
    product.may_answer.clear()
    _, outcome = await simulator.receive(MARTIN, "Hello")
    product.may_answer.set()
    assert (outcome.kind, outcome.status, len(product.calls)) == ("rt", None, 1)


async def test_webhook_is_retried_only_with_connection_overrides(
    simulator: FakeProviders, product: Product
) -> None:
    url = str(simulator.inbound_url)
    product.answers = [web.Response(status=503), web.Response(status=503)]
    _, outcome = await simulator.receive(MARTIN, "Hello")
    assert (outcome.status, len(product.calls)) == (503, 1)
    _, outcome = await simulator.receive(MARTIN, "Hello", url=f"{url}#rc=3&rp=all")
    assert (outcome.status, len(product.calls)) == (204, 3)


async def test_webhooks_go_to_loopback_only(
    product: Product,
) -> None:
    public = "https://kept.example/hooks/twilio/inbound"
    async with FakeProviders(inbound_url=public) as simulator:
        _, outcome = await simulator.receive(MARTIN, "Hello")
        assert "loopback only" in outcome.error
    async with FakeProviders(inbound_url=public, webhook_origin=product.url) as simulator:
        await simulator.receive(MARTIN, "Hello")
    (call,) = product.calls
    validator = RequestValidator(simulator.config.auth_token)
    assert validator.validate(public, call["form"], call["headers"]["X-Twilio-Signature"])
    assert call["url"] == f"{product.url}/hooks/twilio/inbound"


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
