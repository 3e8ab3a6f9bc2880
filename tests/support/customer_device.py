"""Customers' browsers, each with its own cookies, and the codes that come to their phones."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette

from portal.models import ServiceRequest
from tests.support.factories import ORIGIN, House
from tests.support.fake_gateways import Mailbox, Phone, hand_over

WRONG = "This code does not work."


def link(request: ServiceRequest) -> str:
    """The path of its page."""
    assert request.live_link
    return f"/r/{request.live_link.token}"


@asynccontextmanager
async def another_browser(app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """One that knows nothing."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
        yield browser


async def ask_code(
    browser: httpx2.AsyncClient, request: ServiceRequest, onward: str = ""
) -> httpx2.Response:
    """Press "Send me a code"."""
    return await browser.post(f"{link(request)}/code", data={"to": onward})


async def type_code(
    browser: httpx2.AsyncClient, request: ServiceRequest, code: str, onward: str = ""
) -> httpx2.Response:
    """Type it in and press "Go on"."""
    return await browser.post(f"{link(request)}/code", data={"to": onward, "code": code})


async def texted_codes(house: House) -> list[str]:
    """What the phone shows of codes, the oldest first, after one pass of a worker."""
    phone = Phone()
    await hand_over(house.relay, phone)
    return [found[1] for text in phone.shows if (found := re.search(r"#(\d{6})$", text))]


async def mailed_codes(house: House) -> list[str]:
    """The mails that bring codes, after one pass of a worker."""
    box = Mailbox()
    await hand_over(house.relay, box)
    return [text for text in box.shows if "Your code is" in text]


async def become_known(
    browser: httpx2.AsyncClient, house: House, request: ServiceRequest, onward: str = ""
) -> httpx2.Response:
    """Ask for a code, read it on the phone, type it in."""
    assert (await ask_code(browser, request, onward)).status_code == 303
    return await type_code(browser, request, (await texted_codes(house))[-1], onward)
