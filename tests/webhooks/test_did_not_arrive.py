"""What follows where a thing did not come, or came and is wrong: by text, by mail, on the page."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from portal.models import SYSTEM_ACTOR, Answer, FollowUpState, RequestStatus
from portal.operations import advance, announce_delay, run_due_follow_ups, write_to_customer
from tests.support.factories import MARTIN
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database

SORRY = (
    "Acme Bank: Sorry, Martin. Carl at Courier Desk is looking for your card and writes to you by "
)


async def open_promises(organisation, request):
    return [promise for promise in (await organisation.reload(request)).promises if promise.is_open]


@pytest.mark.parametrize(
    "body",
    [
        "NO",
        "No it hasn't arrived and the envelope was torn",
        "Not yet! I was home all day on Friday and nobody came.",
    ],
)
async def test_no_is_answered_with_who_looks_for_it_and_by_when(
    organisation, delivered, phone, client, body
):
    card = await delivered()
    before = len(await organisation.outbound_messages(card))
    await phone(body)
    said = [message.body for message in await organisation.outbound_messages(card)][before:]
    assert len(said) == 1
    assert said[0].startswith(SORRY)
    (promise,) = await open_promises(organisation, card)
    assert promise.owner_id == organisation.people.carl.id
    words = read(await client.get(link(card)))
    assert "Carl is looking for your card, Martin" in words
    assert "Carl will answer you by" in words
    assert "There is nothing that you need to do now" not in words


async def test_no_on_the_page_names_who_looks_for_it(organisation, delivered, client, press):
    card = await delivered()
    assert await press(card, "no") == 303
    words = read(await client.get(link(card)))
    assert "Carl is looking for your card, Martin" in words
    assert "Carl will answer you by" in words


async def test_status_after_a_no_says_who_looks_for_it(clock, organisation, delivered, phone):
    await delivered()
    await phone("NO")
    clock.shift(timedelta(minutes=5))
    await phone("Where is my card?")
    assert "Carl is looking for your card" in (await phone.replies())[-1]


async def test_no_date_is_shown_while_the_card_is_looked_for(
    clock, organisation, delivered, phone, client
):
    """Not on the page, in the answer to "where is it?" or on the shared page, until a new date."""
    card = await delivered()
    await phone("no it hasn't arrived and the envelope was torn")
    await client.post(f"{link(card)}/share", data={"do": "make"})
    shared = re.findall(r"/s/[\w-]{22}", (await client.get(f"{link(card)}/share")).text)[0]
    clock.shift(timedelta(minutes=5))
    await phone("Where is my card?")
    assert "we expect" not in (await phone.replies())[-1]
    assert "Carl is looking for your card" in (await phone.replies())[-1]
    own, family = read(await client.get(link(card))), read(await client.get(shared))
    for words in (own, family):
        state = words.partition("Conversation")[0]
        assert "Acme Bank is looking for your card now" in state
        for old in ("Ready by", "Next Your card has been delivered by", "is on its way"):
            assert old not in state, state
    clock.shift(timedelta(minutes=5))
    carl = organisation.people.carl.actor
    new_date = card.opened_at + timedelta(days=30)
    await organisation.run(
        announce_delay, card, by=carl, reason="It is lost.", expected_by=new_date
    )
    assert "Ready by" in read(await client.get(link(card)))


async def test_headline_follows_when_the_stage_is_done_again(
    clock, organisation, delivered, phone, client
):
    card = await delivered()
    await phone("NO")
    assert "Carl is looking for your card" in read(await client.get(link(card)))
    await organisation.run(
        write_to_customer, card, "DHL has it again.", by=organisation.people.carl.actor
    )
    clock.shift(timedelta(hours=2))
    await organisation.run(advance, card, by=organisation.people.carl.actor)
    assert "Your card has been delivered, Martin" in read(await client.get(link(card)))


@pytest.mark.parametrize(
    ("locale", "headline"),
    [
        ("en", "We have answered you, Martin"),
        ("es", "Le hemos respondido, Martin"),
        ("ar", "لقد أجبناك، Martin"),
    ],
)
@pytest.mark.parametrize("answer", ["no", "wrong"])
async def test_headline_moves_on_with_the_answer_of_a_person(
    organisation, delivered, press, client, locale, headline, answer
):
    card = await delivered(customer=replace(MARTIN, locale=locale))
    await press(card, answer)
    assert headline not in read(await client.get(link(card)))
    await organisation.run(
        write_to_customer, card, "It is at the post office.", by=organisation.people.carl.actor
    )
    assert headline in read(await client.get(link(card)))


async def test_status_after_the_answer_says_that_it_was_given_until_the_customer_asks_again(
    clock, organisation, delivered, phone, client
):
    card = await delivered()
    await phone("NO")
    await organisation.run(
        write_to_customer, card, "DHL has it again.", by=organisation.people.carl.actor
    )
    clock.shift(timedelta(minutes=5))
    await phone("Where is my card?")
    assert "We have answered you" in (await phone.replies())[-1]
    await phone("Which post office is it at, and may my sister go there?")
    assert "Carl is looking for your card, Martin" in read(await client.get(link(card)))


@pytest.mark.parametrize(
    "body",
    [
        "Thanks! It came but the PIN is missing",
        "Yes, but the PIN is missing",
        "It arrived but it is damaged",
    ],
)
async def test_arrived_but_wrong_is_for_a_person_and_not_for_the_courier(
    organisation, delivered, phone, client, body
):
    card = await delivered()
    await phone(body)
    seen = await organisation.reload(card)
    assert (seen.follow_ups[0].answer, seen.status) == (
        Answer.WRONG,
        RequestStatus.AWAITING_CONFIRMATION,
    )
    assert seen.open_runs == []
    (promise,) = await open_promises(organisation, card)
    assert promise.owner_id == organisation.people.carl.id
    (reply,) = await phone.replies()
    assert reply.startswith(
        "Acme Bank: Sorry, Martin. Carl at Courier Desk is looking into it and writes to you by "
    )
    assert "Carl is looking into it, Martin" in read(await client.get(link(card)))


async def test_page_has_a_third_answer(organisation, delivered, client, press):
    card = await delivered()
    assert "Yes Yes, but something is wrong No" in read(await client.get(link(card)))
    assert await press(card, "wrong") == 303
    seen = await organisation.reload(card)
    assert seen.follow_ups[0].answer == Answer.WRONG
    assert "Carl is looking into it, Martin" in read(await client.get(link(card)))
    assert await press(card, "wrong") == 303
    assert len(await open_promises(organisation, card)) == 1


async def test_wrong_is_no_answer_where_the_workflow_does_not_offer_it(
    organisation, quoted, client, press
):
    repair = await quoted()
    assert "something is wrong" not in read(await client.get(link(repair)))
    assert await press(repair, "wrong") == 422
    assert (await organisation.reload(repair)).open_question is not None


async def test_answer_with_a_question_counts_and_the_question_has_an_owner(
    organisation, delivered, phone
):
    card = await delivered()
    await phone("It came yesterday thanks, when do I get the PIN?")
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED
    assert len(await open_promises(organisation, card)) == 1
    (reply,) = await phone.replies()
    assert "thank you for telling us" in reply
    assert "Carl at Courier Desk answers the rest by" in reply


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("It came yesterday thanks, when do I get the PIN?", Answer.YES),
        ("My card has arrived", Answer.YES),
        ("It has not arrived", Answer.NO),
        ("It came but the PIN is missing", Answer.WRONG),
    ],
)
async def test_what_is_said_before_we_ask_counts(
    clock, organisation, waiting_to_be_asked, phone, body, answer
):
    card = await waiting_to_be_asked()
    await phone(body)
    (question,) = [asked for asked in (await organisation.reload(card)).follow_ups if asked.answer]
    assert (question.answer, question.state) == (answer, FollowUpState.ANSWERED)
    clock.shift(timedelta(days=3))
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    assert (await organisation.reload(card)).open_question is None


@pytest.mark.parametrize("body", ["yes", "ok", "no", "thanks"])
async def test_bare_answer_before_we_ask_answers_nothing(
    organisation, waiting_to_be_asked, phone, body
):
    card = await waiting_to_be_asked()
    await phone(body)
    assert [asked.answer for asked in (await organisation.reload(card)).follow_ups] == [None]


async def test_customer_who_told_of_something_wrong_can_confirm_later(
    clock, organisation, delivered, phone
):
    card = await delivered()
    await phone("It came but the PIN is missing")
    await organisation.run(
        write_to_customer, card, "The PIN is in the post.", by=organisation.people.carl.actor
    )
    clock.shift(timedelta(days=3))
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    seen = await organisation.reload(card)
    assert seen.open_question is not None, "the customer says when it is right"
    assert "Is all well now? Reply YES or NO." in (await organisation.messages())[-1].body
    await phone("yes")
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED
