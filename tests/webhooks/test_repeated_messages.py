"""The same message twice is one: by two ids, by page and text, at one moment, or said once more."""

import asyncio
from datetime import timedelta

import pytest

from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Answer,
    Channel,
    ContactChannel,
    ContactReason,
    MessageKind,
    PromiseKind,
    RequestStatus,
)
from portal.operations import cancel, log_contact, write_to_customer
from portal.operations.conversation.inbound import receive
from portal.operations.conversation.inbound_message import InboundMessage
from tests.support.factories import MARTIN
from tests.tracking.page_requests import link

pytestmark = pytest.mark.either_database


async def open_promises(organisation, request):
    return [promise for promise in (await organisation.reload(request)).promises if promise.is_open]


@pytest.mark.parametrize(
    "bodies",
    [("YES",) * 3, ("yes", "👍", "👍"), ("YES", "Yes.", "yes I got it"), ("Yes", "thanks")],
)
async def test_further_yes_after_completion_is_recorded(
    clock, organisation, delivered, phone, bodies
):
    card = await delivered()
    for body in bodies:
        await phone(body)
        clock.shift(timedelta(seconds=3))
    seen = await organisation.reload(card)
    assert seen.status == RequestStatus.COMPLETED
    assert await phone.replies() == ["Acme Bank: Wonderful, thank you for telling us, Martin."]
    assert (seen.promises, seen.unanswered_since) == ([], None)
    assert await phone.texts_of(card) == list(bodies)


async def test_yes_never_reopens(organisation, delivered, phone):
    """Also where REOPEN has been offered since."""
    card = await delivered()
    for body in ("YES", "hi there", "yes I got it"):
        await phone(body)
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED
    assert len(await open_promises(organisation, card)) == 1
    assert len(await phone.replies()) == 2


async def test_yes_on_the_page_and_by_text_is_one_answer(organisation, delivered, phone, press):
    card = await delivered()
    assert await press(card, "yes") == 303
    await phone("YES")
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED
    assert await phone.replies() == []
    assert await open_promises(organisation, card) == []


async def test_yes_to_a_quote_on_the_page_and_by_text_is_one_answer(
    organisation, quoted, phone, press
):
    repair = await quoted()
    assert await press(repair, "yes") == 303
    await phone("yes")
    assert [run.stage_key for run in (await organisation.reload(repair)).open_runs] == ["mended"]
    assert await phone.replies() == []
    assert await open_promises(organisation, repair) == []


@pytest.mark.parametrize("body", ["Can you hurry?", "Yes", "call me"])
async def test_ten_at_the_same_moment_owe_one_promise(organisation, card_request, phone, body):
    await asyncio.gather(*(phone(body) for _ in range(10)))
    assert len(await open_promises(organisation, card_request)) == 1
    assert len(await phone.replies()) == 1
    assert await phone.texts_of(card_request) == [body] * 10


async def test_ten_answers_at_the_same_moment_are_one(organisation, delivered, phone):
    card = await delivered()
    await asyncio.gather(*(phone("YES") for _ in range(10)))
    seen = await organisation.reload(card)
    assert (seen.status, seen.promises) == (RequestStatus.COMPLETED, [])
    assert len(await phone.replies()) == 1


async def test_page_form_sent_twice_is_answered_once(organisation, card_request, client, phone):
    path = f"{link(card_request)}/messages"
    for _ in range(2):
        assert (await client.post(path, data={"body": "Can you hurry?"})).status_code == 303
    await phone("can you hurry?")
    assert len(await phone.replies()) == 1
    assert len(await open_promises(organisation, card_request)) == 1


async def test_same_text_after_ten_minutes_or_after_our_message_is_new(
    clock, organisation, card_request, phone
):
    await phone("Where is my card?")
    clock.shift(timedelta(minutes=11))
    await phone("Where is my card?")
    assert len(await phone.replies()) == 2
    await organisation.run(
        write_to_customer, card_request, "Is it the blue one?", by=organisation.people.tess.actor
    )
    await phone("The blue one")
    await organisation.run(
        write_to_customer, card_request, "Are you sure?", by=organisation.people.tess.actor
    )
    await phone("The blue one")
    assert len(await open_promises(organisation, card_request)) == 1


async def test_same_word_answers_the_next_question(organisation, quoted, delivered, phone):
    repair = await quoted()
    await phone("YES")
    card = await delivered()
    await phone("YES")
    assert (await organisation.reload(repair)).follow_ups[0].answer == Answer.YES
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED


