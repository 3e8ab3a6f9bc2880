"""An open page when our database goes away and comes back, and the page that stands in for it."""

from collections.abc import Callable

from office import Office, Phone
from playwright.sync_api import Page, Route, expect

Customer = tuple[str, Phone]


def link_in(text: str) -> str:
    return next(word for word in text.split() if "/r/" in word).rstrip(".")


def test_an_open_page_says_that_news_cannot_be_had_and_catches_up(
    office: Office, martin: Customer, key: str, watched: Callable[..., Page]
) -> None:
    """The stream is there, the page is not: it says so, asks again by itself, and has the news."""
    reference, phone = martin
    page = watched(viewport={"width": 390, "height": 844})
    page.clock.install()
    page.goto(link_in(phone.reads("We have your application")))
    path = page.url

    def away(route: Route) -> None:
        route.fulfill(status=503, body="away")

    page.route(path, away)
    with page.expect_response(lambda answer: answer.url == path and answer.status == 503):
        office.call(f"/requests/{reference}/advance", key, note="Done.")
    page.clock.run_for(2_500)
    expect(page.get_by_text("Connection lost, trying again")).to_be_visible()
    expect(page.get_by_text("Passed to Underwriting")).to_have_count(0)
    page.unroute(path)
    page.clock.run_for(25_000)
    expect(page.get_by_text("Passed to Underwriting").first).to_be_visible()
    expect(page.get_by_text("Connection lost, trying again")).to_have_count(0)
