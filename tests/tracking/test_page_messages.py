"""Messages that a customer writes on the status page."""

import re

import httpx2
import pytest

from portal.models import MessageKind, MessageStatus, ServiceRequest
from portal.operations import write_to_customer
from tests.support.factories import Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


async def test_customer_message_is_shown_with_promise(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    words = "Will it come to my <old> address? 🙂"
    answer = await client.post(f"{link(card_request)}/messages", data={"body": words})
    assert answer.status_code == 303
    path, _, place = answer.headers["Location"].partition("#")
    assert path == link(card_request)
    page = await client.get(path)
    assert f'id="{place}" class="me"' in page.text
    said = read(page)
    assert words in said
    assert "Tess will answer you by" in said
    assert "Got it, Martin. Tess at Telesales will answer you by" in said
    assert (await organisation.reload(card_request)).unanswered_since


async def test_staff_reply_is_shown_at_once_without_consent_to_texts(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await client.post(f"{link(card_request)}/preferences", data={"do": "stop_all"})
    await organisation.run(
        write_to_customer, card_request, "It will, Martin.", by=organisation.people.tess.actor
    )
    [message] = [
        m for m in await organisation.outbound_messages(card_request) if m.kind == MessageKind.STAFF
    ]
    assert message.status == MessageStatus.SUPPRESSED
    assert "It will, Martin. Tess, on this page" in read(await client.get(link(card_request)))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "Please write something first."),
        (" \n\x00 ", "Please write something first."),
        ("long " * 20_000, "That is too long to send: please keep it under 1,600 letters."),
    ],
    ids=["empty", "blank", "100 kB"],
)
async def test_rejected_message_is_shown_again_with_the_reason(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    body: str,
    sentence: str,
) -> None:
    answer = await client.post(f"{link(card_request)}/messages", data={"body": body})
    assert answer.status_code == 422
    assert sentence in read(answer)
    typed = re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    assert typed
    assert typed[1].strip() == body.replace("\x00", "").strip()
    assert (await organisation.reload(card_request)).page_version == card_request.page_version


async def test_nul_characters_are_removed(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    await client.post(f"{link(card_request)}/messages", data={"body": "one\x00two"})
    assert "onetwo" in read(await client.get(link(card_request)))


async def test_body_over_one_megabyte_is_rejected(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    answer = await client.post(f"{link(card_request)}/messages", data={"body": "x" * 1_100_000})
    assert answer.status_code == 413


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
    ],
)
async def test_form_from_another_origin_is_rejected(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    headers: dict[str, str],
    status: int,
) -> None:
    for path, form in (("/messages", {"body": "Hello"}), ("/preferences", {"do": "stop_all"})):
        answer = await client.post(link(card_request) + path, data=form, headers=headers)
        assert answer.status_code == status
    if status == 403:
        assert "This form was sent from another site" in read(answer)
        assert (await organisation.reload(card_request)).page_version == card_request.page_version


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_rate_limited_message_is_kept_in_the_form(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    for _ in range(20):
        assert (
            await client.post(f"{link(card_request)}/messages", data={"body": "?"})
        ).status_code == 303
    answer = await client.post(f"{link(card_request)}/messages", data={"body": "Hello?"})
    assert answer.status_code == 429
    assert ">Hello?</textarea>" in answer.text
