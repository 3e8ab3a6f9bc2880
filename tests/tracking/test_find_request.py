"""The form that sends a customer the link to their request again."""

import asyncio
import re
from dataclasses import replace

import httpx2
import pytest

from portal.models import Channel, Direction, MessageKind, ServiceRequest
from portal.operations import revoke_link
from portal.operations.delivery.channel_fallback import invalidate_address
from tests.support.factories import MARTIN, Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


async def links_sent(organisation: Organisation) -> list[tuple[str, str]]:
    return [
        (message.channel.value, message.to_address)
        for message in await organisation.messages()
        if message.kind == MessageKind.LINK and message.direction == Direction.OUT
    ]


@pytest.mark.parametrize(
    ("contact", "to"),
    [
        ("+14155550132", ("sms", MARTIN.phone)),
        ("(415) 555-0132", ("sms", MARTIN.phone)),
        (" Martin@Example.com ", ("email", MARTIN.email)),
    ],
)
@pytest.mark.usefixtures("clock")  # both within the same five minutes
async def test_link_is_sent_to_the_address_on_record(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    contact: str,
    to: tuple[str, str],
) -> None:
    written = card_request.reference.lower().replace("-", " ")
    for _ in range(2):
        answer = await client.post("/", data={"reference": written, "contact": contact})
        assert answer.status_code == 200
    assert await links_sent(organisation) == [to]
    sent = (await organisation.messages())[-1]
    assert f"http://testserver{link(card_request)}" in sent.body


async def test_unknown_request_gets_the_same_response(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Same bytes, and no sooner: neither tells who our customers are."""
    loop, pages, times = asyncio.get_running_loop(), set(), []
    for reference, contact in (
        (card_request.reference, "+14155550132"),
        (card_request.reference, "+14155550199"),
        ("CARD-2222-222", "+14155550132"),
        ("nonsense", "mary@example.com"),
    ):
        began = loop.time()
        answer = await client.post("/", data={"reference": reference, "contact": contact})
        times.append(loop.time() - began)
        pages.add((answer.status_code, answer.content))
    assert len(pages) == 1
    assert min(times) >= 0.25
    assert await links_sent(organisation) == [("sms", MARTIN.phone)]


async def test_revoked_link_is_replaced_on_request(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    form = {"reference": card_request.reference, "contact": "martin@example.com"}
    await client.post("/", data=form)
    now = await organisation.reload(card_request)
    assert link(now) != link(card_request)
    assert (await client.get(link(now))).status_code == 200
    assert (await client.get(link(card_request))).status_code == 404


def assert_error_is_tied_to(page: str, field: str) -> None:
    """The title says so, a link leads to the field, and the field names the error."""
    assert "<title>Error: Find my request" in page
    assert re.search(rf'id="refusal" role="alert"[^>]*><a href="#{field}">', page)
    described = rf'id="{field}"[^>]* aria-describedby="{field}-hint refusal" aria-invalid="true">'
    assert re.search(described, page)
    assert page.count("aria-invalid") == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_missing_field_is_named_and_input_is_kept(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    answer = await client.post("/", data={"reference": "CARD-<1>", "contact": ""})
    assert answer.status_code == 422
    assert "the mobile number or the e-mail address that we have" in read(answer)
    assert 'value="CARD-&lt;1&gt;"' in answer.text
    assert re.search(r'id="reference"[^>]* aria-describedby="reference-hint">', answer.text)
    assert_error_is_tied_to(answer.text, "contact")
    answer = await client.post("/", data={"reference": "CARD-1", "contact": "me"})
    assert_error_is_tied_to(answer.text, "contact")
    assert "the mobile number or the e-mail address that we have" in read(answer)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_find_request_is_rate_limited(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    form = {"reference": "CARD-2222-222", "contact": "+14155550132"}
    answers = await asyncio.gather(*(client.post("/", data=form) for _ in range(11)))
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429]


@pytest.mark.parametrize(
    ("contact", "to"), [("+1 415 555 0132", "sms"), ("martin@example.com", "email")]
)
@pytest.mark.usefixtures("clock")
async def test_links_are_sent_without_a_reference(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    contact: str,
    to: str,
) -> None:
    other = await organisation.open("permit", by=organisation.people.ben.actor)
    known = await client.post("/", data={"contact": contact})
    assert "If we have requests of that number or address" in read(known)
    sent = [message for message in await organisation.messages() if message.cause[:5] == "find:"]
    assert [message.channel for message in sent] == [to, to]
    assert [
        link(request) in message.body
        for request, message in zip((card_request, other), sent, strict=True)
    ] == [True, True]


@pytest.mark.parametrize("contact", ["+14155550198", "nobody@example.com"])
async def test_without_a_reference_an_unknown_address_gets_the_same_response(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    contact: str,
) -> None:
    known = await client.post("/", data={"contact": "martin@example.com"})
    unknown = await client.post("/", data={"contact": contact})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert len(await links_sent(organisation)) == 1


async def test_number_of_no_known_range_is_found_by_its_country_code(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """The numbers of Ofcom for drama belong to no region in the library."""
    customer = replace(MARTIN, phone="+447700900321", email=None)
    request = await organisation.open(customer=customer, by=organisation.people.tess.actor)
    form = {"reference": request.reference, "contact": "07700 900321"}
    await client.post("/", data=form)
    assert await links_sent(organisation) == [("sms", "+447700900321")]


@pytest.mark.usefixtures("clock")
async def test_without_a_reference_the_three_newest_links_are_sent_and_the_form_says_so(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    tess = organisation.people.tess.actor
    requests = [await organisation.open(by=tess) for _ in range(5)]
    assert "the links to your three newest requests" in read(await client.get("/"))
    answer = await client.post("/", data={"contact": "martin@example.com"})
    assert "the links to the newest are on their way to you now, three at most" in read(answer)
    bodies = [
        message.body for message in await organisation.messages() if message.cause[:5] == "find:"
    ]
    assert len(bodies) == 3
    for request, body in zip(requests[-3:], bodies, strict=True):
        assert link(request) in body


@pytest.mark.parametrize("by", ["reference", "address"])
async def test_address_that_the_customer_has_left_gets_no_link(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    by: str,
) -> None:
    async with organisation.operations.begin(organisation.people.tess.actor) as uow:
        await invalidate_address(uow, Channel.EMAIL, "martin@example.com")
    form = {
        "reference": card_request.reference if by == "reference" else "",
        "contact": MARTIN.email,
    }
    assert (await client.post("/", data=form)).status_code == 200
    assert await links_sent(organisation) == []
    await client.post("/", data=form | {"contact": MARTIN.phone})
    assert await links_sent(organisation) == [("sms", MARTIN.phone)]
