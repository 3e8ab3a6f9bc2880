"""A wish about one request mutes the one that is meant: the one spoken of last, or the chosen one."""

from datetime import timedelta

import pytest

from portal.models import Channel, MessageKind
from portal.operations import write_to_customer
from portal.queries.consent import may_write
from tests.support.factories import MARTIN

pytestmark = pytest.mark.either_database

WISH = "No more texts about this one please"


@pytest.fixture
async def repair(clock, organisation, card_request):
    """Martin's second request."""
    return await organisation.open("repair", by=organisation.people.ben.actor)


@pytest.fixture
def may_text(organisation, card_request, repair):
    """Whether the card and the repair may be written about by text."""

    async def may_text():
        async with organisation.database.reading() as session:
            return [
                await may_write(session, Channel.SMS, MARTIN.phone, request.id)
                for request in (card_request, repair)
            ]

    return may_text


@pytest.mark.parametrize("body", [WISH, "stop this one", "Stop texting about this order"])
async def test_wish_about_this_one_of_two_is_asked_which_and_owned(
    organisation, repair, phone, may_text, body
):
    await phone(body)
    assert "Which request do you mean?" in (await phone.replies())[-1]
    assert await may_text() == [True, True]
    [promise] = (await organisation.reload(repair)).promises
    assert promise.is_open
    await phone("1")
    assert await may_text() == [False, True]
    assert (await phone.replies())[-1].startswith("Acme Bank: No more texts about Credit card")


async def test_wish_about_this_one_is_about_the_one_spoken_of(
    clock, organisation, card_request, phone, may_text
):
    by = organisation.people.tess.actor
    await organisation.run(write_to_customer, card_request, "It is printed now.", by=by)
    clock.shift(timedelta(hours=3))
    await phone(WISH)
    assert await may_text() == [False, True]


async def test_wish_that_waits_for_the_choice_mutes_nothing_when_it_is_said_again(phone, may_text):
    for _ in range(2):
        await phone(WISH)
    assert await may_text() == [True, True]


async def test_wish_in_a_flood_mutes_no_request_that_may_not_be_meant(phone, may_text):
    for number in range(21):
        await phone(f"Message {number}")
    await phone(WISH)
    assert await may_text() == [True, True]


async def test_wish_is_obeyed_each_time_and_confirmed_once(
    organisation, card_request, phone, may_text
):
    for body in ("No more texts about the card please", "START"):
        await phone(body)
    assert await may_text() == [True, True]
    await phone("No more texts about the card please")
    assert await may_text() == [False, True]
    consents = [
        message for message in await organisation.messages() if message.kind == MessageKind.CONSENT
    ]
    assert len(consents) == 2
