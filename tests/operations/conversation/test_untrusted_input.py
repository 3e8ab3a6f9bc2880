"""Hostile or automatic input: nothing is lost or revealed, and loops end."""

from datetime import timedelta

import pytest
from sqlmodel import select

from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Direction,
    DroppedBall,
    DroppedBallKind,
    Message,
    MessageKind,
    RequestStatus,
)
from portal.operations import advance, receive_text, receive_web_message, run_due_follow_ups
from tests.support.factories import MARTIN, CustomerDetails
from tests.support.twilio_client import PHONE

pytestmark = pytest.mark.either_database

OTHERS_PHONE = "+14155550177"
LONG = "a <b>long</b> story. " * 480


@pytest.fixture
def texts(clock, organisation):
    """A phone that sends, each text with its own sid; half a minute apart."""
    sent = 0

    async def text(body, sender=MARTIN.phone):
        nonlocal sent
        sent += 1
        clock.shift(timedelta(seconds=20))
        await organisation.run_unbound(
            receive_text, sid=f"SM{sent}", sender=sender, to="+15005550006", body=body,
            by=CUSTOMER_ACTOR,
        )  # fmt: skip

    return text


async def told(organisation, address=MARTIN.phone) -> list[Message]:
    """What went, or waits to go, to that number, without the milestone that came before."""
    return [
        message
        for message in await organisation.messages()
        if message.direction == Direction.OUT
        and message.to_address == address
        and message.kind != MessageKind.MILESTONE
    ]


async def balls(database, kind) -> list[DroppedBall]:
    async with database.reading() as session:
        query = select(DroppedBall).where(DroppedBall.kind == kind)
        return list((await session.exec(query)).all())


@pytest.mark.parametrize(
    "case",
    [
        (LONG[:10_000], LONG[:10_000].strip()),
        ("nul\x00 in it", "nul in it"),
        ("bell\x07 and \x1b[31mred", "bell\x07 and \x1b[31mred"),
        ("\u202egnp.exe\u202c and \u2066on\u2069", "\u202egnp.exe\u202c and \u2066on\u2069"),
        ("half an emoji \ud83d here", "half an emoji ? here"),
        ("<script>alert('x')</script> & {{ 7 * 7 }}", "<script>alert('x')</script> & {{ 7 * 7 }}"),
        ("'; DROP TABLE message; --", "'; DROP TABLE message; --"),
        ("\u0301" * 500, "\u0301" * 500),
    ],
    ids=["long", "nul", "control", "direction", "surrogate", "html", "sql", "combining"],
)
async def test_inbound_text_is_stored_verbatim_and_escaped(
    organisation, client, desk_clients, texts, case
):
    """On the customer's page and at the desk: escaped, apart from what stands around it."""
    sent, kept = case
    card_request = await organisation.open(by=organisation.people.tess.actor)
    await texts(sent)
    [heard] = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    assert heard.body.strip() == kept
    assert heard.request_id == card_request.id
    assert len((await organisation.reload(card_request)).promises) == 1
    page = (await client.get(f"/r/{card_request.live_link.token}")).text
    desk = (await (await desk_clients("tess")).get(f"/desk/requests/{card_request.reference}")).text
    for drawn in (page, desk):
        assert "<script>alert" not in drawn
        assert "<b>long" not in drawn
        assert "\x00" not in drawn
    [line] = [part for part in page.split("<li ") if f'id="m-{heard.id}"' in part]
    assert '<p dir="auto">' in line


async def test_text_of_ten_thousand_letters_is_one_record(twilio, organisation, card_request):
    """Twilio itself sends at most 1,600: more is kept all the same, and answered once."""
    assert await twilio.text(LONG[:10_000]) == 200
    [heard] = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    assert (len(heard.body), heard.from_address) == (10_000, PHONE)


async def test_lone_surrogate_is_stored_as_a_question_mark(organisation, card_request):
    await organisation.run(receive_web_message, card_request, "half \ud83d here", by=CUSTOMER_ACTOR)
    [heard] = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    assert heard.body == "half ? here"


async def test_flood_is_recorded_without_replies(organisation, card_request, texts, database):
    """Of 40 texts each is on the request; there is one promise, one notice, one text about it."""
    for number in range(40):
        await texts(f"Hello number {number}")
    heard = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    assert {message.request_id for message in heard} == {card_request.id}
    assert len(heard) == 40
    assert len((await organisation.reload(card_request)).promises) == 1
    [ball] = await balls(database, DroppedBallKind.FLOOD)
    assert ball.owner_id == organisation.people.mona.id
    said = await told(organisation)
    assert len(said) <= 9
    assert [message for message in said if "We do not answer each one" in message.body] == said[-1:]


