"""Martin's phone and his browser, which gets notifications instead of texts."""

import httpx2
import pytest

from portal.messaging.push.client import PushClient
from portal.models import (
    ServiceRequest,
)
from portal.settings import Settings
from tests.support.customer_device import link, verify_device
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway
from tests.tracking.push.browser import Browser
from workers.delivery.push import PushSender


@pytest.fixture
def push_service() -> Browser:
    return Browser()


@pytest.fixture
def phone(organisation: Organisation, settings: Settings, push_service: Browser) -> FakeSmsGateway:
    """Martin's phone, whose worker sends notifications too."""
    phone = FakeSmsGateway()
    phone.gateway.push = PushSender(organisation.database, settings, PushClient(push_service.post))
    return phone


@pytest.fixture
async def subscribed(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    push_service: Browser,
) -> ServiceRequest:
    """Martin's card; he has chosen notifications in a browser that a code has made trusted."""
    await verify_device(client, organisation, card_request)
    taken = await client.post(f"{link(card_request)}/push", data=push_service.form)
    assert taken.status_code == 200
    return card_request
