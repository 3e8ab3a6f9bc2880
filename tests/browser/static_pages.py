"""The status page in a given state, in a real browser without a server."""

from playwright.sync_api import Page, Route

from portal.branding.theme import DEFAULT_THEME, Theme
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating
from tests.support.status_page_states import html

ADDRESS = "http://kept.example/r/told"


def show_state(page: Page, state: StatusPage) -> None:
    """Open the page of these facts, as it is before any other file has come."""
    show(page, html(state), state.theme)


def show(page: Page, body: str, theme: Theme = DEFAULT_THEME) -> None:
    """Open a page that is told whole, with the headers of all our pages."""

    def serve(route: Route) -> None:
        if route.request.url == ADDRESS:
            kind = "text/html; charset=utf-8"
            route.fulfill(body=body, content_type=kind, headers=templating.headers(theme))
        else:
            route.fulfill(status=204)

    page.route("**/*", serve)
    page.goto(ADDRESS)
    page.unroute_all()
