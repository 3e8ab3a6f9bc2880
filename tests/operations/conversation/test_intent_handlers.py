"""What follows from a reply: the chosen request, an immediate answer, a call, a time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from portal.models import (
    SYSTEM_ACTOR,
    Answer,
    Contact,
    ContactChannel,
    ContactReason,
    Direction,
    MessageKind,
    PromiseKind,
    RequestStatus,
)
from portal.operations import (
    accept,
    advance,
    cancel,
    hold,
    log_contact,
    run_due_follow_ups,
    write_to_customer,
)

pytestmark = pytest.mark.either_database


@pytest.fixture
async def card(clock, organisation):
    return await organisation.open(by=SYSTEM_ACTOR)


@pytest.fixture
async def repair(organisation, card):
    return await organisation.open("repair", by=organisation.people.ben.actor)


async def heard_on(organisation, request):
    return [
        message.body
        for message in await organisation.messages()
        if message.direction == Direction.IN and message.request_id == request.id
    ]


async def to_the_end(organisation, card):
    """Done, and asked whether it has arrived."""
    for _ in range(3):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
        await organisation.run(accept, card, by=SYSTEM_ACTOR)
    for _ in range(2):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
    return await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)


@pytest.mark.parametrize(
    "text",
    [
        "Any news about my card?",
        "the credit card please",
        "Credit card: can you hurry?",
        "card",
        "{ref}",
        "{bare} hello",
    ],
)
async def test_request_is_chosen_by_its_title(organisation, card, repair, texts, text):
    """Its reference with or without dashes, its title, or a word that no other has."""
    bare = card.reference.replace("-", "").lower()
    await texts(text.format(ref=card.reference.lower(), bare=bare))
    assert len(await heard_on(organisation, card)) == 1
    assert await heard_on(organisation, repair) == []


@pytest.mark.parametrize(
    "text", ["Is the card for my repair here?", "Can I pay by card?", "Hurry up", "my request"]
)
async def test_ambiguous_title_is_asked_which(organisation, card, repair, texts, text):
    """Until they say which, the owner of the newest has it, with a time."""
    assert (await texts(text)).kind == MessageKind.WHICH_REQUEST
    assert await heard_on(organisation, card) == []
    [promise] = (await organisation.reload(repair)).promises
    assert (promise.owner_id, promise.is_told) == (organisation.people.ben.id, False)


@pytest.mark.parametrize(
    "choice", ["2", "#2", "2.", "number 2 please", "the second one", "the repair", "Device repair!"]
)
async def test_choice_is_understood_in_several_forms(organisation, card, repair, texts, choice):
    await texts("Can you hurry?")
    answer = await texts(choice)
    assert await heard_on(organisation, repair) == ["Can you hurry?", choice]
    assert answer.kind == MessageKind.ACKNOWLEDGEMENT
    assert await heard_on(organisation, card) == []


@pytest.mark.parametrize("choice", ["both", "All of them", "1 and 2", "los dos"])
async def test_both_sends_the_text_to_each_request(organisation, card, repair, texts, choice):
    await texts("Can you hurry?")
    await texts(choice)
    for request in (card, repair):
        assert await heard_on(organisation, request) == ["Can you hurry?", choice]
        assert len((await organisation.reload(request)).promises) == 1


async def test_second_failed_choice_goes_to_staff(organisation, card, repair, texts):
    """Asked again once; then whoever has the newest finds out, and everything is there."""
    asked = [await texts("Can you hurry?"), await texts("what?"), await texts("I don't get it")]
    assert [message.kind for message in asked] == [
        MessageKind.WHICH_REQUEST, MessageKind.WHICH_REQUEST, MessageKind.ACKNOWLEDGEMENT,
    ]  # fmt: skip
    assert asked[1].body.startswith("Acme Bank: Sorry, which one?")
    assert await heard_on(organisation, repair) == ["Can you hurry?", "what?", "I don't get it"]
    assert len((await organisation.reload(repair)).promises) == 1


async def test_yes_answers_the_latest_question(clock, organisation, repair, texts):
    """Where hours lie between them; put together, they are asked which."""
    second = await organisation.open("repair", by=SYSTEM_ACTOR)
    for request in (repair, second):
        await organisation.run(advance, request, by=SYSTEM_ACTOR)
        await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)
        clock.shift(timedelta(hours=2))
    await texts("Yes")
    assert (await organisation.reload(second)).open_question is None
    assert (await organisation.reload(repair)).open_question is not None


async def test_answer_to_a_staff_message_goes_to_its_author(
    clock, organisation, card, repair, texts
):
    """And what follows within a day, if we have said nothing else since."""
    clock.shift(timedelta(hours=2))
    await organisation.run(
        write_to_customer, repair, "Is it the blue one?", by=organisation.people.ben.actor
    )
    await texts("It has a blue case")
    assert await heard_on(organisation, repair) == ["It has a blue case"]
    clock.shift(timedelta(hours=2))
    await texts("And a dent")
    assert await heard_on(organisation, repair) == ["It has a blue case", "And a dent"]
    clock.shift(timedelta(days=1, hours=1))
    assert (await texts("And no charger")).kind == MessageKind.WHICH_REQUEST


async def test_status_reply_has_arrival_stage_owner_and_next_date(organisation, card, texts):
    told = await texts("any news?")
    assert told.body.startswith(
        "Acme Bank: Ready by Wed 11 Jun, we expect. We have your application."
        " Tess finishes by Tue 3 Jun, 2 pm."
    )
    assert told.segments == 1


async def test_status_reply_while_confirmation_is_open_repeats_the_question(
    organisation, card, repair, texts
):
    """The question stands in the answer, whatever the stage; and then it can be answered."""
    await organisation.run(cancel, repair, reason="Enough.", by=SYSTEM_ACTOR)
    await to_the_end(organisation, card)
    told = await texts("where is my card?")
    assert "One question for you: Has your card arrived? Reply YES or NO." in told.body
    await texts("still nothing")
    [question] = (await organisation.reload(card)).follow_ups
    assert (question.answer, question.answer_words) == (Answer.NO, "still nothing")


async def test_text_about_an_ended_request_is_offered_reopening(organisation, card, texts):
    await organisation.run(cancel, card, reason="Enough.", by=SYSTEM_ACTOR)
    told = await texts("any news?")
    assert told.kind == MessageKind.REOPEN_OFFER
    assert f"{card.reference} was cancelled on Tue 3 Jun" in told.body
    await texts("YES")
    assert (await organisation.reload(card)).status == RequestStatus.CANCELLED
    await texts("REOPEN")
    seen = await organisation.reload(card)
    assert seen.status == RequestStatus.OPEN
    assert seen.owner_id == organisation.people.tess.id
    assert [run.stage_key for run in seen.open_runs] == ["received"]
    assert (await organisation.outbound_messages(card))[-1].body.startswith(
        f"Acme Bank: {card.reference} is open again. Tess at Telesales looks at it "
        "and writes to you by "
    )


async def test_reopen_reopens_and_no_to_the_offer_does_nothing(organisation, card, texts):
    await organisation.run(cancel, card, reason="Enough.", by=SYSTEM_ACTOR)
    offer = await texts("You got my name wrong")
    assert "Reply REOPEN" in offer.body
    assert len((await organisation.reload(card)).promises) == 1
    assert (await texts("no thanks")).direction == Direction.IN
    await texts("Reopen please")
    assert (await organisation.reload(card)).status == RequestStatus.OPEN


async def test_yes_without_an_offer_reopens_nothing(organisation, card, texts):
    await organisation.run(cancel, card, reason="Enough.", by=SYSTEM_ACTOR)
    await texts("Yes")
    assert (await organisation.reload(card)).status == RequestStatus.CANCELLED


async def test_call_request_is_promised_and_fulfilled_by_the_call(organisation, card, texts):
    told = await texts("Call me please")
    [promise] = (await organisation.reload(card)).promises
    assert (promise.kind, promise.owner_id) == (PromiseKind.CALL, organisation.people.tess.id)
    assert told.body == "Acme Bank: Tess at Telesales will call you by Tue 3 Jun, noon."
    called = await organisation.run(
        log_contact, card, channel=ContactChannel.CALL, reason=ContactReason.QUESTION,
        by=organisation.people.tess.actor,
    )  # fmt: skip
    assert called.promises[0].kept_at is not None
    assert called.unanswered_since is None


async def test_call_is_promised_at_the_named_time(organisation, card, texts):
    """Thanks cancel nothing; another time moves it."""
    told = await texts("can you call me tomorrow at 3")
    assert told.body == "Acme Bank: Tess at Telesales will call you on Wed 4 Jun, 3 pm."
    await texts("thanks!")
    await texts("call me at 5 instead")
    [promise] = (await organisation.reload(card)).promises
    assert promise.kind == PromiseKind.CALL
    assert promise.due_at == datetime(2025, 6, 3, 21, tzinfo=UTC)
    await texts("call me tomorrow at 4")
    [promise] = (await organisation.reload(card)).promises
    assert promise.due_at == datetime(2025, 6, 4, 20, tzinfo=UTC)


async def test_each_contact_stores_its_reason(organisation, card, texts, database):
    for text in (
        "any news?",
        "This is ridiculous",
        "I need to change my address",
        "Lovely weather",
    ):
        await texts(text)
    async with database.reading() as session:
        reasons = [contact.reason for contact in (await session.exec(select(Contact))).all()]
    assert reasons == [
        ContactReason.WHERE_IS_IT, ContactReason.COMPLAINT, ContactReason.CHANGE,
        ContactReason.OTHER,
    ]  # fmt: skip


async def test_status_reply_names_the_hold(organisation, card, texts):
    await organisation.run(hold, card, by=organisation.people.tess.actor, reason="Address check")
    assert "on hold for now: Address check." in (await texts("any news?")).body
