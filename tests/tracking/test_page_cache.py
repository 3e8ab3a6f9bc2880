"""The cache of rendered status pages: what it serves, when it expires, how much it holds."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import time_machine
from starlette.applications import Starlette

from portal.models import ServiceRequest
from portal.operations import advance, revoke_link, set_preferences
from portal.tracking.status_page.cache import StatusPageCache
from portal.tracking.status_page.redaction import LINK_ONLY, Visibility
from tests.support.factories import Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


async def test_page_is_cached_until_it_changes(
    client: httpx2.AsyncClient,
    kept: StatusPageCache,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    first = await client.get(link(card_request))
    assert (await client.get(link(card_request))).text == first.text
    assert kept.render_count == 1
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert (await client.get(link(card_request))).text != first.text
    assert kept.render_count == 2


async def test_internal_change_keeps_the_cache(
    client: httpx2.AsyncClient,
    kept: StatusPageCache,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await client.get(link(card_request))
    await organisation.run(
        revoke_link,
        await organisation.open(by=organisation.people.tess.actor),
        by=organisation.people.tess.actor,
    )
    await client.get(link(card_request))
    assert kept.render_count == 1


async def test_no_page_of_a_revoked_link_stays_in_memory(
    client: httpx2.AsyncClient,
    kept: StatusPageCache,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    token = link(card_request).removeprefix("/r/")
    for visibility in (LINK_ONLY, Visibility(is_trusted=True)):
        assert await kept.get_page(token, visibility)
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    assert (await client.get(link(card_request))).status_code == 404
    assert not kept._pages
    assert kept._bytes == 0


async def test_cache_expires_when_wording_changes_with_time(
    clock: time_machine.Traveller,
    client: httpx2.AsyncClient,
    kept: StatusPageCache,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Four hours were promised; a second before, the page holds, and then it says so."""
    on_time = read(await client.get(link(card_request)))
    clock.shift(timedelta(hours=4, seconds=-1))
    assert read(await client.get(link(card_request))) == on_time
    assert kept.render_count == 1
    clock.shift(timedelta(seconds=1))
    late = read(await client.get(link(card_request)))
    assert kept.render_count == 2
    assert "We're sorry, this takes longer. We said 2 pm." in late
    clock.move_to(datetime(2025, 6, 4, 4, 0, tzinfo=UTC))
    assert "since yesterday, 10 am" in read(await client.get(link(card_request)))


async def test_concurrent_misses_render_once(
    client: httpx2.AsyncClient, kept: StatusPageCache, card_request: ServiceRequest
) -> None:
    answers = await asyncio.gather(*(client.get(link(card_request)) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert kept.render_count == 1


async def test_language_change_renders_another_page(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The customer chose it on the page of another request, whose version alone has grown."""
    other = await organisation.open(by=organisation.people.tess.actor)
    assert '<html lang="en"' in (await client.get(link(card_request))).text
    await organisation.run(set_preferences, other, by=organisation.people.tess.actor, locale="es")
    assert '<html lang="es"' in (await client.get(link(card_request))).text


async def test_cache_stays_within_its_bytes(
    app: Starlette, organisation: Organisation, card_request: ServiceRequest
) -> None:
    other = await organisation.open(by=organisation.people.tess.actor)
    one, two = link(card_request)[3:], link(other)[3:]
    pages = StatusPageCache(app.state.settings, app.state.database, max_bytes=30_000)
    try:
        for token in (one, two, one, one, two):
            assert await pages.get_page(token)
        assert pages.render_count == 4
    finally:
        await pages.close()
