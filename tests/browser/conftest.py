"""A browser on a phone, browsers at the desk, and the product that serves them."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.chromium import launch_options
from tests.browser.product import Phone, ProductStack
from tests.support.factories import CARD

OpenDeskPage = Callable[..., Page]
CustomerPhone = tuple[str, Phone]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 800}}
PASSWORD = "correct horse battery staple"
STAFF = {
    "tess": ("Tess Sales", "telesales"),
    "uma": ("Uma Under", "underwriting"),
    "pia": ("Pia Press", "processing"),
    "carl": ("Carl Courier", "courier"),
}
numbers = count(4155550132)
# A test waits so long only to fail: the disk or the processor of a busy machine may stall.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Without Chromium these tests cannot say anything; where everything must pass, they fail."""
    try:
        return launch_options()
    except FileNotFoundError as missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(missing))


@pytest.fixture(scope="session")
def base_url() -> None:
    """No page is asked for by half an address. In place of a plugin's own, which warns."""


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductStack]:
    """Acme Bank, open for business: cards only, and people in four departments."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "card.toml").write_text(CARD)
    with ProductStack(folder) as product:
        product.kept("workflow", "load", str(folder / "card.toml"))
        yield product


@pytest.fixture(scope="session")
def key(product: ProductStack) -> str:
    """What the contact centre's own system calls the API with."""
    return product.kept("apikey", "create", "contact centre")[-1]


@pytest.fixture(scope="session")
def session_cookies(product: ProductStack, browser: Browser) -> dict[str, Any]:
    """Everybody at the desk has followed the invitation and set a password; their cookies."""

    def invite(who: str) -> str:
        name, department = STAFF[who]
        seat = ["--name", name, "--department", department, "--lead"]
        return product.kept("staff", "add", f"{who}@acme.example", *seat)[-1]

    session_cookies = {}
    with ThreadPoolExecutor() as hands:
        invitations = dict(zip(STAFF, hands.map(invite, STAFF), strict=True))
    for who, invitation in invitations.items():
        context = browser.new_context(**DESK)
        page = context.new_page()
        page.goto(invitation)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        page.wait_for_url("**/desk")
        session_cookies[who] = context.cookies()
        context.close()
    return session_cookies


@pytest.fixture
def martin(product: ProductStack, session_cookies: dict[str, Any], key: str) -> CustomerPhone:
    """Martin has just applied for a card by phone: his reference, and his phone.

    Each test has a Martin of its own, with a number of his own.
    """
    phone = Phone(product.carrier, f"+1{next(numbers)}")
    customer = {"name": "Martin Miller", "phone": phone.number, "timezone": "America/New_York"}
    opened = product.call("/requests", key, workflow="card", customer=customer)
    return opened["reference"], phone


@pytest.fixture
def open_page(new_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """Open a page of its own; in the end no page may have complained of anything."""
    complaints: list[str] = []

    def open_page(**options: Any) -> Page:
        page = new_context(**options).new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda said: (
                complaints.append(f"{page.url}: {said.text}")
                if said.type in {"error", "warning"} and not _is_expected(said.text)
                else None
            ),
        )
        return page

    yield open_page
    assert complaints == []


@pytest.fixture
def desk(
    product: ProductStack, session_cookies: dict[str, Any], open_page: Callable[..., Page]
) -> OpenDeskPage:
    """``desk("tess", "/requests/CARD-...")``: a signed-in colleague's page."""

    def sit_down(who: str, path: str = "", **options: Any) -> Page:
        page = open_page(**DESK, **options)
        page.context.add_cookies(session_cookies[who])
        page.goto(f"{product.address}/desk{path}")
        return page

    return sit_down


@pytest.fixture(scope="session")
def check_accessible() -> Callable[[Page], None]:
    """Nobody is shut out by how a page looks, in light or in dark, on the smallest phone.

    axe finds nothing, and at 320 px nothing stands out at the side.
    """
    axe = Axe()

    def look(page: Page) -> None:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        found = axe.run(page, options={"resultTypes": ["violations"]})
        assert found.violations_count == 0, found.generate_report()
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        colours = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}
        found = axe.run(page, options=colours)
        assert found.violations_count == 0, found.generate_report()
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        usual = page.viewport_size
        assert usual is not None
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.set_viewport_size(usual)

    return look


def _is_expected(said: str) -> bool:
    """The browser's own word on what was refused, and on a server that is away."""
    expected = (
        "responded with a status of 4", "responded with a status of 503", "Error Code 503",
        "net::ERR_", "htmx:send", "htmx:afterRequest",
    )  # fmt: skip
    return any(words in said for words in expected)
