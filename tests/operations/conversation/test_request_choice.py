"""Which of several requests a text belongs to."""

import pytest

from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, MessageKind
from portal.operations import advance, cancel, receive_text, run_due_follow_ups
from tests.operations.conversation.texting import heard_on, last
from tests.support.factories import MARTHA, MARTIN
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


@pytest.fixture
def texts(organisation):
    """Martin's phone: what it sends, in order, each with its own sid."""
    sent = 0

    async def text(body, sender=MARTIN.phone, sid=None):
        nonlocal sent
        sent += 1
        await organisation.run_unbound(
            receive_text, sid=sid or f"SM{sent}", sender=sender, to="+15005550006", body=body,
            by=CUSTOMER_ACTOR,
        )  # fmt: skip

    return text


@pytest.fixture
async def repair(organisation, card_request):
    """Martin's second request."""
    return await organisation.open("repair", by=organisation.people.ben.actor)


async def test_ambiguous_request_is_asked_and_picked_by_number(
    organisation, card_request, repair, texts
):
    """The message and what is owed go to the request that is meant."""
    await texts("Can you hurry?")
    asked = await last(organisation)
    assert asked.kind == MessageKind.WHICH_REQUEST
    assert asked.body.endswith("1 Credit card, 2 Device repair")
    assert await heard_on(organisation, card_request) == []
    await texts("1")
    assert await heard_on(organisation, card_request) == ["Can you hurry?", "1"]
    assert await heard_on(organisation, repair) == []
    assert len((await organisation.reload(card_request)).promises) == 1
    left = await organisation.reload(repair)
    assert ([promise.is_open for promise in left.promises], left.unanswered_since) == (
        [False],
        None,
    )


async def test_page_says_that_we_asked_which_until_the_customer_says(
    organisation, card_request, repair, texts, client
):
    await texts("Can you hurry?")
    words = read(await client.get(link(repair)))
    assert "You have several requests: we asked you by text which one you mean." in words
    assert "There is nothing that you need to do now" not in words
    await texts("1")
    for request in (card_request, repair):
        assert "which one you mean" not in read(await client.get(link(request)))


@pytest.mark.parametrize("number", ["0", "3", "99999999999", "²"])
async def test_invalid_choice_is_asked_again(organisation, card_request, repair, texts, number):
    await texts("Can you hurry?")
    await texts(number)
    assert (await last(organisation)).kind == MessageKind.WHICH_REQUEST
    assert not await heard_on(organisation, card_request)
    assert await heard_on(organisation, repair) == ["Can you hurry?", number]
    assert len((await organisation.reload(repair)).promises) == 1


async def test_mistyped_choice_is_no_question(organisation, repair, texts):
    await texts("Can you hurry?")
    await texts("7")
    await texts("2")
    assert await heard_on(organisation, repair) == ["Can you hurry?", "7", "2"]
    answers = [
        message
        for message in await organisation.outbound_messages(repair)
        if message.cause.startswith("message:")
    ]
    assert [answer.kind for answer in answers] == [MessageKind.ACKNOWLEDGEMENT]


async def test_choice_refers_to_the_list_as_sent(organisation, card_request, repair, texts):
    other = await organisation.open("permit", by=SYSTEM_ACTOR)
    await texts("Can you hurry?")
    await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    await texts("2")
    assert await heard_on(organisation, repair) == ["Can you hurry?", "2"]
    assert await heard_on(organisation, other) == []


async def test_reference_in_text_selects_the_request(organisation, card_request, repair, texts):
    await texts(f"about {card_request.reference.lower()}: can you hurry?")
    assert len(await heard_on(organisation, card_request)) == 1
    assert await heard_on(organisation, repair) == []


async def test_yes_answers_the_only_open_question(organisation, card_request, repair, texts):
    await organisation.run(advance, repair, by=SYSTEM_ACTOR)
    await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
    await texts("Yes")
    assert [run.stage_key for run in (await organisation.reload(repair)).open_runs] == ["mended"]
    assert await heard_on(organisation, card_request) == []


async def test_yes_with_two_open_questions_is_asked_which(
    organisation, card_request, repair, texts
):
    second = await organisation.open("repair", by=SYSTEM_ACTOR)
    for request in (repair, second):
        await organisation.run(advance, request, by=SYSTEM_ACTOR)
        await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)
    await texts("yes please")
    assert (await last(organisation)).kind == MessageKind.WHICH_REQUEST
    await texts("3")
    assert [run.stage_key for run in (await organisation.reload(second)).open_runs] == ["mended"]
    assert (await organisation.reload(repair)).open_question is not None


async def test_shared_phone_is_asked_which_request(organisation, card_request, texts):
    hers = await organisation.open("permit", customer=MARTHA, by=SYSTEM_ACTOR)
    await texts("Can you hurry?")
    asked = await last(organisation)
    assert asked.kind == MessageKind.WHICH_REQUEST
    assert asked.body.endswith("1 Credit card, 2 Building permit")
    await texts("2")
    assert await heard_on(organisation, hers) == ["Can you hurry?", "2"]


async def test_later_choice_does_not_include_stop(organisation, card_request, repair, texts):
    await texts("STOP")
    await texts("START")
    await texts(f"{repair.reference} can you hurry?")
    assert await heard_on(organisation, repair) == [f"{repair.reference} can you hurry?"]
