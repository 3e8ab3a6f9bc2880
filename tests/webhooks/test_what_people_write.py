"""What people really text, from the webhook to what follows from it."""

import pytest

from portal.models import Channel, RequestStatus
from portal.queries.consent import ConsentQuery, find_permitted
from tests.support.factories import MARTIN

pytestmark = pytest.mark.either_database


async def may_text(organisation, request=None):
    query = ConsentQuery(Channel.SMS, MARTIN.phone, request.id if request else None)
    async with organisation.database.reading() as session:
        return query in await find_permitted(session, [query])


@pytest.mark.parametrize(
    "body",
    [
        "Reply STOP",
        "text STOP",
        "send stop",
        "STOP to end",
        "stop 2 end",
        "Stop to opt out of this",
        "STOP it came already",
        "STOP please thanks",
        "stop por favor",
        "STOP {reference}",
        "{reference} stop",
    ],
)
async def test_wish_to_stop_is_obeyed_and_owes_nothing(organisation, card_request, phone, body):
    await phone(body.format(reference=card_request.reference))
    assert not await may_text(organisation)
    assert (await organisation.reload(card_request)).promises == []


@pytest.mark.parametrize(
    "body",
    [
        "I revoke my consent to the credit check",
        "I want to opt out of the insurance",
        "Stop calling me, text me instead",
        "take me off the waiting list",
        "quiero dar de baja mi cuenta",
        "stop the courier, I have moved",
    ],
)
async def test_stop_of_something_else_goes_to_a_person(organisation, card_request, phone, body):
    await phone(body)
    assert await may_text(organisation)
    assert (await organisation.reload(card_request)).unanswered_since is not None


@pytest.mark.parametrize(
    "body",
    [
        "No worries, got it!",
        "No need to call, it came this morning",
        "No problem, it arrived",
        "No complaints, card is here",
        "Nope, came already",
    ],
)
async def test_no_that_says_it_came_sends_nothing_back(organisation, delivered, phone, body):
    card = await delivered()
    await phone(body)
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED


@pytest.mark.parametrize(
    "body",
    ["Arrived?", "Delivered??", "Yes?", "It came?", "yes 🙄", "si llega mañana", "yes if it works"],
)
async def test_doubtful_yes_completes_nothing(organisation, delivered, phone, body):
    card = await delivered()
    await phone(body)
    card = await organisation.reload(card)
    assert card.status == RequestStatus.AWAITING_CONFIRMATION
    assert await phone.replies()


@pytest.mark.parametrize(
    "body",
    [
        "Thanks! Can I change my address?",
        "ok thanks, please send it to my office instead",
        "Thanks a lot, three weeks late again",
        "thanks 😡",
        "Where is my card? Please send it to my office, 12 Elm St, instead",
        "When will it arrive? I am in hospital from Tuesday",
        "Any news? Your courier was rude to my mother",
        "how long? my husband died and I need it closed",
        "unsubscribe me from everything and delete my data",
        "STOP and cancel my order",
        "Yes, cancel",
    ],
)
async def test_whatever_else_is_said_has_an_owner(organisation, card_request, phone, body):
    await phone(body)
    [promise] = (await organisation.reload(card_request)).promises
    assert promise.owner_id
    assert promise.due_at
