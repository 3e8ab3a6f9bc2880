"""The status page through HTTP: what it says, to whom, and what changes nothing."""

import re

import httpx2
import pytest
from sqlalchemy.exc import OperationalError

from portal.models import Customer, ServiceRequest
from portal.operations import accept, advance, replace_link, revoke_link
from portal.tracking.status_page.cache import StatusPageCache
from tests.support.factories import Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


NO_LINK = "/r/AAAAAAAAAAAAAAAAAAAAAA"


async def test_page_shows_current_and_next_step(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    page = await client.get(link(card_request))
    assert page.status_code == 200
    words = read(page)
    assert "We have your application, Martin" in words
    assert "Telesales has had it since today" in words
    assert "Next Your application is being checked by" in words
    assert card_request.reference in words
    assert "Miller" not in page.text
    assert "+1415" not in page.text


async def test_page_of_a_customer_whose_time_zone_cannot_be_read(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The page shows times in UTC and says so; a message is taken."""
    async with organisation.database.transaction() as session:
        customer = await session.get_one(Customer, card_request.customer_id)
        customer.timezone = "Mars/Phobos"
    page = await client.get(link(card_request))
    assert page.status_code == 200
    assert "Times are those of UTC." in read(page)
    for more in ("/print", "/preferences", "/appointment.ics", "/link"):
        assert (await client.get(f"{link(card_request)}{more}")).status_code in {200, 303, 404}, (
            more
        )
    data = {"body": "Is it on its way?"}
    sent = await client.post(f"{link(card_request)}/messages", data=data)
    assert sent.status_code == 303
    assert "Is it on its way?" in read(await client.get(link(card_request)))


async def test_milestone_waits_for_acceptance(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    words = read(await client.get(link(card_request)))
    assert "Passed to Underwriting today" in words
    assert "they take it up by" in words
    assert "Until they do, Tess at Telesales still looks after it." in words
    assert "Passed to Underwriting, Martin" in words
    await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    words = read(await client.get(link(card_request)))
    assert "Your application is being checked, Martin" in words
    assert "Uma at Underwriting has had it since today" in words


async def test_page_is_private_and_gzipped(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    gzipped = await client.get(link(card_request), headers={"Accept-Encoding": "gzip"})
    plain = await client.get(link(card_request), headers={"Accept-Encoding": "identity"})
    assert gzipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzipped.text == plain.text
    assert int(gzipped.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    for answer in (gzipped, plain):
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_link_preview_names_the_brand_and_no_state(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    page = (await client.get(link(card_request))).text
    assert re.findall(r'property="og:(\w+)" content="([^"]*)"', page) == [
        ("title", "Follow your request · Acme Bank")
    ]


async def test_head_has_no_body(client: httpx2.AsyncClient, card_request: ServiceRequest) -> None:
    for path in ("", "/live"):
        answer = await client.head(link(card_request) + path)
        assert answer.status_code == 200
        assert answer.content == b""


async def test_get_changes_nothing(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    before, told = (
        await organisation.events(card_request),
        await organisation.outbound_messages(card_request),
    )
    for path in ("", "/preferences"):
        assert (await client.get(link(card_request) + path)).status_code == 200
    assert (await client.get("/")).status_code == 200
    now = await organisation.reload(card_request)
    assert (now.version, now.page_version) == (card_request.version, card_request.page_version)
    assert await organisation.events(card_request) == before
    assert await organisation.outbound_messages(card_request) == told


async def test_unknown_and_revoked_links_look_the_same(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Byte for byte, on each path; nobody learns that there was something once."""
    revoked = link(card_request)
    assert (await client.get(revoked)).status_code == 200
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    for path in ("", "/live", "/preferences"):
        answers = [
            await client.get(address + path) for address in (revoked, NO_LINK, "/r/%00", "/r/é")
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert len({tuple(answer.headers.items()) for answer in answers}) == 1
    for path, form in (
        ("/messages", {"body": "Hello?"}),
        ("/answers", {"follow_up": "1", "answer": "yes"}),
        ("/preferences", {"do": "stop_all"}),
    ):
        answers = [await client.post(address + path, data=form) for address in (revoked, NO_LINK)]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1


async def test_replaced_link_opens_by_its_new_token_only(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The kept page names its own link, so it is never shown under another."""
    old = link(card_request)
    await client.get(old)
    now = await organisation.run(replace_link, card_request, by=organisation.people.tess.actor)
    assert (await client.get(old)).status_code == 404
    page = await client.get(link(now))
    assert f'action="{link(now)}/messages"' in page.text
    assert old not in page.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_unavailable_database_shows_the_outage_page(
    client: httpx2.AsyncClient, kept: StatusPageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(token: str) -> None:
        raise OperationalError(token, None, OSError("gone"))

    monkeypatch.setattr(kept._reader, "find_version", away)
    answer = await client.get(NO_LINK)
    assert answer.status_code == 503
    assert "We cannot show your request at this moment" in read(answer)


async def test_wrong_method_on_a_page_is_405(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    assert (await client.put(link(card_request))).status_code == 405
    assert (await client.get(f"{link(card_request)}/messages")).status_code == 405
