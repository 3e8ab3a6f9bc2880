"""Whoever finds a link does not keep its customer from stopping messages or replacing the link."""

import httpx2
import pytest
from sqlmodel import select
from starlette.applications import Starlette

from portal.models import Consent, ServiceRequest
from tests.support.customer_device import link, new_browser, verify_device
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ANOTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://other.example"}
PATHS = ("forget", "language", "answers", "code", "messages", "replace", "preferences")


async def test_forms_of_another_site_spend_no_limit(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    for _ in range(5):
        for path in PATHS:
            answer = await client.post(f"{link(card_request)}/{path}", headers=ANOTHER_SITE)
            assert answer.status_code == 403, path
    assert (await client.post(f"{link(card_request)}/forget")).status_code == 303
    assert (
        await client.post(f"{link(card_request)}/messages", data={"body": "Hello"})
    ).status_code == 303


async def test_redirect_of_the_language_is_for_no_search_engine(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """Its Location is the secret link."""
    answer = await client.post(f"{link(card_request)}/language", data={"locale": "es"})
    assert answer.status_code == 303
    assert answer.headers["X-Robots-Tag"].startswith("noindex")


async def test_form_of_unsubscribing_has_a_limit_of_fields(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    files = {f"file{number}": (None, "x") for number in range(25)}
    answer = await client.post(f"{link(card_request)}/unsubscribe", files=files)
    assert answer.status_code == 400
    async with organisation.database.reading() as session:
        assert all(consent.granted for consent in (await session.exec(select(Consent))).all())


async def test_finder_of_a_link_closes_no_way_out(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await verify_device(client, organisation, card_request)
    async with new_browser(app) as finder:
        for _ in range(40):
            await finder.post(f"{link(card_request)}/replace")
        assert (await finder.post(f"{link(card_request)}/forget")).status_code == 429
    for path, form in (
        ("preferences", {"do": "stop_texts"}),
        ("unsubscribe", {"List-Unsubscribe": "One-Click"}),
        ("replace", {}),
    ):
        answer = await client.post(f"{link(card_request)}/{path}", data=form)
        assert answer.status_code in (200, 303), path
    assert "/replace?done" in answer.headers["location"]
