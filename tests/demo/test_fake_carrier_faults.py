"""Each fault of the fake carrier, as the SDK of Twilio sees it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from portal.demo.fake_providers import FakeProviders
from portal.demo.fake_providers.faults import UnknownFault

# The SDK itself still writes its credentials in the way that aiohttp 4 will drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

MARTIN = "+14155550132"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProviders]:
    with FakeProviders() as simulator:
        yield simulator


@pytest.fixture
def simulator(running: FakeProviders) -> FakeProviders:
    running.carrier.forget()
    running.faults.clear()
    return running


@pytest.fixture
async def twilio(simulator: FakeProviders) -> AsyncIterator[Client]:
    http = AsyncTwilioHttpClient()
    client = Client(simulator.config.account_sid, simulator.config.auth_token, http_client=http)
    client.api.base_url = simulator.api_url
    yield client
    await http.close()


async def send(twilio: Client, to: str = MARTIN) -> Any:
    return await twilio.messages.create_async(to=to, from_="+14155550100", body="Hi")


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"do": "status_500"}, 500, 20500),
        ({"do": "status_502_html"}, 502, 502),
        ({"do": "status_429"}, 429, 20429),
        ({"do": "error", "code": 20003}, 401, 20003),
        ({"do": "error", "code": 30034}, 400, 30034),
    ],
)
async def test_rejected_text_is_not_accepted_and_uses_up_the_fault(
    simulator: FakeProviders, twilio: Client, rule: dict[str, Any], status: int, code: int
) -> None:
    simulator.fault(**rule, times=1)
    with pytest.raises(TwilioRestException) as refusal:
        await send(twilio)
    assert refusal.value.status == status
    assert refusal.value.code == code
    assert simulator.texts() == ()
    await send(twilio)
    assert len(simulator.texts()) == 1
    assert simulator.carrier.requests["create"] == 2


@pytest.mark.parametrize("do", ["status_500", "status_502_html"])
async def test_server_error_may_hide_an_accepted_text(
    simulator: FakeProviders, twilio: Client, do: str
) -> None:
    simulator.fault(do, accepted=True)
    with pytest.raises(TwilioRestException):
        await send(twilio)
    await simulator.wait_for(lambda: simulator.texts_to(MARTIN)[0].status == "delivered")


@pytest.mark.parametrize(
    ("do", "taken"), [("drop_connection_before", 0), ("refuse_after_accept", 1)]
)
async def test_connection_can_be_dropped(
    simulator: FakeProviders, twilio: Client, do: str, taken: int
) -> None:
    simulator.fault(do, times=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await send(twilio)
    assert len(simulator.texts()) == taken


async def test_text_can_be_accepted_after_the_connection_closed(
    simulator: FakeProviders, twilio: Client
) -> None:
    simulator.fault("accept_late", seconds=0.05, times=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await send(twilio)
    assert simulator.texts() == ()
    await simulator.wait_for(lambda: [text.status for text in simulator.texts()] == ["delivered"])


async def test_truncated_response_raises_outcome_unknown(
    simulator: FakeProviders, twilio: Client
) -> None:
    simulator.fault("truncate_201", times=1)
    with pytest.raises(json.JSONDecodeError):
        await send(twilio)
    assert len(simulator.texts()) == 1


@pytest.mark.parametrize("taken", [1, 0])
async def test_response_can_hang(simulator: FakeProviders, twilio: Client, taken: int) -> None:
    simulator.fault("hang", seconds=30, times=1, accepted=bool(taken))
    sending = asyncio.create_task(send(twilio))
    await simulator.wait_for(lambda: simulator.carrier.requests["create"] == 1)
    if taken:
        await simulator.wait_for(simulator.texts)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert len(simulator.texts()) == taken


async def test_fault_may_apply_to_one_number(simulator: FakeProviders, twilio: Client) -> None:
    simulator.fault("status_500", to="+14155550133")
    await send(twilio)
    for _ in range(3):
        with pytest.raises(TwilioRestException):
            await send(twilio, "+14155550133")


async def test_fetching_and_listing_can_fail(simulator: FakeProviders, twilio: Client) -> None:
    taken = await send(twilio)
    simulator.fault("status_500", on="fetch", times=1)
    simulator.fault("status_429", on="list", times=1)
    simulator.fault("drop_connection_before", on="account")  # aiohttp tries a GET twice
    with pytest.raises(TwilioRestException):
        await twilio.messages(taken.sid).fetch_async()
    with pytest.raises(TwilioException, match="Too Many Requests"):
        await twilio.messages.list_async()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await twilio.api.accounts(simulator.config.account_sid).fetch_async()
    assert (await twilio.messages(taken.sid).fetch_async()).sid == taken.sid


async def test_fault_may_act_by_chance_and_is_counted(
    simulator: FakeProviders, twilio: Client
) -> None:
    simulator.faults.dice.seed(7)
    before = simulator.faults.acted["status_429"]
    simulator.fault("status_429", chance=0.5)
    refused = 0
    for _ in range(20):
        try:
            await send(twilio)
        except TwilioRestException:
            refused += 1
    assert 0 < refused < 20
    assert simulator.faults.acted["status_429"] - before == refused
    with pytest.raises(UnknownFault, match="from 0 to 1"):
        simulator.fault("status_429", chance=50)
