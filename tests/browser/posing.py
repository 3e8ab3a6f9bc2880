"""The customer's page in a state that is only told: shown in a real browser, with no server."""

from page_states import html
from playwright.sync_api import Page, Route

from portal import pages
from portal.livery import PLAIN, Livery
from portal.tracking.view import StatusPage

ADDRESS = "http://kept.example/r/told"


def pose(page: Page, state: StatusPage) -> None:
    """Open the page of these facts, as it is before any other file has come."""
    show(page, html(state), state.livery)


def show(page: Page, body: str, livery: Livery = PLAIN) -> None:
    """Open a page that is told whole, with the headers of all our pages."""

    def serve(route: Route) -> None:
        if route.request.url == ADDRESS:
            kind = "text/html; charset=utf-8"
            route.fulfill(body=body, content_type=kind, headers=pages.headers(livery))
        else:
            route.fulfill(status=204)

    page.route("**/*", serve)
    page.goto(ADDRESS)
    page.unroute_all()
