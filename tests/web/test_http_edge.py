"""What holds for every response: its headers, its cookies, and no word of the Host header."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from structlog.testing import capture_logs

from portal.app import create_app
from portal.models import ServiceRequest
from portal.settings import Settings
from portal.web.static_files import static_url
from tests.support.customer_device import link, verify_device
from tests.support.desk_client import PASSWORD, signed_in_desk
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EVIL = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
SECURE_ORIGIN = "https://testserver"


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Starlette]:
    """With the demonstration's pages too."""
    app = create_app(settings, demo=True)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def secure_app(settings: Settings) -> AsyncIterator[Starlette]:
    """The application where its public address is https."""
    app = create_app(settings.model_copy(update={"public_url": SECURE_ORIGIN, "metrics": True}))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def secure_client(secure_app: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that reaches it by https."""
    transport = httpx2.ASGITransport(app=secure_app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=SECURE_ORIGIN) as client:
        yield client


def paths(routes: list[BaseRoute], facts: dict[str, str], prefix: str = "") -> list[str]:
    """The path of each route, with these facts in it; not those that stream."""
    found = []
    for route in routes:
        if isinstance(route, Mount):
            found += paths(route.routes, facts, prefix + route.path)
        elif isinstance(route, Route) and not route.path.endswith("/live"):
            path = prefix + route.path
            for name, value in facts.items():
                path = path.replace(name, value)
            found.append(re.sub(r"{[^}]*}", "1", path))
    return found


async def test_no_response_repeats_the_host_header(
    app: Starlette, organisation: Organisation, card_request: ServiceRequest
) -> None:
    facts = {
        "{token}": link(card_request).removeprefix("/r/"),
        "{reference}": card_request.reference,
        "{id:int}": "1",
        "{id}": "1",
        "{verb:path}": "hold",
        "{verb}": "retry",
        "{name}": "customer.css",
    }
    every_path = paths(app.routes, facts)
    assert len(every_path) > 60
    async with signed_in_desk(app, organisation, "tess") as desk:
        for path in every_path:
            for url in (path, path.rstrip("/") + "/", path + "?back=/desk"):
                for method in ("GET", "POST"):
                    answer = await desk.client.request(method, url, headers=EVIL)
                    assert answer.status_code != 307, url
                    assert "evil.example" not in str(answer.headers) + answer.text, url


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/healthz", 200),
        ("/metrics", 200),
        ("/nowhere", 404),
        ("/desk", 303),
        ("/desk/live", 401),
        ("/api/v1/requests", 401),
        ("/api/v1/openapi.json", 200),
        ("/r/AAAAAAAAAAAAAAAAAAAAAA", 404),
        ("/robots.txt", 200),
    ],
)
async def test_every_response_has_the_security_headers(
    secure_client: httpx2.AsyncClient, organisation: Organisation, path: str, status: int
) -> None:
    answer = await secure_client.get(path)
    assert answer.status_code == status
    _assert_headers(answer)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_rejected_and_failed_calls_have_the_security_headers(
    secure_app: Starlette,
    secure_client: httpx2.AsyncClient,
    organisation: Organisation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    too_large = await secure_client.post("/desk/sign-in", data={"email": "x" * 1_100_000})
    assert too_large.status_code == 413
    _assert_headers(too_large)
    monkeypatch.setattr(secure_app.state, "rate_limiter", None)
    failed = await secure_client.post("/", data={"reference": "CARD-1", "contact": "a@b.example"})
    assert failed.status_code == 500
    _assert_headers(failed)


async def test_static_files_stay_cacheable(secure_client: httpx2.AsyncClient) -> None:
    answer = await secure_client.get(static_url("customer.css"))
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    _assert_headers(answer)


def _assert_headers(answer: httpx2.Response) -> None:
    for name, value in {
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Strict-Transport-Security": "max-age=31536000",
    }.items():
        assert answer.headers.get_list(name) == [value], name
    assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "camera=()" in answer.headers["Permissions-Policy"]


async def test_http_has_no_hsts(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_cookies_of_https_are_bound_to_the_host(
    secure_app: Starlette,
    secure_client: httpx2.AsyncClient,
    app: Starlette,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """The staff sign-in, the trusted device and, for its link alone, what was just sent."""
    async with signed_in_desk(app, organisation, "tess"):
        pass  # Tess has a password now.
    form = {"email": organisation.people.tess.email, "password": PASSWORD}
    sign_in = await secure_client.post("/desk/sign-in", data=form)
    _assert_host_cookie(sign_in, "__Host-kept_desk=")
    assert (await secure_client.get("/desk")).status_code == 200
    device = await verify_device(secure_client, organisation, card_request)
    _assert_host_cookie(device, "__Host-kept_device=")
    assert (await secure_client.get(f"{link(card_request)}/mine")).status_code == 200
    sent = await secure_client.post(f"{link(card_request)}/messages", data={"body": "Hello"})
    cookie = sent.headers["Set-Cookie"]
    assert cookie.startswith("__Secure-kept_sent=")
    assert f"Path={link(card_request)};" in cookie
    forgotten = await secure_client.post(f"{link(card_request)}/forget")
    _assert_host_cookie(forgotten, '__Host-kept_device="";')


def _assert_host_cookie(answer: httpx2.Response, start: str) -> None:
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(start)
    assert "Path=/;" in cookie
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/desk/sign-in",
        "/hooks/twilio/inbound",
        "/hooks/twilio/status",
        "/hooks/email/inbound",
        "/r/{token}/messages",
        "/r/{token}/answers",
        "/r/{token}/unsubscribe",
        "/api/v1/requests",
    ],
)
async def test_caller_who_hangs_up_within_a_body_is_one_debug_line(
    app: Starlette, card_request: ServiceRequest, api_key: str, path: str
) -> None:
    messages = [
        {"type": "http.request", "body": b"bo", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    kind = b"application/json" if path.startswith("/api/") else b"application/x-www-form-urlencoded"
    path = path.replace("/r/{token}", link(card_request))
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "client": ("127.0.0.1", 1), "server": ("testserver", 80), "state": {},
        "headers": [
            (b"host", b"testserver"), (b"content-length", b"100"), (b"content-type", kind),
            (b"authorization", f"Bearer {api_key}".encode() if "api" in path
             else b"Bearer the mail hook of the tests"),
        ],
    }  # fmt: skip
    with capture_logs() as lines:
        await app(scope, receive, send)  # type: ignore[arg-type]
    assert [line["log_level"] for line in lines] == ["debug"], lines
    assert "exc_info" not in lines[0]
    assert link(card_request).removeprefix("/r/") not in str(lines)


async def test_limit_names_when_to_try_again(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    form = {"reference": "CARD-2222-222", "contact": "+14155550132"}
    answers = await asyncio.gather(*(client.post("/", data=form) for _ in range(11)))
    [limited] = [answer for answer in answers if answer.status_code == 429]
    assert limited.headers["Retry-After"] == "60"
