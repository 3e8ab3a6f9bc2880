"""The fake carrier, and clients that call it."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from portal.demo.fake_providers import FakeProviders
from tests.demo.carrier_product import SERVICE


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
