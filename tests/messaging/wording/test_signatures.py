"""A text that a colleague writes is signed; their own words are never altered."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Message,
    MessageStatus,
    ServiceRequest,
    StaffMember,
)
from portal.operations import write_to_customer
from tests.support.factories import MARTIN, Organisation

pytestmark = pytest.mark.either_database


async def written(
    organisation: Organisation, request: ServiceRequest, body: str, **more: Any
) -> Message:
    """The message of Tess's, or of ``by``, as it is sent."""
    by = {"by": organisation.people.tess.actor} | more
    await organisation.run(write_to_customer, request, body=body, **by)
    return (await organisation.outbound_messages(request))[-1]


async def renamed(organisation: Organisation, name: str) -> StaffMember:
    """Tess, with another name."""
    async with organisation.database.transaction() as session:
        tess = await session.get_one(StaffMember, organisation.people.tess.id)
        tess.name = name
    return tess


@pytest.mark.parametrize(
    ("locale", "signed"),
    [("en", "Tess at Acme Bank: "), ("es", "Tess, de Acme Bank: ")],
)
async def test_text_is_signed_by_the_first_name_and_the_brand(
    organisation: Organisation, locale: str, signed: str
) -> None:
    """What they wrote follows as it is, accents included, and the whole is counted."""
    card = await organisation.open("card", replace(MARTIN, locale=locale), by=SYSTEM_ACTOR)
    text = await written(organisation, card, "Is it María?")
    assert text.body == f"{signed}Is it María?"
    assert text.segments == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Dr. Ada Okafor", "Ada"), ("Dr. Okafor", "Dr. Okafor"), ("Ana María Ruiz", "Ana María")],
)
async def test_first_name_is_read_as_a_name(
    organisation: Organisation,
    card_request: ServiceRequest,
    client: httpx2.AsyncClient,
    texts: Any,
    name: str,
    shown: str,
) -> None:
    """In the signature, in our own texts and on the page, and never a title alone."""
    tess = await renamed(organisation, name)
    text = await written(organisation, card_request, "Is it Maria?", by=tess.actor)
    plain = shown.replace("í", "i")
    assert text.body in (
        f"{shown} at Acme Bank: Is it Maria?",
        f"{plain} at Acme Bank: Is it Maria?",
    )
    assert card_request.live_link is not None
    page = (await client.get(f"/r/{card_request.live_link.token}")).text
    assert "at Acme Bank: Is it" not in page
    await texts("Could I have a blue one?")
    reply = (await organisation.outbound_messages(card_request))[-1].body
    assert f"{shown} at Telesales" in reply or f"{plain} at Telesales" in reply


async def test_colleague_without_a_name_is_the_brand(
    organisation: Organisation, card_request: ServiceRequest, texts: Any
) -> None:
    tess = await renamed(organisation, "")
    text = await written(organisation, card_request, "Is it Maria?", by=tess.actor)
    assert text.body == "Is it Maria?"
    await texts("Could I have a blue one?")
    reply = (await organisation.outbound_messages(card_request))[-1].body
    assert "Acme Bank at Telesales will answer you" in reply


async def test_page_and_mail_show_the_words_without_the_signature(
    organisation: Organisation, card_request: ServiceRequest, client: httpx2.AsyncClient
) -> None:
    """They name the author beside them."""
    await written(organisation, card_request, "Is it Maria?")
    assert card_request.live_link is not None
    page = (await client.get(f"/r/{card_request.live_link.token}")).text
    assert "Is it Maria?" in page
    assert "Tess at Acme Bank" not in page
    mail = await written(organisation, card_request, "Is it Maria?", channels=[Channel.EMAIL])
    assert mail.body == "Is it Maria?"


async def test_text_that_begins_with_a_signature_or_the_brand_is_not_signed_twice(
    organisation: Organisation, card_request: ServiceRequest
) -> None:
    for body in ("Dora at Acme Bank: Hello.", "Acme Bank: Hello."):
        text = await written(organisation, card_request, body)
        assert text.body == body


async def test_text_of_another_system_is_sent_as_it_is(
    organisation: Organisation, card_request: ServiceRequest
) -> None:
    words = "Your PIN letter is out."
    text = await written(organisation, card_request, words, by=SYSTEM_ACTOR)
    assert (text.body, text.status) == (words, MessageStatus.QUEUED)


async def test_composer_shows_the_signature_and_counts_it(
    organisation: Organisation, card_request: ServiceRequest, desk_clients: Any
) -> None:
    page = await (await desk_clients("tess")).page(card_request)
    assert "A text begins with “Tess at Acme Bank:”" in page
    assert 'data-signature="Tess at Acme Bank: "' in page