async def test_flood_is_answered_by_the_name_of_who_has_it(organisation, card_request, texts):
    """One text says who answers all of it, and by when."""
    for number in range(25):
        await texts(f"Where is my card, please? ({number})")
    [flood] = [text for text in await told(organisation) if "each one now" in text.body]
    assert "Tess at Telesales answers by Tue 3 Jun, 12:02 pm" in flood.body
    [promise] = (await organisation.reload(card_request)).promises
    assert promise.owner_id == organisation.people.tess.id


async def test_second_flood_is_answered_although_its_ball_is_still_open(
    clock, organisation, card_request, texts
):
    for _ in range(2):
        for number in range(25):
            await texts(f"Hello number {number}")
        clock.shift(timedelta(hours=2))
    assert len([text for text in await told(organisation) if "each one now" in text.body]) == 2


async def test_answer_to_our_question_is_confirmed_in_a_flood(organisation, texts):
    repair = await organisation.open("repair", by=SYSTEM_ACTOR)
    await organisation.run(advance, repair, by=SYSTEM_ACTOR)
    await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
    for number in range(25):
        await texts(f"Hello number {number}")
    before = len(await told(organisation))
    await texts("No")
    seen = await organisation.reload(repair)
    assert seen.status == RequestStatus.DECLINED
    assert len(await told(organisation)) == before + 1


async def test_choice_of_a_request_is_answered_in_a_flood(organisation, card_request, texts):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await texts("Can you hurry?")
    for _ in range(22):
        await texts("HELP")
    await texts("2")
    [promise] = [each for each in (await organisation.reload(permit)).promises if each.is_open]
    assert promise.is_told
    assert "Cora at Permit Counter answers all of it by" in (await told(organisation))[-1].body


async def test_stop_in_a_flood_is_obeyed_and_confirmed(organisation, card_request, texts):
    for number in range(30):
        await texts(f"Hello number {number}")
    await texts("STOP")
    assert (await told(organisation))[-1].kind == MessageKind.CONSENT
    await texts("And another thing")
    assert (await told(organisation))[-1].kind == MessageKind.CONSENT


async def test_flood_of_an_unknown_sender_is_one_notice(organisation, texts, database):
    for number in range(40):
        await texts(f"Hello number {number}", sender=OTHERS_PHONE)
    assert len(await balls(database, DroppedBallKind.FLOOD)) == 1
    assert len(await balls(database, DroppedBallKind.UNKNOWN_SENDER)) == 20
    assert len(await told(organisation, OTHERS_PHONE)) <= 2


@pytest.mark.parametrize(
    ("words", "most"),
    [("I am driving, any news?", 1), ("HELP", 8), ("Thank you for your text!", 0)],
)
async def test_auto_responder_loop_ends(organisation, card_request, texts, words, most):
    """It answers each of our answers at once: the same message is answered once, HELP eight times."""
    for _ in range(12):
        await texts(words)
    assert len(await told(organisation)) <= most
    heard = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    assert {message.request_id for message in heard} == {card_request.id}


async def test_loop_of_different_texts_ends_and_says_so_once(
    clock, organisation, card_request, texts
):
    """Eight replies of one kind in ten minutes; the last names who answers; then all is as before."""
    for number in range(15):
        await texts(f"Ticket {number} was created for your message.")
    replies = [message.body for message in await told(organisation)]
    assert len(replies) == 8
    assert "We have all that you wrote. Tess at Telesales answers by Tue 3 Jun, noon" in replies[-1]
    assert len((await organisation.reload(card_request)).promises) == 1
    clock.shift(timedelta(minutes=11))
    await texts("any news?")
    assert len(await told(organisation)) == 9


async def test_foreign_reference_reveals_nothing(organisation, card_request, texts):
    """Whoever knows a reference is not thereby its customer: the words stay with their sender."""
    other = await organisation.open(
        "repair", CustomerDetails(name="Olga Other", phone=OTHERS_PHONE), by=SYSTEM_ACTOR
    )
    mine = await organisation.open("permit", by=SYSTEM_ACTOR)
    before = (await organisation.reload(other)).page_version
    await texts(f"Where is {other.reference}?")
    await texts("2")
    heard = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    assert other.id not in {message.request_id for message in heard}
    assert mine.id in {message.request_id for message in heard}
    for message in await told(organisation):
        assert other.reference not in message.body
        assert "Olga" not in message.body
        assert "Repair Bench" not in message.body
    seen = await organisation.reload(other)
    assert (seen.page_version, seen.status) == (before, RequestStatus.OPEN)


async def test_unknown_sender_with_a_reference_learns_nothing(organisation, card_request, texts):
    await texts(f"status {card_request.reference}", sender=OTHERS_PHONE)
    [said] = await told(organisation, OTHERS_PHONE)
    assert "We do not know this number yet" in said.body
    assert card_request.reference not in said.body
    assert "Martin" not in said.body
