"""A lost link is sent at once; who asks who we are reads it, and that we ask for no card numbers."""

import pytest

from portal.models import Channel
from portal.operations import cancel, revoke_link
from tests.tracking.page_requests import link

pytestmark = pytest.mark.either_database


async def last_text(organisation):
    texts = [text for text in await organisation.messages() if text.channel == Channel.SMS]
    return texts[-1].body


@pytest.mark.parametrize(
    "body",
    [
        "link",
        "I lost my link",
        "what's my reference?",
        "your link doesn't work",
        "Perdí el enlace",
        "فقدت الرابط",
    ],
)
async def test_lost_link_is_sent_at_once(organisation, card_request, phone, body):
    await phone(body)
    assert await last_text(organisation) == (
        f"Acme Bank: Hi Martin. Your link for {card_request.reference}: "
        f"http://testserver{link(card_request)}"
    )
    seen = await organisation.reload(card_request)
    assert (seen.promises, seen.unanswered_since) == ([], None)


async def test_lost_link_is_sent_also_while_a_question_is_open(organisation, delivered, phone):
    card = await delivered()
    await phone("I lost my link")
    assert f"Your link for {card.reference}" in await last_text(organisation)
    assert (await organisation.reload(card)).open_question is not None


async def test_what_is_said_beside_a_lost_link_has_an_owner(organisation, card_request, phone):
    await phone("I lost my link. Please change my address to 12 Elm Street, I moved last week")
    seen = await organisation.reload(card_request)
    assert [promise.is_open for promise in seen.promises] == [True]
    text = await last_text(organisation)
    assert f"http://testserver{link(card_request)} Tess at Telesales answers the rest" in text


async def test_warning_about_a_card_number_keeps_the_lost_link(organisation, card_request, phone):
    await phone("I lost my link, my card is 4111 1111 1111 1111")
    text = await last_text(organisation)
    assert f"http://testserver{link(card_request)}" in text
    assert "card number" in text


async def test_newest_link_is_sent_where_several_are_open(organisation, card_request, phone):
    newer = await organisation.open("permit", by=organisation.people.ben.actor)
    await phone("link")
    text = await last_text(organisation)
    assert f"your link for {newer.reference}: http://testserver{link(newer)} All your" in text


async def test_closed_request_has_its_link_too(organisation, card_request, phone):
    await organisation.run(cancel, card_request, reason="No.", by=organisation.people.tess.actor)
    await phone("link please")
    assert f"http://testserver{link(card_request)}" in await last_text(organisation)


async def test_revoked_link_is_replaced(organisation, card_request, phone):
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    await phone("link")
    seen = await organisation.reload(card_request)
    assert link(seen) != link(card_request)
    assert link(seen) in await last_text(organisation)


@pytest.mark.parametrize("body", ["Is this a scam?", "Who is this?", "¿es una estafa?"])
@pytest.mark.parametrize("is_asked", [False, True])
async def test_who_asks_who_we_are_reads_it(
    organisation, card_request, delivered, phone, body, is_asked
):
    if is_asked:
        await delivered()
    await phone(body)
    assert "We never ask for codes or card numbers" in await last_text(organisation)
