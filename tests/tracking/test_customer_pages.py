"""All customer pages: headers, policy, forms and static files."""

import base64
import hashlib
import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from portal.branding.theme import DEFAULT_THEME
from portal.messaging.wording.channel_neutral import without_reply_hint
from portal.tracking.preferences_view import ChannelPreference, PreferencesPage
from portal.web import templating
from portal.web.static_files import serve_static_file, static_files, static_url
from tests.support.status_page.card_page import MARTIN

pytestmark = pytest.mark.either_database


async def show(request: Request) -> Response:
    return templating.page(request, "tracking/status_page/status.html", MARTIN.context())


async def part(request: Request) -> Response:
    return templating.fragment(
        request, "tracking/status_page/status.html", "headline", MARTIN.context()
    )


async def unknown(request: Request) -> Response:
    return templating.page(request, "tracking/unknown_link.html", {}, 404)


async def broken(request: Request) -> Response:
    return templating.error_page(
        request, 500, "Something went wrong here", "Please try again soon."
    )


async def find(request: Request) -> Response:
    context = {
        "reference": "CARD-1",
        "contact": "",
        "refusal": "Please tell us both.",
        "wrong_field": "contact",
    }
    return templating.page(request, "tracking/find.html", context, 422)


async def sent(request: Request) -> Response:
    return templating.page(request, "tracking/sent.html", {"has_reference": True})


async def preferences(request: Request) -> Response:
    page = PreferencesPage(
        reference=MARTIN.reference,
        locale="en",
        path=MARTIN.path,
        channels=(
            ChannelPreference("sms", "•••• 0132"),
            ChannelPreference("email", "m•••@example.com"),
        ),
        preferred="email",
        languages=(("en", "English"), ("es", "Español")),
    )
    return templating.page(request, "tracking/preferences.html", {"page": page})


@pytest.fixture
def browser() -> Iterator[TestClient]:
    routes = [
        Route(f"/{endpoint.__name__}", endpoint)
        for endpoint in (show, part, unknown, broken, find, sent, preferences)
    ]
    app = Starlette(routes=[*routes, Route("/static/{name}", serve_static_file)])
    app.state.settings = SimpleNamespace(
        brand="Acme Bank", support_contact="help@acme.example", theme=DEFAULT_THEME
    )
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status"),
    [("/show", 200), ("/unknown", 404), ("/broken", 500), ("/find", 422), ("/sent", 200)],
)
def test_pages_forbid_caching_indexing_and_referrers(
    browser: TestClient, path: str, status: int
) -> None:
    answer = browser.get(path)
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_policy_allows_only_our_inline_style(
    browser: TestClient,
) -> None:
    answer = browser.get("/show")
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'self' 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_fragment_is_only_the_named_block(browser: TestClient) -> None:
    assert browser.get("/part").text.strip() == "Your card is being made, Martin"


def test_every_page_has_the_support_contact(browser: TestClient) -> None:
    for path in ("/unknown", "/broken", "/find", "/sent", "/preferences"):
        assert '<a href="mailto:help@acme.example">' in browser.get(path).text


def test_find_form_keeps_input_and_names_what_is_missing(
    browser: TestClient,
) -> None:
    page = browser.get("/find").text
    assert 'value="CARD-1"' in page
    assert "Please tell us both." in page


def test_tab_shows_the_icon_of_the_brand(browser: TestClient) -> None:
    icon = re.search(
        r'<link rel="icon" href="(/icons/icon\.svg\?v=\w+)">', browser.get("/find").text
    )
    assert icon


def test_preferences_offer_each_channel_and_both_opt_outs(
    browser: TestClient,
) -> None:
    page = browser.get("/preferences").text
    assert 'value="email" checked' in page
    assert "Stop texting about this request" in page
    assert "Stop all texts" in page


def test_hashed_static_file_is_immutable(browser: TestClient) -> None:
    answer = browser.get(static_url("tracking.js"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.content == static_files()["tracking.js"].body


def test_static_file_with_a_wrong_hash_is_not_cached(browser: TestClient) -> None:
    assert browser.get("/static/tracking.js?v=old").headers["Cache-Control"] == "no-cache"
    assert browser.get("/static/secrets.txt").status_code == 404
    assert browser.get("/static/..%2Fpages.py").status_code == 404


def test_vendored_scripts_have_their_licences() -> None:
    for name in ("htmx", "htmx-ext-sse", "idiomorph"):
        assert f"{name}.LICENSE" in static_files()


@pytest.mark.parametrize(
    ("asked", "alone"),
    [
        ("Has your card arrived? Reply YES or NO.", "Has your card arrived?"),
        ("It is ready. Shall we go ahead? Reply YES or NO", "It is ready. Shall we go ahead?"),
        ("¿Ha llegado su tarjeta? Responda SÍ o NO.", "¿Ha llegado su tarjeta?"),
        ("Reply YES or NO.", "Reply YES or NO."),
        ("Do you still want it?", "Do you still want it?"),
    ],
)
def test_page_with_buttons_has_no_reply_hint(asked: str, alone: str) -> None:
    assert without_reply_hint(asked) == alone


@pytest.mark.parametrize(
    ("asked", "alone"),
    [
        ("When may we come? Reply such as Tuesday 10 am.", "When may we come?"),
        ("Visita: ¿cuándo? Ejemplo: martes a las 10.", "Visita: ¿cuándo?"),
        ("متى يناسبك؟ اختر هنا:", "متى يناسبك؟"),
        ("Name a time that suits you.", "Name a time that suits you."),
    ],
)
def test_question_about_a_time_is_shown_without_how_to_write_it(asked: str, alone: str) -> None:
    assert without_reply_hint(asked, asks_time=True) == alone
