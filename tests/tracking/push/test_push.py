"""Notifications stand in for texts where the customer has chosen them in a trusted browser."""

import base64
import json
import socket

import httpx2
import pytest

from portal.messaging.push.client import PublicResolver, PushClient, PushUnavailable
from portal.messaging.push.target import PushTarget
from portal.models import (
    Channel,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import ConsentChange, replace_link, set_preferences
from tests.support.customer_device import codes_by_sms, link, verify_device
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.tracking.page_requests import read
from tests.tracking.push.browser import SERVICE, Browser, subscriptions, write

pytestmark = pytest.mark.either_database


async def test_notification_stands_in_for_the_text(
    organisation: Organisation,
    subscribed: ServiceRequest,
    phone: FakeSmsGateway,
    push_service: Browser,
) -> None:
    """It is encrypted for the browser, signed by our key, and counts as delivered without a segment."""
    await write(organisation, subscribed)
    await deliver_due(organisation.operations, phone)
    assert phone.sent_bodies == []
    [shown] = push_service.shown
    assert shown["title"] == "Acme Bank"
    assert shown["body"] == "Tess at Acme Bank: Your card is gold: on your page."
    assert shown["url"] == link(subscribed)
    [(url, headers)] = push_service.calls
    assert url == SERVICE
    token, key = headers["Authorization"].removeprefix("vapid t=").split(",k=")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == "https://push.example.com"
    assert len(base64.urlsafe_b64decode(key + "=")) == 65
    message = (await organisation.messages())[-1]
    assert (message.status, message.segments) == (MessageStatus.DELIVERED, 0)
    assert message.channel == Channel.SMS


@pytest.mark.parametrize(("status", "left"), [(410, 0), (404, 0), (429, 1), (500, 1)])
async def test_text_goes_where_the_notification_fails(
    organisation: Organisation,
    subscribed: ServiceRequest,
    phone: FakeSmsGateway,
    push_service: Browser,
    status: int,
    left: int,
) -> None:
    """Once, at once; a subscription that has ended is deleted."""
    push_service.status = status
    message = await write(organisation, subscribed)
    await deliver_due(organisation.operations, phone)
    assert len([body for body in phone.sent_bodies if "Your card is gold" in body]) == 1
    assert await subscriptions(organisation) == left
    assert message.kind == MessageKind.STAFF


async def test_stop_of_texts_ends_notifications(
    organisation: Organisation,
    subscribed: ServiceRequest,
    phone: FakeSmsGateway,
    push_service: Browser,
) -> None:
    message = await write(organisation, subscribed)
    stop = ConsentChange(stop=True, about="all", channels=[Channel.SMS])
    tess = organisation.people.tess.actor
    await organisation.run(set_preferences, subscribed, consent_change=stop, by=tess)
    await deliver_due(organisation.operations, phone)
    assert push_service.calls == []
    after = next(each for each in await organisation.messages() if each.id == message.id)
    assert after.status == MessageStatus.SUPPRESSED


async def test_code_goes_to_the_phone_itself(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    subscribed: ServiceRequest,
    phone: FakeSmsGateway,
    push_service: Browser,
) -> None:
    client.cookies.clear()
    await client.post(f"{link(subscribed)}/code", data={"to": ""})
    await deliver_due(organisation.operations, phone)
    assert push_service.calls == []
    assert "Your code is" in phone.sent_bodies[-1]


async def test_finder_of_the_link_takes_no_texts_away(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    push_service: Browser,
) -> None:
    refused = await client.post(f"{link(card_request)}/push", data=push_service.form)
    assert refused.status_code == 403
    assert await subscriptions(organisation) == 0


async def test_customer_returns_to_texts(
    client: httpx2.AsyncClient, organisation: Organisation, subscribed: ServiceRequest
) -> None:
    """By a button; and a replaced link ends the notifications too."""
    preferences = f"{link(subscribed)}/preferences"
    page = await client.get(preferences)
    assert "Our news comes as a notification." in read(page)
    assert 'id="push"' in page.text
    assert (await client.post(preferences, data={"do": "push_off"})).status_code == 303
    assert await subscriptions(organisation) == 0


async def test_new_number_ends_notifications(
    client: httpx2.AsyncClient, organisation: Organisation, subscribed: ServiceRequest
) -> None:
    """The browser stood in for the old phone, which may be lost."""
    await client.post(f"{link(subscribed)}/address", data={"contact": "+14155550188"})
    code = (await codes_by_sms(organisation))[-1]
    done = await client.post(f"{link(subscribed)}/address", data={"code": code})
    assert done.status_code == 303
    assert await subscriptions(organisation) == 0


async def test_replaced_link_ends_notifications(
    organisation: Organisation, subscribed: ServiceRequest
) -> None:
    await organisation.run(replace_link, subscribed, by=organisation.people.tess.actor)
    assert await subscriptions(organisation) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://push.example.com/a"},
        {"endpoint": "https://127.0.0.1/a"},
        {"endpoint": "https://[::1]/a"},
        {"endpoint": "https://localhost/a"},
        {"endpoint": "https://push.example.com:8443/a"},
        {"endpoint": "https://user@push.example.com/a"},
        {"endpoint": "https://push.example.com/" + "a" * 1_000},
        {"endpoint": "https://push.example.com:port/a"},
        {"endpoint": ""},
        {"p256dh": "short"},
        {"auth": "ü"},
    ],
)
async def test_unusable_subscription_is_refused(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    push_service: Browser,
    change: dict[str, str],
) -> None:
    await verify_device(client, organisation, card_request)
    refused = await client.post(f"{link(card_request)}/push", data=push_service.form | change)
    assert refused.status_code == 422
    assert await subscriptions(organisation) == 0


async def test_name_that_leads_into_our_network_is_not_called(push_service: Browser) -> None:
    """A name may resolve to any address (SSRF)."""
    with pytest.raises(OSError, match="not a public address"):
        await PublicResolver().resolve("localhost", 443, socket.AF_INET)
    client = PushClient()
    form = push_service.form | {"endpoint": "https://kept.localhost/a"}
    with pytest.raises(PushUnavailable):
        await client.send(PushTarget(**form), b"{}", "vapid t=,k=")
    await client.close()


async def test_service_worker_is_limited_to_its_page(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    worker = await client.get(f"{link(card_request)}/push-worker.js")
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert worker.headers["Service-Worker-Allowed"] == link(card_request)
    assert (await client.get(f"/r/{'A' * 22}/push-worker.js")).status_code == 404
    manifest = (await client.get(f"{link(card_request)}/manifest.webmanifest")).json()
    assert (manifest["display"], manifest["scope"]) == ("standalone", link(card_request))
