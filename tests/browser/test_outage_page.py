"""An open page while the database is unavailable, the outage page, and the printed link."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, CustomerPhone
from tests.browser.product import ProductStack
from tests.browser.static_pages import show
from tests.support.status_page.card_page import outage


def link_in(text: str) -> str:
    return next(word for word in text.split() if "/r/" in word).rstrip(".")


def test_open_page_reports_the_outage_and_updates_afterwards(
    product: ProductStack, martin: CustomerPhone, key: str, open_page: Callable[..., Page]
) -> None:
    """The stream is there, the page is not: it says so, asks again by itself, and has the news."""
    reference, phone = martin
    page = open_page(**PHONE)
    page.clock.install()
    page.goto(link_in(phone.reads("We have your application")))
    path = page.url

    def away(route: Route) -> None:
        route.fulfill(status=503, body="away")

    page.route(path, away)
    with page.expect_response(lambda answer: answer.url == path and answer.status == 503):
        product.call(f"/requests/{reference}/advance", key, note="Done.")
    page.clock.run_for(2_500)
    expect(page.get_by_text("Connection lost, trying again")).to_be_visible()
    expect(page.get_by_text("Passed to Underwriting")).to_have_count(0)
    page.unroute(path)
    page.clock.run_for(25_000)
    expect(page.get_by_text("Passed to Underwriting").first).to_be_visible()
    expect(page.get_by_text("Connection lost, trying again")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("reading", ["reading", ""], ids=["reading", "sending"])
def test_outage_page_is_accessible(
    locale: str, reading: str, open_page: Callable[..., Page], check_accessible: Callable[[Page], None]
) -> None:  # fmt: skip
    """As the page itself: whoever cannot see it must not be told less of our outage."""
    page = open_page(**PHONE)
    show(page, outage(locale, reading=bool(reading)))
    check_accessible(page)


def test_printable_link_is_accessible(
    martin: CustomerPhone, open_page: Callable[..., Page], check_accessible: Callable[[Page], None]
) -> None:
    """On the screen too; the code says what it is."""
    page = open_page(**PHONE)
    page.goto(link_in(martin[1].reads("We have your application")) + "/paper")
    expect(page.get_by_role("img", name="QR code with the link to your request")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    check_accessible(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
