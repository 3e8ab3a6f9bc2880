"""The status page in a given state, in a real browser without a server."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from portal.branding.theme import DEFAULT_THEME, Theme
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating
from portal.web.static_files import static_files
from tests.support.status_page.card_page import html

ADDRESS = "http://kept.example/r/told"


def show_state(page: Page, state: StatusPage, *, with_styles: bool = True) -> None:
    """Open the page of these facts, without its scripts.

    Without ``with_styles`` it is as it is before any other file has come.
    """
    show(page, html(state), state.theme, with_styles=with_styles)


def show(page: Page, body: str, theme: Theme = DEFAULT_THEME, *, with_styles: bool = True) -> None:
    """Open a page, with the headers of all our pages."""

    def serve(route: Route) -> None:
        name = urlsplit(route.request.url).path.removeprefix("/static/")
        if route.request.url == ADDRESS:
            kind = "text/html; charset=utf-8"
            route.fulfill(body=body, content_type=kind, headers=templating.headers(theme))
        elif with_styles and name.endswith(".css"):
            file = static_files()[name]
            route.fulfill(body=file.body, content_type=file.media_type)
        else:
            route.fulfill(status=204)

    page.route("**/*", serve)
    page.goto(ADDRESS)
    page.unroute_all()
