"""Of several requests a text has an owner at once; what follows goes to the one spoken of last."""

import asyncio
from datetime import timedelta

import pytest

from portal.models import (
    SYSTEM_ACTOR,
    ContactChannel,
    ContactReason,
    DroppedBallKind,
    MessageKind,
    RequestStatus,
)
from portal.operations import cancel, log_contact, write_to_customer
from portal.operations.conversation.request_names import match_choice
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.tracking.page_requests import link

pytestmark = pytest.mark.either_database

DAY = timedelta(days=1)


@pytest.fixture
async def repair(clock, organisation, card_request):
    """Martin's second request."""
    return await organisation.open("repair", by=organisation.people.ben.actor)


async def open_promises(organisation, request):
    return [promise for promise in (await organisation.reload(request)).promises if promise.is_open]


@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(hours=26), 8 * DAY])
async def test_text_has_an_owner_and_goes_to_the_choice_however_late(
    clock, organisation, card_request, repair, phone, late
):
    await phone("It is damaged!")
    [promise] = await open_promises(organisation, repair)
    assert (promise.owner_id, promise.is_told) == (organisation.people.ben.id, False)
    clock.shift(late)
    await phone("1")
    assert await phone.texts_of(card_request) == ["It is damaged!", "1"]
    assert await phone.texts_of(repair) == []
    assert len(await open_promises(organisation, card_request)) == 1
    assert await open_promises(organisation, repair) == []
    assert (await organisation.reload(repair)).unanswered_since is None
    assert "Tess at Telesales has this and will answer" in (await phone.replies())[-1]


async def test_text_without_a_choice_becomes_a_dropped_ball(
    clock, organisation, card_request, repair, phone
):
    watch = DetectionDriver(organisation.operations, clock, organisation.database)
    await phone("It is damaged!")
    await watch.advance_clock(30 * timedelta(hours=1))
    kinds = [(ball.kind, ball.request_id) for ball in await watch.balls()]
    assert (DroppedBallKind.MESSAGE_UNANSWERED, repair.id) in kinds


async def test_urgent_text_stays_raised_until_somebody_answers(
    clock, organisation, repair, phone, balls
):
    """The choice eight hours later answers nothing; the ball follows the text to its request."""
    await phone("My laptop was stolen in a robbery!")
    assert len(await balls(DroppedBallKind.URGENT)) == 1
    clock.shift(timedelta(hours=8))
    await phone("2")
    [ball] = await balls(DroppedBallKind.URGENT)
    assert ball.request_id == repair.id
    by = organisation.people.ben.actor
    await organisation.run(write_to_customer, repair, "We have locked it.", by=by)
    assert await balls(DroppedBallKind.URGENT) == []


async def test_urgent_ball_follows_the_text_to_the_chosen_request(
    organisation, card_request, repair, phone, balls
):
    await phone("My card was stolen in a robbery!")
    await phone("1")
    [ball] = await balls(DroppedBallKind.URGENT)
    assert ball.request_id == card_request.id


async def test_urgent_message_on_the_page_stays_raised_when_a_waiting_text_leaves(
    clock, organisation, card_request, repair, phone, client, balls
):
    body = {"body": "My laptop was stolen in a robbery!"}
    assert (await client.post(f"{link(repair)}/messages", data=body)).status_code == 303
    clock.shift(DAY + timedelta(hours=2))
    await phone("Can you hurry?")
    await phone("1")
    assert await phone.texts_of(card_request) == ["Can you hurry?", "1"]
    assert [ball.request_id for ball in await balls(DroppedBallKind.URGENT)] == [repair.id]


async def test_answer_stays_owed_to_a_text_that_waits_still(clock, organisation, delivered, phone):
    """An answer to a question takes only the texts of the last day with it."""
    card = await delivered()
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await phone("It is damaged!")
    clock.shift(timedelta(hours=26))
    await phone("Can you hurry?")
    await phone("YES")
    assert await phone.texts_of(card) == ["Can you hurry?", "YES"]
    assert await phone.texts_of(repair) == ["It is damaged!"]
    assert await open_promises(organisation, repair)


async def test_choice_of_a_request_closed_since_goes_to_its_owner(
    organisation, card_request, repair, phone
):
    await phone("It is damaged!")
    await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    await phone("1")
    assert await phone.texts_of(card_request) == ["It is damaged!", "1"]
    assert len(await open_promises(organisation, card_request)) == 1


async def test_text_that_staff_have_answered_waits_no_more(
    clock, organisation, card_request, repair, phone
):
    await phone("It is damaged!")
    await organisation.run(
        write_to_customer, repair, "Please send a photo.", by=organisation.people.ben.actor
    )
    await phone("1")
    assert await phone.texts_of(repair) == ["It is damaged!", "1"]


