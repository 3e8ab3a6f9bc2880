"""Browsers that are trusted after a code."""

import re
from datetime import timedelta

import httpx2
import pytest
import time_machine
from starlette.applications import Starlette

from portal.models import Channel, ServiceRequest
from portal.operations import replace_link, revoke_link
from portal.operations.delivery.channel_fallback import invalidate_address
from tests.support.customer_device import (
    codes_by_sms,
    link,
    new_browser,
    request_code,
    submit_code,
    verify_device,
)
from tests.support.factories import MARTHA, MARTIN, Organisation
from tests.support.sample_images import photo
from tests.support.twilio_client import CustomerPhone
from tests.tracking.page_requests import send_paper

pytestmark = pytest.mark.either_database


@pytest.fixture(autouse=True)
def _stands_still(clock: time_machine.Traveller) -> None:
    """Codes are a matter of minutes."""


async def test_recent_upload_is_visible_to_the_uploading_browser(
    app: Starlette,
    client: httpx2.AsyncClient,
    card_request: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """For an hour, in this browser, and nothing else that came before it."""
    before = await send_paper(client, card_request)
    sent = [("file", ("crack.jpg", photo(), "image/jpeg"))]
    await client.post(f"{link(card_request)}/messages", data={"body": "Look."}, files=sent)
    page = (await client.get(link(card_request))).text
    [shown] = re.findall(r'<img src="([^"]*)"', page)
    assert (await client.get(shown)).status_code == 200
    assert (await client.get(before)).status_code == 303
    assert "passport" not in page
    async with new_browser(app) as other:
        assert (await other.get(shown)).status_code == 303
        assert "<img" not in (await other.get(link(card_request))).text
    clock.shift(timedelta(hours=1, seconds=1))
    assert (await client.get(shown)).status_code == 303


async def test_device_cookie_is_http_only_and_limited_to_its_path(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    known = await verify_device(client, organisation, card_request)
    cookie = known.headers["Set-Cookie"]
    assert re.match(r"kept_device=[\w-]{43};", cookie)
    for part in ("HttpOnly", "Max-Age=7776000", "Path=/;", "SameSite=lax"):
        assert part in cookie
    assert "Secure" not in cookie  # on http, where the tests are


async def test_forged_device_cookie_is_ignored(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Whoever put a secret into a customer's browser beforehand does not share what it opens."""
    paper = await send_paper(client, card_request)
    planted = {"kept_device": "planted by somebody else"}
    asked = await client.post(f"{link(card_request)}/code", data={}, headers=as_cookie(planted))
    assert asked.status_code == 303
    [code] = await codes_by_sms(organisation)
    form = {"code": code}
    known = await client.post(f"{link(card_request)}/code", data=form, headers=as_cookie(planted))
    assert "planted" not in known.headers["Set-Cookie"]
    async with new_browser(app) as other:
        assert (await other.get(paper, headers=as_cookie(planted))).status_code == 303


def as_cookie(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={told}" for name, told in cookies.items())}


async def test_one_browser_can_be_trusted_for_several_customers(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    marthas = await organisation.open("repair", MARTHA, by=organisation.people.ben.actor)
    his, hers = await send_paper(client, card_request), await send_paper(client, marthas)
    await verify_device(client, organisation, card_request)
    assert (await client.get(his)).status_code == 200
    assert (await client.get(hers)).status_code == 303
    await verify_device(client, organisation, marthas)
    assert (await client.get(his)).status_code == 200
    assert (await client.get(hers)).status_code == 200


@pytest.mark.parametrize("how", ["replaced", "revoked", "stopped", "phone", "time", "forgotten"])
async def test_forgotten_device_is_no_longer_trusted(
    how: str,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """After a new link, a stop from the phone, another phone, three months, or the wish to be forgotten."""
    second = await organisation.open("repair", by=organisation.people.ben.actor)
    paper = await send_paper(client, second)
    await verify_device(client, organisation, card_request)
    assert (await client.get(paper)).status_code == 200
    if how == "replaced":
        await organisation.run(replace_link, card_request, by=organisation.people.tess.actor)
    elif how == "revoked":
        await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    elif how == "stopped":
        await CustomerPhone(organisation)("STOP")
    elif how == "phone":
        clock.shift(timedelta(seconds=1))
        async with organisation.operations.begin(organisation.people.tess.actor) as uow:
            await invalidate_address(uow, Channel.SMS, MARTIN.phone or "")
    elif how == "time":
        clock.shift(timedelta(days=90))
    else:
        await client.post(f"{link(second)}/forget")
        assert "kept_device" not in client.cookies
    assert (await client.get(paper)).status_code == 303


@pytest.mark.parametrize("how", ["link", "open code"])
async def test_replacing_the_link_invalidates_codes(
    how: str, client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The code that was under way when the link was taken back opens neither."""
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    now = await organisation.run(replace_link, card_request, by=organisation.people.tess.actor)
    answer = await submit_code(client, card_request if how == "link" else now, code)
    assert answer.status_code == (404 if how == "link" else 422)
