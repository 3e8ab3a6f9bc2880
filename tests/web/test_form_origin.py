"""Forms are accepted only from the site's own pages."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from portal.app import create_app
from portal.models import ServiceRequest
from portal.settings import Settings
from tests.support.desk_client import ORIGIN, signed_in_desk
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

REFUSAL = "This form was sent from another site"
OURS = [
    {},
    {"Origin": ORIGIN},
    {"Origin": ORIGIN.upper()},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
]
FOREIGN = [
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": f"{ORIGIN}.evil.example"},
    {"Origin": "https://testserver"},
    {"Origin": "http://evil.example", "Host": "evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
]


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Starlette]:
    """With the demonstration's pages, which take forms too."""
    app = create_app(settings, demo=True)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def browser(app: Starlette, organisation: Organisation) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in which Tess is signed in."""
    async with signed_in_desk(app, organisation, "tess") as desk:
        yield desk.client


def paths_with_forms(app: Starlette, request: ServiceRequest) -> list[str]:
    """Each address of a page that takes POST, with Martin's link, request or message in it."""
    assert request.live_link
    verbs = {"/desk/requests/": "cancel", "/desk/messages/": "retry", "/demo/": "cancel"}
    found = []
    for route in app.routes:
        if isinstance(route, Route) and "POST" in (route.methods or ()):
            verb = next(
                (verb for start, verb in verbs.items() if route.path.startswith(start)), "x"
            )
            facts = {
                "{token}": request.live_link.token,
                "{reference}": request.reference,
                "{id}": "1",
                "{verb}": verb,
                "{verb:path}": verb,
            }
            path = route.path
            for name, value in facts.items():
                path = path.replace(name, value)
            found.append(path)
    return found


@pytest.mark.parametrize("headers", FOREIGN)
async def test_form_from_another_site_is_rejected_at_every_path(
    app: Starlette,
    browser: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    headers: dict[str, str],
) -> None:
    paths = paths_with_forms(app, card_request)
    assert len(paths) > 20
    for path in paths:
        answer = await browser.post(path, headers=headers)
        assert (answer.status_code, REFUSAL in answer.text) == (403, True), path
    assert (await organisation.reload(card_request)).page_version == card_request.page_version


@pytest.mark.parametrize("headers", OURS)
async def test_form_from_our_own_page_is_accepted_at_every_path(
    app: Starlette,
    browser: httpx2.AsyncClient,
    card_request: ServiceRequest,
    headers: dict[str, str],
) -> None:
    """What else is wrong with an empty form is said in its own words."""
    for path in paths_with_forms(app, card_request):
        answer = await browser.post(path, headers=headers)
        assert REFUSAL not in answer.text, path


async def test_one_click_unsubscribe_is_accepted_from_any_site(
    browser: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """RFC 8058; the buttons of the page are forms like all others."""
    assert card_request.live_link
    path = f"/r/{card_request.live_link.token}/unsubscribe"
    headers = {"Origin": "null"}
    one_click = {"List-Unsubscribe": "One-Click"}
    assert (await browser.post(path, data=one_click, headers=headers)).status_code == 200
    assert (await browser.post(path, data={"stop": "all"}, headers=headers)).status_code == 403


async def test_customer_pages_send_the_origin_with_forms(
    browser: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """Under the header's no-referrer a browser without Sec-Fetch-Site would send ``null``.

    Browsers send no Sec-Fetch-Site over http, but to their own machine.
    """
    assert card_request.live_link
    for path in ("/", *(f"/r/{card_request.live_link.token}{end}" for end in ("", "/preferences"))):
        page = (await browser.get(path)).text
        assert '<meta name="referrer" content="same-origin">' in page