async def test_text_about_which_staff_have_called_waits_no_more(
    clock, organisation, card_request, repair, phone
):
    await phone("It is damaged!")
    clock.shift(timedelta(minutes=5))
    call = {"channel": ContactChannel.CALL, "reason": ContactReason.OTHER}
    await organisation.run(log_contact, repair, **call, by=organisation.people.ben.actor)
    await phone("1")
    assert (await phone.texts_of(repair))[0] == "It is damaged!"
    assert await phone.texts_of(card_request) == []


@pytest.mark.parametrize(
    "body", ["2 and the others too please", "both", "1,2", "(1) and (2)", "all of them!", "1 & 2"]
)
async def test_choice_of_all(organisation, card_request, repair, phone, body):
    await phone("Can you hurry?")
    await phone(body)
    for request in (card_request, repair):
        assert await phone.texts_of(request) == ["Can you hurry?", body]
        assert len(await open_promises(organisation, request)) == 1


@pytest.mark.parametrize(
    "body",
    ["2!", "(2)", "2", "no. 2", "the second", "the 2nd one", "not the card", "not 1", "la segunda"],
)
async def test_choice_of_one(organisation, card_request, repair, phone, body):
    await phone("Can you hurry?")
    await phone(body)
    assert await phone.texts_of(repair) == ["Can you hurry?", body]
    assert await phone.texts_of(card_request) == []
    assert (await phone.replies())[-1].startswith("Acme Bank: Got it, Martin. Ben at Repair Bench")


async def test_time_is_no_choice(card_request, repair):
    for body in ("at 10:30", "1/2", "7", "all good thanks"):
        assert match_choice(body, [card_request, repair], [card_request, repair]) is None


async def test_text_after_a_choice_is_about_the_chosen_request(
    clock, organisation, card_request, repair, phone
):
    """Within a day; then they are asked again."""
    await phone("Can you hurry?")
    await phone("1")
    clock.shift(timedelta(hours=3))
    await phone("It is for my holiday")
    assert await phone.texts_of(card_request) == ["Can you hurry?", "1", "It is for my holiday"]
    clock.shift(2 * DAY)
    await phone("Is it ready soon?")
    assert "Which request do you mean?" in (await phone.replies())[-1]


async def test_text_after_a_completed_request_is_about_it(organisation, delivered, repair, phone):
    """Though another one is open; so is REOPEN, which is read back."""
    card = await delivered()
    await phone("YES")
    assert (await organisation.reload(card)).status == RequestStatus.COMPLETED
    await phone("Actually the PIN does not work")
    assert await phone.texts_of(repair) == []
    assert len(await open_promises(organisation, card)) == 1
    assert "Reply REOPEN" in (await phone.replies())[-1]
    await phone("REOPEN")
    assert (await organisation.reload(card)).status == RequestStatus.OPEN
    assert f"{card.reference} is open again." in (await phone.replies())[-1]


async def test_status_question_after_a_completed_request_is_about_the_open_one(
    organisation, delivered, repair, card_request, phone
):
    await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    await delivered()
    await phone("YES")
    await phone("Any news?")
    assert (await phone.texts_of(repair)) == ["Any news?"]


async def test_cancelled_request_is_meant_by_what_follows(
    organisation, card_request, repair, phone
):
    await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    await phone("Why did you cancel it??")
    assert await phone.texts_of(card_request) == ["Why did you cancel it??"]


@pytest.mark.parametrize("body", ["ok great 😊", "❤️", "thanks!", "🎉"])
async def test_thanks_and_signs_are_never_asked_which(
    organisation, card_request, repair, phone, body
):
    await phone("card: can you hurry?")
    await organisation.run(
        write_to_customer, card_request, "We do.", by=organisation.people.tess.actor
    )
    before = len(await phone.replies())
    await phone(body)
    assert await phone.texts_of(card_request) == ["card: can you hurry?", body]
    replies = (await phone.replies())[before:]
    assert not any("Which request" in reply for reply in replies)


async def test_flood_of_several_requests_has_an_owner(organisation, card_request, repair, phone):
    for number in range(22):
        await phone(f"Message {number}")
    assert (await organisation.reload(repair)).unanswered_since is not None
    assert all(
        message.request_id
        for message in await organisation.messages()
        if message.kind == MessageKind.CUSTOMER
    )


async def test_ten_unclear_texts_at_the_same_moment_owe_one_promise(
    organisation, card_request, repair, phone
):
    await asyncio.gather(*(phone("Can you hurry?") for _ in range(10)))
    assert len(await open_promises(organisation, repair)) == 1
    assert len(await phone.replies()) == 1
