"""Where several requests are open, the reply to an answer says which one it was about."""

from datetime import timedelta

import pytest

from portal.models import Answer, RequestStatus
from tests.support.customer_device import verify_device
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("body", "answer"), [("YES", Answer.YES), ("It has arrived!", Answer.YES), ("NO", Answer.NO)]
)
async def test_reply_to_an_answer_names_its_request(
    clock, organisation, delivered, phone, body, answer
):
    first = await delivered()
    clock.shift(timedelta(hours=2))
    second = await delivered()
    await phone(body)
    assert f"About {second.reference}." in (await phone.replies())[-1]
    assert (await organisation.reload(second)).follow_ups[0].answer == answer
    assert (await organisation.reload(first)).follow_ups[0].answer is None


async def test_reply_about_the_only_request_names_no_reference(organisation, delivered, phone):
    card = await delivered()
    await phone("YES")
    assert card.reference not in (await phone.replies())[-1]
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED


async def test_it_arrived_is_asked_about_where_two_were_asked_about_at_once(
    organisation, delivered, phone
):
    cards = [await delivered() for _ in range(2)]
    await phone("It has arrived")
    for card in cards:
        assert (await organisation.reload(card)).follow_ups[0].answer is None
        assert card.reference in (await phone.replies())[-1]


async def test_list_of_requests_tells_two_questions_apart(clock, client, organisation, delivered):
    cards = [await delivered() for _ in range(2)]
    await verify_device(client, organisation, cards[0])
    words = read(await client.get(f"{link(cards[0])}/mine"))
    for card in cards:
        assert f"Credit card · {card.reference} Has your card arrived?" in words
