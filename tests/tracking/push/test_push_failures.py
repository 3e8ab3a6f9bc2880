"""What fails after a notification sends no text beside it."""

import httpx2
import pytest

from portal.models import (
    MessageStatus,
    ServiceRequest,
)
from tests.support.customer_device import link
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.tracking.push.browser import SERVICE, Browser, ReadOnlyDatabase, subscriptions, write

pytestmark = pytest.mark.either_database


async def test_failure_of_one_browser_sends_no_text_beside_a_notification(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    subscribed: ServiceRequest,
    phone: FakeSmsGateway,
    push_service: Browser,
) -> None:
    """Whatever the library raises for it."""
    push_service.broken = f"{SERVICE}/broken"
    other = push_service.form | {"endpoint": push_service.broken}
    assert (await client.post(f"{link(subscribed)}/push", data=other)).status_code == 200
    await write(organisation, subscribed)
    await deliver_due(organisation.operations, phone)
    assert len(push_service.shown) == 1
    assert phone.sent_bodies == []
    assert (await organisation.messages())[-1].status == MessageStatus.DELIVERED


async def test_subscription_that_cannot_be_deleted_sends_no_text(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    subscribed: ServiceRequest,
    phone: FakeSmsGateway,
    push_service: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database goes away after the notification; the ended subscription is deleted later."""
    push_service.gone = f"{SERVICE}/gone"
    other = push_service.form | {"endpoint": push_service.gone}
    assert (await client.post(f"{link(subscribed)}/push", data=other)).status_code == 200
    await write(organisation, subscribed)
    with monkeypatch.context() as outage:
        outage.setattr(phone.gateway.push, "database", ReadOnlyDatabase(organisation.database))
        await deliver_due(organisation.operations, phone)
    assert (len(push_service.shown), phone.sent_bodies) == (1, [])
    assert await subscriptions(organisation) == 2
    await write(organisation, subscribed)
    await deliver_due(organisation.operations, phone)
    assert await subscriptions(organisation) == 1
