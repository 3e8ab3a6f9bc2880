"""The fake carrier's webhooks: receipts, inbound texts, and STOP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from portal.demo.fake_providers import FakeProviders
from tests.demo.carrier_product import MARTIN, OURS

# The SDK itself still writes its credentials in the way that aiohttp 4 will drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]


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
