"""Whose calls are counted together: the peer, or what a trusted proxy says of it."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from portal.app import create_app
from portal.models import ServiceRequest
from portal.operations import CustomerDetails, RequestDetails, open_request
from portal.settings import Settings
from portal.web.client_address import client_address
from tests.support.customer_device import link
from tests.support.factories import ORIGIN, Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WRONG = {"reference": "CARD-2222-222", "contact": "nobody@example.com"}


def from_address(app: Starlette, address: str) -> httpx2.AsyncClient:
    """A client, or a proxy, with this address."""
    transport = httpx2.ASGITransport(app=app, client=(address, 40_000))
    return httpx2.AsyncClient(transport=transport, base_url=ORIGIN)


def application(settings: Settings, proxies: str) -> Starlette:
    """The application behind these proxies."""
    alias = {Settings.environment_name("trusted_proxies"): proxies}
    networks = Settings(_env_file=None, **alias).trusted_proxies
    return create_app(settings.model_copy(update={"trusted_proxies": networks}))


async def statuses(
    proxy: httpx2.AsyncClient, count: int, form: dict[str, str], forwarded_for: str
) -> set[int]:
    """The answers to these many look-ups of different requests."""
    found = set()
    for number in range(count):
        letters = form | {
            "reference": f"CARD-2222-{number:03}",
            "contact": f"n{number}@example.com",
        }
        answer = await proxy.post("/", data=letters, headers={"X-Forwarded-For": forwarded_for})
        found.add(answer.status_code)
    return found


@pytest.fixture
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.tracking.find_request.MIN_RESPONSE_SECONDS", 0)


@pytest.fixture
def _at_once(_no_wait: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait for an answer, and a limit that is soon reached."""
    monkeypatch.setattr("portal.tracking.find_request.RATE_LIMIT_PER_CLIENT", "60/minute")


@pytest.mark.usefixtures("_at_once")
async def test_one_customer_behind_the_proxy_uses_up_no_other_customers_limit(
    settings: Settings, organisation: Organisation
) -> None:
    app = application(settings, "10.0.0.0/8")
    async with app.router.lifespan_context(app), from_address(app, "10.0.0.2") as proxy:
        assert await statuses(proxy, 60, WRONG, "203.0.113.9") == {200}
        assert await statuses(proxy, 1, WRONG, "203.0.113.9") == {429}
        assert await statuses(proxy, 1, WRONG, "198.51.100.1, 203.0.113.9") == {429}
        assert await statuses(proxy, 1, WRONG, "203.0.113.10") == {200}


@pytest.mark.usefixtures("_at_once")
async def test_without_a_trusted_proxy_the_header_changes_nothing(
    settings: Settings, organisation: Organisation
) -> None:
    app = application(settings, "")
    async with app.router.lifespan_context(app), from_address(app, "203.0.113.9") as client:
        assert await statuses(client, 60, WRONG, "198.51.100.1") == {200}
        assert await statuses(client, 1, WRONG, "198.51.100.2") == {429}


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.2", [], "10.0.0.2"),
        ("10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["1.1.1.1, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.2", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["10.0.0.3, 10.0.0.4"], "10.0.0.3"),
        ("10.0.0.2", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.2", ["1.1.1.1, unknown"], "10.0.0.2"),
        ("10.0.0.2", [", ,"], "10.0.0.2"),
        ("10.0.0.2", [", ".join(["10.1.1.1"] * 500)], "10.1.1.1"),
        ("::ffff:10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["[2001:db8:1:2:3:4:5:6]:443"], "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2::10", ["198.51.100.1"], "2001:db8:1:2::/64"),
    ],
)
def test_client_is_the_rightmost_address_that_is_no_trusted_proxy(
    settings: Settings, peer: str, forwarded_for: list[str], client: str
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded_for]
    app = application(settings, "10.0.0.0/8, fd00::/8")
    assert client_address(Request({"type": "http", "app": app, "client": (peer, 1),
                                   "headers": headers})) == client  # fmt: skip


@pytest.mark.usefixtures("_no_wait")
async def test_many_customers_behind_one_address_do_not_share_a_limit(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """130 links within a minute over one peer, as behind a proxy that is not named; one is limited."""
    by = organisation.people.tess.actor
    async with organisation.operations.begin(by) as uow:
        requests = [
            await open_request(
                uow,
                RequestDetails("card", CustomerDetails(f"Martin {number}", f"+1415555{number:04}")),
            )
            for number in range(130)
        ]
        found = [(request.reference, link(request)) for request in requests]
    for number, (reference, path) in enumerate(found):
        seen_as = {"X-Forwarded-For": f"203.0.113.{number}"}
        said = await client.post(f"{path}/messages", data={"body": "Hello"}, headers=seen_as)
        assert said.status_code == 303, number
        asked = await client.post(f"{path}/code", data={"to": "mine"}, headers=seen_as)
        assert asked.status_code == 303, number
        if number < 70:
            form = {"reference": reference, "contact": f"+1415555{number:04}"}
            assert (await client.post("/", data=form, headers=seen_as)).status_code == 200, number
    alone = [
        (
            await client.post(f"{link(card_request)}/messages", data={"body": f"Hello {number}"})
        ).status_code
        for number in range(21)
    ]
    assert alone == [303] * 20 + [429]
