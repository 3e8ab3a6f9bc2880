"""Entering a code: limits, invalid codes, and the redirect afterwards."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
import time_machine
from starlette.applications import Starlette

from portal.models import ServiceRequest
from tests.support.customer_device import (
    WRONG_CODE_MESSAGE,
    codes_by_sms,
    link,
    new_browser,
    request_code,
    submit_code,
    verify_device,
)
from tests.support.desk_client import visible_text
from tests.support.factories import MARTHA, Organisation

pytestmark = pytest.mark.either_database


@pytest.fixture(autouse=True)
def _stands_still(clock: time_machine.Traveller) -> None:
    """Codes are a matter of minutes."""


async def test_code_is_locked_after_five_attempts(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Also of many at once: each is counted before anybody learns how it ended."""
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    tries = await asyncio.gather(*(submit_code(client, card_request, wrong) for _ in range(5)))
    assert {answer.status_code for answer in tries} == {422}
    late = await submit_code(client, card_request, code)
    assert late.status_code == 422
    assert "Set-Cookie" not in late.headers


async def test_code_requests_are_limited_to_three_per_hour_and_eight_per_day(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """For one customer, by whichever of their requests: fifteen guesses an hour, forty a day."""
    second = await organisation.open("repair", by=organisation.people.ben.actor)
    sent = []
    for hour in range(4):
        for request in (card_request, second, card_request, second):
            answer = await request_code(client, request)
            sent.append(answer.status_code)
            clock.shift(timedelta(minutes=1))
        if hour == 0:
            assert "We have sent you several codes already." in visible_text(answer.text)
        clock.shift(timedelta(hours=1))
    assert sent == [*2 * [303, 303, 303, 429], *[303, 303, 429, 429], *4 * [429]]


async def test_double_submit_sends_one_code(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await asyncio.gather(*(request_code(client, card_request) for _ in range(3)))
    assert len(await codes_by_sms(organisation)) == 1


async def test_invalid_expired_used_and_foreign_codes_get_the_same_error(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """The same bytes, and no sooner: nobody learns whether a code was ever right."""
    loop, times, pages = asyncio.get_running_loop(), [], set()

    async def refuse(code: str) -> None:
        began = loop.time()
        answer = await submit_code(client, card_request, code)
        times.append(loop.time() - began)
        pages.add((answer.status_code, answer.text))

    await refuse("123456")  # there is none
    others = await organisation.open("repair", MARTHA, by=organisation.people.ben.actor)
    await request_code(client, others)
    [anothers] = await codes_by_sms(organisation)
    await refuse(anothers)
    await request_code(client, card_request)
    [first] = await codes_by_sms(organisation)
    clock.shift(timedelta(minutes=1))
    await request_code(client, card_request)
    [second] = await codes_by_sms(organisation)
    await refuse(first)  # a newer one has been sent
    await refuse("")
    await refuse("9" * 1_000)
    async with new_browser(app) as own:
        assert (await submit_code(own, card_request, second)).status_code == 303
    await refuse(second)  # used
    clock.shift(timedelta(hours=1))
    await request_code(client, card_request)
    [third] = await codes_by_sms(organisation)
    clock.shift(timedelta(minutes=10))
    await refuse(third)  # too late
    assert len(pages) == 1
    page = pages.pop()[1]
    assert WRONG_CODE_MESSAGE in visible_text(page)
    assert "<title>Error: Check it's you" in page
    assert '<a href="#code">This code does not work.' in page
    assert min(times) >= 0.1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "form", ["{0} ", "{1} {2}", "{1}-{2}"], ids=["space", "two halves", "a dash"]
)
async def test_code_format_is_tolerant(
    form: str, client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    typed = form.format(code, code[:3], code[3:])
    assert (await submit_code(client, card_request, typed)).status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_arabic_digits_are_accepted(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    arabic = code.translate({ord("0") + n: 0x660 + n for n in range(10)})
    assert (await submit_code(client, card_request, arabic)).status_code == 303


async def test_redirect_after_code_stays_on_site(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    known = await verify_device(client, organisation, card_request, "//evil.example/")
    assert known.headers["Location"] == link(card_request)
