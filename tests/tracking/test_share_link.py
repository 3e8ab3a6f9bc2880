"""The share link shows the timeline to a family, and lets nobody act."""

import re

import httpx2
import pytest
from starlette.applications import Starlette

from portal.models import Answer, ServiceRequest
from portal.operations import (
    advance,
    ask_correction,
    hold,
    make_promise,
    replace_link,
    revoke_link,
    write_to_customer,
)
from tests.support.customer_device import link, new_browser, verify_device
from tests.support.factories import ORIGIN, Organisation
from tests.support.sample_images import PDF
from tests.support.workflows import GARAGE
from tests.tracking.page_requests import read, send_paper
from tests.tracking.status_page.status_page_steps import ask, say, walk

pytestmark = pytest.mark.either_database


async def share(browser: httpx2.AsyncClient, request: ServiceRequest) -> str:
    """Press "Make a link to share"; the path of the shared page."""
    await browser.post(f"{link(request)}/share", data={"do": "make"})
    page = (await browser.get(f"{link(request)}/share")).text
    return re.findall(rf'value="{ORIGIN}(/s/[\w-]{{22}})"', page)[0]


async def test_shared_page_shows_the_way_and_nothing_private(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    tess = organisation.people.tess.actor
    await send_paper(client, card_request)
    await organisation.run(
        write_to_customer, card_request, by=tess, body="Your PIN letter is with Mrs Miller."
    )
    await organisation.run(
        make_promise, card_request, by=tess, text="I ring you about the divorce papers.",
        due_at=card_request.opened_at.replace(year=card_request.opened_at.year + 1),
    )  # fmt: skip
    await organisation.run(advance, card_request, by=tess, note="Limit 289 pounds.")
    assert "Share with family" in read(await client.get(link(card_request)))
    path = await share(client, card_request)
    async with new_browser(app) as family:
        answer = await family.get(path)
    words = read(answer)
    assert answer.status_code == 200
    assert "We have your application" in words
    assert "Passed to Underwriting" in words
    assert "Next" in words
    for private in (
        "Martin", "Miller", card_request.reference, "divorce", "289", "Here.", "passport", "Tess",
        link(card_request), "/messages", "/preferences", "<form", "<script", "<img",
    ):  # fmt: skip
        assert private not in answer.text, private
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"


async def test_share_link_opens_no_other_page(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Its token is no tracking link: it neither reads nor writes anything of the customer's."""
    path = await share(client, card_request)
    token = path.removeprefix("/s/")
    for below in ("", "/live", "/preferences", "/mine", "/share", "/qr.svg", "/paper"):
        assert (await client.get(f"/r/{token}{below}")).status_code == 404, below
    for below in ("messages", "answers", "preferences", "unsubscribe", "share", "withdraw"):
        assert (await client.post(f"/r/{token}/{below}")).status_code == 404, below
    assert (await client.post(path)).status_code == 405
    assert (await client.get("/s/" + "A" * 22)).status_code == 404
    assert (await client.get("/s/" + "%00" * 22)).status_code == 404


async def test_customer_ends_the_share_link(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    first = await share(client, card_request)
    assert await share(client, card_request) == first
    await client.post(f"{link(card_request)}/share", data={"do": "end"})
    assert (await client.get(first)).status_code == 404
    second = await share(client, card_request)
    assert second != first
    assert (await client.get(second)).status_code == 200
    odd = await client.post(f"{link(card_request)}/share", data={"do": "else"})
    assert odd.status_code == 422


@pytest.mark.parametrize("end", [replace_link, revoke_link])
async def test_share_link_ends_with_the_customers_link(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    end: object,
) -> None:
    path = await share(client, card_request)
    await organisation.run(end, card_request, by=organisation.people.tess.actor)  # type: ignore[arg-type]
    assert (await client.get(path)).status_code == 404


async def test_shared_page_hides_what_a_courier_writes_also_before_a_hold(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    api: httpx2.AsyncClient,
) -> None:
    tess = organisation.people.tess.actor
    scan = {
        "carrier": "DHL", "number": "JD0146", "code": "in_transit", "place": "Elm Street",
        "description": "Left with Mr Miller",
    }  # fmt: skip
    answer = await api.post(f"/requests/{card_request.reference}/third-party-events", json=scan)
    assert answer.status_code == 200, answer.text
    path = await share(client, card_request)
    own = await client.get(link(card_request))
    assert "Miller" in own.text, "the customer reads it"
    page = await client.get(path)
    assert "On its way" in read(page)
    for private in ("Miller", "JD0146", "Elm Street", "dhl.com"):
        assert private not in page.text, private
    await organisation.run(hold, card_request, by=tess, reason="Martin is in hospital.")
    page = await client.get(path)
    assert "On hold for now" in read(page)
    for private in ("hospital", "Miller", "JD0146", "Elm Street"):
        assert private not in page.text, private


async def test_shared_page_hides_a_correction_and_what_is_needed(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    await organisation.load(GARAGE)
    cora = organisation.people.cora.actor
    permit = await organisation.open("garage", by=cora)
    await organisation.run(advance, permit, by=cora)
    path = await share(client, permit)
    assert "Floor plans" not in (await client.get(path)).text
    files = [("file", ("Miller.pdf", PDF, "application/pdf"))]
    await client.post(f"{link(permit)}/messages", data={"need": "plans"}, files=files)
    sent = read(await client.get(path))
    assert "Floor plans" not in sent
    assert "We are checking what you sent" in sent
    await organisation.run(
        ask_correction, permit, "plans", reason="Your wife has not signed it.", by=cora
    )
    assert "Your wife has not signed it." in read(await client.get(link(permit)))
    page = await client.get(path)
    words = read(page)
    assert "We are waiting for your drawings" in words
    for private in ("wife", "signed", "Cora", "Floor plans", "correct", "<form", "plans"):
        assert private not in page.text, private


@pytest.mark.parametrize("answer", [Answer.NO, Answer.WRONG])
async def test_shared_page_hides_who_looks_into_what(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    answer: Answer,
) -> None:
    """The customer's headline names a person; the family's only that the card is looked for."""
    card = await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    await ask(organisation, card)
    await say(organisation, card, answer)
    assert "Carl is look" in read(await client.get(link(card)))
    page = await client.get(await share(client, card))
    words = read(page)
    neutral = {Answer.NO: "Acme Bank is looking for your card", Answer.WRONG: "Our part is done"}
    assert neutral[answer] in words
    for private in ("Carl", "Martin", "torn"):
        assert private not in page.text, private


async def test_share_link_does_not_follow_the_browser_of_the_customer(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A trusted browser sees no more on the shared page than anybody else."""
    paper = await send_paper(client, card_request)
    await verify_device(client, organisation, card_request)
    page = await client.get(await share(client, card_request))
    assert paper not in page.text
    assert "passport" not in page.text
