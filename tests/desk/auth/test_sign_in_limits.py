"""Wrong passwords are counted, right ones are not, and nobody locks a colleague out."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from portal.desk.auth import sign_in_limits
from tests.support.desk_client import ORIGIN, PASSWORD
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RIGHT = {"email": "ada@acme.example", "password": PASSWORD}
WRONG = {"email": "ada@acme.example", "password": "not the right one"}
BrowserAt = Callable[[str], httpx2.AsyncClient]


@pytest.fixture
async def browser_at(app: Starlette) -> AsyncIterator[BrowserAt]:
    """A new browser at this IP address."""
    async with AsyncExitStack() as browsers:
        opened: list[httpx2.AsyncClient] = []

        def open_browser(address: str) -> httpx2.AsyncClient:
            transport = httpx2.ASGITransport(app=app, client=(address, 1234))
            opened.append(httpx2.AsyncClient(transport=transport, base_url=ORIGIN))
            browsers.push_async_callback(opened[-1].aclose)
            return opened[-1]

        yield open_browser


async def fail(browser: httpx2.AsyncClient, times: int) -> list[int]:
    return [(await browser.post("/desk/sign-in", data=WRONG)).status_code for _ in range(times)]


async def test_ten_wrong_passwords_of_one_account_are_the_most_from_one_client(
    organisation: Organisation, browser_at: BrowserAt
) -> None:
    guesser = browser_at("203.0.113.9")
    assert await fail(guesser, 11) == [422] * 10 + [429]
    answer = await guesser.post("/desk/sign-in", data=RIGHT)
    assert answer.status_code == 429
    assert "too many wrong passwords" in answer.text


async def test_refused_sign_ins_of_nobody_are_one_line_a_minute(
    organisation: Organisation, browser_at: BrowserAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made-up addresses fill no log."""
    monkeypatch.setattr(sign_in_limits, "FAILURES_PER_CLIENT", "3/minute")
    guesser = browser_at("203.0.113.9")
    with capture_logs() as lines:
        for number in range(8):
            typed = {"email": f"nobody{number}@acme.example", "password": "not the right one"}
            await guesser.post("/desk/sign-in", data=typed)
    kinds = [line["event_kind"] for line in lines if line["event"] == "sign-in of nobody"]
    assert kinds == ["sign_in_failed"] * 3 + ["sign_in_limited"]


async def test_wrong_passwords_elsewhere_stop_nobody_at_another_client(
    desk_clients: Any, browser_at: BrowserAt
) -> None:
    await desk_clients("ada")
    await fail(browser_at("203.0.113.9"), 12)
    answer = await browser_at("198.51.100.7").post("/desk/sign-in", data=RIGHT)
    assert answer.status_code == 303


async def test_wrong_passwords_at_the_same_client_stop_no_known_browser(
    desk_clients: Any, browser_at: BrowserAt
) -> None:
    """As behind a proxy, or in one office."""
    await desk_clients("ada")
    known = browser_at("203.0.113.9")
    assert (await known.post("/desk/sign-in", data=RIGHT)).status_code == 303
    assert 429 in await fail(browser_at("203.0.113.9"), 11)
    assert (await known.post("/desk/sign-in", data=RIGHT)).status_code == 303
    assert (await browser_at("203.0.113.9").post("/desk/sign-in", data=RIGHT)).status_code == 429


async def test_known_browser_is_limited_too(desk_clients: Any, browser_at: BrowserAt) -> None:
    await desk_clients("ada")
    known = browser_at("203.0.113.9")
    await known.post("/desk/sign-in", data=RIGHT)
    assert await fail(known, 11) == [422] * 10 + [429]


async def test_browser_is_known_to_its_own_people_only(
    desk_clients: Any, browser_at: BrowserAt
) -> None:
    await desk_clients("tess")
    toms = browser_at("203.0.113.9")
    tess = {"email": "tess@acme.example", "password": PASSWORD}
    assert (await toms.post("/desk/sign-in", data=tess)).status_code == 303
    assert await fail(toms, 11) == [422] * 10 + [429]


async def test_failures_from_many_clients_leave_the_account_to_known_browsers(
    desk_clients: Any, browser_at: BrowserAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "FAILURES_PER_ACCOUNT", "12/hour")
    await desk_clients("ada")
    known = browser_at("198.51.100.7")
    await known.post("/desk/sign-in", data=RIGHT)
    for number in range(3):
        await fail(browser_at(f"203.0.113.{number}"), 4)
    assert await fail(browser_at("203.0.113.99"), 1) == [429]
    assert (await known.post("/desk/sign-in", data=RIGHT)).status_code == 303


async def test_right_sign_ins_count_nowhere(desk_clients: Any, browser_at: BrowserAt) -> None:
    await desk_clients("ada")
    for _ in range(12):
        browser = browser_at("203.0.113.9")
        assert (await browser.post("/desk/sign-in", data=RIGHT)).status_code == 303
    assert await fail(browser_at("203.0.113.9"), 10) == [422] * 10


async def test_attempts_at_once_are_no_way_past_the_limit(
    desk_clients: Any, browser_at: BrowserAt
) -> None:
    await desk_clients("ada")
    guesser = browser_at("203.0.113.9")
    statuses: list[int] = []

    async def guess() -> None:
        statuses.extend(await fail(guesser, 1))

    async with anyio.create_task_group() as guesses:
        for _ in range(25):
            guesses.start_soon(guess)
    assert statuses.count(422) <= 10
    assert statuses.count(429) >= 15


async def test_wrong_invitations_are_limited_and_right_ones_are_not(
    organisation: Organisation, browser_at: BrowserAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "FAILURES_PER_CLIENT", "3/minute")
    guesser = browser_at("203.0.113.9")
    answers = [await guesser.get(f"/desk/invitations/guess-{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [404] * 3 + [429]