async def test_repeated_yes_does_not_answer_another_open_question(
    clock, organisation, quoted, delivered, phone
):
    """A carrier delivers the text once more while a quote for something else is open."""
    repair = await quoted()
    clock.shift(timedelta(hours=2))
    card = await delivered()
    await phone("YES")
    clock.shift(timedelta(seconds=3))
    await phone("YES")
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED
    assert (await organisation.reload(repair)).open_question is not None


async def test_yes_by_text_after_no_on_the_page_goes_to_a_person(
    organisation, delivered, phone, press
):
    """The courier looks for the card already, so that a person decides which answer counts."""
    card = await delivered()
    assert await press(card, "no") == 303
    await phone("YES")
    [promise] = await open_promises(organisation, card)
    assert promise.kind == PromiseKind.ANSWER
    [reply] = await phone.replies()
    assert "Before, you had answered otherwise: Carl looks at it and answers by" in reply


async def test_yes_after_declining_on_the_page_goes_to_a_person(organisation, quoted, phone, press):
    repair = await quoted()
    assert await press(repair, "no") == 303
    await phone("YES")
    assert (await organisation.reload(repair)).status == RequestStatus.DECLINED
    assert len(await open_promises(organisation, repair)) == 1
    assert "Before, you had answered otherwise" in (await phone.replies())[-1]


async def test_yes_to_a_cancelled_request_is_told_so(organisation, delivered, phone):
    card = await delivered()
    await organisation.run(cancel, card, reason="Enough.", by=SYSTEM_ACTOR)
    await phone("YES")
    [reply] = await phone.replies()
    assert f"{card.reference} was cancelled. Reply REOPEN to reopen it." in reply
    assert len(await open_promises(organisation, card)) == 1


async def test_two_photos_without_text_are_two_messages(organisation, card_request, phone):
    photo = {"NumMedia": "1", "MediaUrl0": "https://x/1", "MediaContentType0": "image/jpeg"}
    for _ in range(2):
        await phone("", **photo)
    assert await phone.texts_of(card_request) == ["", ""]


async def test_different_texts_are_two_messages(organisation, card_request, phone):
    await phone("Can you change my address?")
    await phone("Can you change my name?")
    kinds = [
        message.kind
        for message in await organisation.outbound_messages(card_request)
        if message.cause.startswith("message:")
    ]
    assert kinds == [MessageKind.ACKNOWLEDGEMENT] * 2


async def test_reopen_twice_reopens_once_and_is_read_back(organisation, delivered, phone):
    card = await delivered()
    for body in ("YES", "REOPEN", "REOPEN"):
        await phone(body)
    assert (await organisation.reload(card)).status == RequestStatus.OPEN
    assert [f"{card.reference} is open again." in reply for reply in await phone.replies()] == [
        False, True,
    ]  # fmt: skip


async def test_reopen_after_staff_cancelled_again_reopens_again(
    clock, organisation, delivered, phone
):
    card = await delivered()
    for _ in range(2):
        await organisation.run(cancel, card, reason="Enough.", by=SYSTEM_ACTOR)
        clock.shift(timedelta(minutes=1))
        await phone("REOPEN")
        clock.shift(timedelta(minutes=1))
    assert (await organisation.reload(card)).status == RequestStatus.OPEN


async def test_same_question_after_a_call_is_new(clock, organisation, card_request, phone):
    await phone("Can you hurry?")
    clock.shift(timedelta(minutes=2))
    call = {"channel": ContactChannel.CALL, "reason": ContactReason.OTHER}
    await organisation.run(log_contact, card_request, **call, by=organisation.people.tess.actor)
    clock.shift(timedelta(minutes=2))
    await phone("Can you hurry?")
    assert len(await phone.replies()) == 2


async def test_same_text_with_a_quotation_is_another_one(organisation, card_request, phone):
    """The quotation says what it is about; the same quotation again says nothing new."""
    quoted = (await organisation.outbound_messages(card_request))[0].body.replace("\n", "\n> ")
    await phone("Can you hurry?")
    for _ in range(2):
        await phone(f"> {quoted}\nCan you hurry?")
    assert len(await phone.replies()) == 2


async def test_what_an_unproven_sender_wrote_is_not_repeated_by_the_customer(
    organisation, card_request, phone
):
    """Whoever knows a Message-ID of ours could else silence the customer."""
    async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
        mail = InboundMessage(
            channel=Channel.EMAIL, body="Can you hurry?", sender=MARTIN.email, provider_id="<1@x>",
            request_id=card_request.id, is_unproven=True,
        )  # fmt: skip
        await receive(uow, mail)
    await phone("Can you hurry?")
    assert len(await phone.replies()) == 2
