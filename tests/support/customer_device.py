"""Customers' browsers, each with its own cookies, and the codes on their phones."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette

from portal.models import ServiceRequest
from tests.support.factories import ORIGIN, Organisation
from tests.support.fake_gateways import FakeEmailGateway, FakeSmsGateway, deliver_due

WRONG_CODE_MESSAGE = "This code does not work."


def link(request: ServiceRequest) -> str:
    """The path of the request's page."""
    assert request.live_link
    return f"/r/{request.live_link.token}"


@asynccontextmanager
async def new_browser(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser without cookies."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
        yield browser


async def request_code(
    browser: httpx2.AsyncClient, request: ServiceRequest, onward: str = ""
) -> httpx2.Response:
    """Press "Send me a code"."""
    return await browser.post(f"{link(request)}/code", data={"to": onward})


async def submit_code(
    browser: httpx2.AsyncClient, request: ServiceRequest, code: str, onward: str = ""
) -> httpx2.Response:
    """Type it in and press "Continue"."""
    return await browser.post(f"{link(request)}/code", data={"to": onward, "code": code})


async def codes_by_sms(organisation: Organisation) -> list[str]:
    """The codes on the phone, oldest first, after one pass of a worker."""
    phone = FakeSmsGateway()
    await deliver_due(organisation.operations, phone)
    return [found[1] for text in phone.sent_bodies if (found := re.search(r"#(\d{6})$", text))]


async def code_emails(organisation: Organisation) -> list[str]:
    """The mails that bring codes, after one pass of a worker."""
    box = FakeEmailGateway()
    await deliver_due(organisation.operations, box)
    return [text for text in box.sent_bodies if "Your code is" in text]


async def verify_device(
    browser: httpx2.AsyncClient,
    organisation: Organisation,
    request: ServiceRequest,
    onward: str = "",
) -> httpx2.Response:
    """Ask for a code, read it on the phone, type it in."""
    assert (await request_code(browser, request, onward)).status_code == 303
    return await submit_code(browser, request, (await codes_by_sms(organisation))[-1], onward)
