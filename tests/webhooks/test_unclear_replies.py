"""A reply that could mean two things is asked back once; a decision waits for what they asked."""

import pytest

from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    DroppedBallKind,
    MessageKind,
    MessageStatus,
    PromiseKind,
    RequestStatus,
)
from portal.operations import CustomerDetails, write_to_customer
from tests.messaging.email.mail_server import parse
from tests.support.factories import MARTIN
from tests.tracking.page_requests import link

pytestmark = pytest.mark.either_database

QUESTION = "Has your card arrived? Reply YES or NO."


async def open_promises(organisation, request):
    return [promise for promise in (await organisation.reload(request)).promises if promise.is_open]


def customer(locale):
    return CustomerDetails(name="Martin Miller", phone=MARTIN.phone, locale=locale)


@pytest.mark.parametrize(
    ("locale", "opening"),
    [("en", "Just to be sure:"), ("es", "Solo para estar seguros:"), ("ar", "للتأكد فقط:")],
)
async def test_ok_to_an_open_question_is_asked_back(delivered, phone, locale, opening):
    await delivered(customer=customer(locale))
    await phone("OK")
    [reply] = await phone.replies()
    assert reply == f"Acme Bank: {opening} {QUESTION}"


async def test_answer_after_asking_back_is_taken(organisation, delivered, phone):
    card = await delivered()
    await phone("thanks")
    assert await open_promises(organisation, card) == []
    await phone("YES")
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED
    assert len(await phone.replies()) == 2


async def test_yes_after_asking_back_answers_that_question(organisation, quoted, delivered, phone):
    """Two questions were put within the hour: YES alone would be asked which."""
    repair = await quoted()
    card = await delivered()
    await phone("thanks")
    assert (await phone.replies())[-1].endswith(QUESTION)
    await phone("YES")
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED
    assert (await organisation.reload(repair)).open_question is not None


async def test_second_unclear_reply_goes_to_a_person(organisation, delivered, phone):
    card = await delivered()
    for body in ("OK", "perfect"):
        await phone(body)
    assert len(await open_promises(organisation, card)) == 1
    assert "will answer you by" in (await phone.replies())[-1]


async def test_thanks_on_the_page_are_asked_back_there(organisation, delivered, phone, client):
    card = await delivered()
    await client.post(f"{link(card)}/messages", data={"body": "Thanks"})
    reply = (await organisation.outbound_messages(card))[-1]
    assert (reply.channel, reply.status) == (Channel.WEB, MessageStatus.DELIVERED)
    assert reply.body == f"Acme Bank: Just to be sure: {QUESTION}"


async def test_thanks_by_mail_are_asked_back_by_mail(organisation, delivered):
    from portal.operations import receive_email  # noqa: PLC0415

    card = await delivered()
    mail = parse(b"Message-ID: <1@x>\r\nFrom: martin@example.com\r\n\r\nThanks!")
    await organisation.run_unbound(receive_email, mail=mail, request_id=card.id, by=SYSTEM_ACTOR)
    reply = (await organisation.outbound_messages(card))[-1]
    assert (reply.channel, reply.kind) == (Channel.EMAIL, MessageKind.ANSWER)
    assert f"Just to be sure: {QUESTION}" in reply.body


async def test_answers_and_keywords_are_confirmed_after_many_questions(organisation, quoted, phone):
    """Three questions and their replies are one conversation, and HELP is answered in any case."""
    repair = await quoted()
    for body in ("Hello there", "Is it far?", "Do you open on Sunday?", "And on Monday?"):
        await phone(body)
    await organisation.run(
        write_to_customer, repair, "Not on Sunday.", by=organisation.people.ben.actor
    )
    await phone("YES")
    assert [run.stage_key for run in (await organisation.reload(repair)).open_runs] == ["mended"]
    await phone("HELP")
    await phone("call me")
    replies = await phone.replies()
    assert len(replies) == 7
    assert "Your requests with us" in replies[-2]
    assert "will call you by" in replies[-1]


async def test_yes_to_a_quote_waits_for_the_answer_to_their_question(organisation, quoted, phone):
    """Nobody has said what the repair costs, so that a person answers first."""
    repair = await quoted()
    await phone("How much is it with a new screen?")
    await phone("go ahead")
    seen = await organisation.reload(repair)
    assert seen.open_question is not None
    assert [promise.kind for promise in seen.promises] == [PromiseKind.ANSWER]
    [*_, reply] = await phone.replies()
    assert "We still answer you by" in reply
    assert "If you are sure already: The repair costs 80 dollars. Shall we go ahead?" in reply
    await organisation.run(
        write_to_customer, repair, "It is 120 dollars then.", by=organisation.people.ben.actor
    )
    await phone("YES")
    assert [run.stage_key for run in (await organisation.reload(repair)).open_runs] == ["mended"]


async def test_yes_to_a_quote_waits_for_the_call_that_they_asked_for(organisation, quoted, phone):
    repair = await quoted()
    await phone("please call me")
    await phone("go ahead")
    assert (await organisation.reload(repair)).open_question is not None
    assert "If you are sure already: The repair costs 80 dollars." in (await phone.replies())[-1]


async def test_no_to_a_quote_counts_while_their_question_is_open(organisation, quoted, phone):
    repair = await quoted()
    await phone("How much is it with a new screen?")
    await phone("NO")
    assert (await organisation.reload(repair)).status == RequestStatus.DECLINED


@pytest.mark.parametrize(
    ("body", "kinds", "answer"),
    [
        (
            "Where is my card? Please send it to my office, 12 Elm St, instead",
            [PromiseKind.ANSWER], "We have your application.",
        ),
        (
            "call me on Friday, and change my address to 12 Elm St",
            [PromiseKind.CALL, PromiseKind.ANSWER], "will call you",
        ),
    ],
)  # fmt: skip
async def test_rest_of_a_message_is_owed_an_answer(
    organisation, card_request, phone, body, kinds, answer
):
    """The one reply says both."""
    await phone(body)
    assert [promise.kind for promise in await open_promises(organisation, card_request)] == kinds
    [reply] = await phone.replies()
    assert answer in reply
    assert "Tess at Telesales answers the rest by Tue 3 Jun, noon." in reply


@pytest.mark.parametrize("body", ["My card was stolen!", "Somebody has used my card, it is fraud"])
async def test_urgent_text_is_raised_at_once(organisation, card_request, phone, balls, body):
    await phone(body)
    [ball] = await balls(DroppedBallKind.URGENT)
    assert (ball.owner_id, ball.request_id) == (organisation.people.mona.id, card_request.id)
    assert "This is urgent to us, Martin." in (await phone.replies())[-1]


async def test_urgent_text_about_one_of_several_is_raised_and_asked(
    organisation, card_request, phone, balls
):
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await phone("I was robbed, it was stolen!")
    [ball] = await balls(DroppedBallKind.URGENT)
    assert (ball.owner_id, ball.request_id) == (organisation.people.mona.id, repair.id)
    assert "This is urgent to us. Which request is it?" in (await phone.replies())[-1]
    await phone("1")
    [ball] = await balls(DroppedBallKind.URGENT)
    assert ball.request_id == card_request.id


@pytest.mark.parametrize(
    "words",
    [
        "80?? no way jose. how much just for the battery?",
        "No. Is there a cheaper one?",
        "no, 60 max",
    ],
)
async def test_no_that_asks_or_offers_closes_nothing(organisation, quoted, phone, words):
    """As a yes in doubt it goes to a person, and the question stays open."""
    repair = await quoted()
    await phone(words)
    repair = await organisation.reload(repair)
    assert not repair.is_closed
    assert repair.open_question is not None
    assert [promise.kind for promise in repair.promises] == [PromiseKind.ANSWER]
    assert "Got it, Martin." in (await phone.replies())[-1]
    await phone("no thanks")
    assert (await organisation.reload(repair)).is_closed


@pytest.mark.parametrize("words", ["no thanks", "no, 80 is too much"])
async def test_plain_no_declines(organisation, quoted, phone, words):
    repair = await quoted()
    await phone(words)
    assert (await organisation.reload(repair)).is_closed


async def test_words_after_the_end_are_never_met_with_silence(organisation, quoted, phone, press):
    """An answer is owed already when they decline: it is offered to reopen all the same."""
    repair = await quoted()
    await phone("how long does it take?")
    await press(await organisation.reload(repair), "no")
    assert (await organisation.reload(repair)).is_closed
    await phone("actually changed my mind!! please do repair it, 80 is ok")
    assert "Reply REOPEN" in (await phone.replies())[-1]
    before = len(await phone.replies())
    await phone("hello, is anybody there? I want it repaired")
    [again] = (await phone.replies())[before:]
    assert "Got this too, Martin." in again
