"""What a customer writes: on the right request, once, with an answer or with an owner and a time."""

from datetime import timedelta

import pytest
from sqlmodel import select

from portal.errors import BadInput
from portal.messaging.email.inbound import ReceivedMail, read_mail
from portal.models import (
    KEPT,
    THE_CUSTOMER,
    Answer,
    Channel,
    Contact,
    ContactReason,
    Direction,
    DroppedBall,
    MessageKind,
    MessageStatus,
    PromiseKind,
    RequestStatus,
)
from portal.operations import (
    accept,
    advance,
    ask_what_is_due,
    cancel,
    disable_staff,
    hold,
    receive_email,
    receive_text,
    receive_web_message,
    write_to_customer,
)
from tests.support.factories import MARTHA, MARTIN

pytestmark = pytest.mark.either_database

STRANGER = "+14155550199"


@pytest.fixture
def texts(house):
    """Martin's phone: what it sends, in order, each with its own sid."""
    sent = 0

    async def text(body, sender=MARTIN.phone, sid=None):
        nonlocal sent
        sent += 1
        await house.hear(
            receive_text, sid=sid or f"SM{sent}", sender=sender, to="+15005550006", body=body,
            by=THE_CUSTOMER,
        )  # fmt: skip

    return text


@pytest.fixture
async def repair(house, martins):
    """Martin's second request."""
    return await house.open("repair", by=house.people.ben.actor)


async def heard_on(house, request):
    return [
        one.body
        for one in await house.messages()
        if one.direction == Direction.IN and one.request_id == request.id
    ]


async def last(house):
    return (await house.messages())[-1]


async def test_a_question_becomes_a_promise_with_an_owner_and_a_time(clock, house, texts):
    card = await house.open(by=KEPT)
    await texts("Can you change the name on it?")
    seen = await house.see(card)
    [promise] = seen.promises
    assert promise.kind == PromiseKind.ANSWER
    assert promise.owner_id == house.people.tess.id
    assert promise.due_at == promise.made_at + timedelta(hours=2)
    assert seen.unanswered_since == promise.made_at
    answer = await last(house)
    assert answer.kind == MessageKind.ACKNOWLEDGEMENT
    assert "Telesales has your message and will answer by 12 pm" in answer.body


async def test_a_second_question_is_added_to_the_promise_that_stands(house, martins, texts):
    await texts("Can you change the name on it?")
    await texts("And the address?")
    assert len((await house.see(martins)).promises) == 1
    assert "we have added this" in (await last(house)).body


async def test_our_answer_keeps_the_promise(house, martins, texts):
    await texts("Can you change the name on it?")
    seen = await house.do(write_to_customer, martins, "Done!", by=house.people.tess.actor)
    [promise] = seen.promises
    assert promise.kept_at is not None
    assert seen.unanswered_since is None
    sent = await last(house)
    assert (sent.kind, sent.body, sent.author) == (MessageKind.STAFF, "Done!", "Tess Sales")


async def test_where_is_it_is_answered_at_once(house, martins, texts):
    await texts("Where is my card?")
    answer = await last(house)
    assert answer.kind == MessageKind.ANSWER
    assert "We have your application. Telesales has it. Next by" in answer.body
    assert not (await house.see(martins)).promises


async def test_each_time_they_come_to_us_is_kept_with_its_reason(house, martins, texts, database):
    await texts("Where is my card?")
    await texts("The flowers were lovely")
    async with database.reading() as session:
        contacts = (await session.exec(select(Contact))).all()
    assert [one.reason for one in contacts] == [ContactReason.WHERE_IS_IT, ContactReason.OTHER]


async def test_thanks_need_no_answer(house, martins, texts):
    before = len(await house.told(martins))
    await texts("Thank you!")
    assert len(await house.told(martins)) == before
    assert not (await house.see(martins)).promises
    assert await heard_on(house, martins) == ["Thank you!"]


async def test_the_same_text_twice_is_heard_once(house, martins, texts):
    await texts("Hello?", sid="SM-same")
    await texts("Hello?", sid="SM-same")
    assert await heard_on(house, martins) == ["Hello?"]


async def test_with_several_requests_open_it_asks_which_and_a_number_picks(house, repair, texts):
    await texts("Can you hurry?")
    asked = await last(house)
    assert asked.kind == MessageKind.WHICH
    assert "1 Credit card CARD-" in asked.body
    assert f"2 Device repair {repair.reference}" in asked.body
    assert await heard_on(house, repair) == []
    await texts("2")
    assert await heard_on(house, repair) == ["Can you hurry?", "2"]
    assert len((await house.see(repair)).promises) == 1


@pytest.mark.parametrize("number", ["0", "3", "99999999999", "²"])
async def test_a_number_that_was_not_offered_is_asked_again(house, martins, repair, texts, number):
    await texts("Can you hurry?")
    await texts(number)
    assert (await last(house)).kind == MessageKind.WHICH
    assert not await heard_on(house, martins)
    assert not await heard_on(house, repair)


async def test_a_wrong_number_before_the_right_one_is_no_question(house, repair, texts):
    await texts("Can you hurry?")
    await texts("7")
    await texts("2")
    assert await heard_on(house, repair) == ["Can you hurry?", "7", "2"]
    answers = [one for one in await house.told(repair) if one.cause.startswith("message:")]
    assert [one.kind for one in answers] == [MessageKind.ACKNOWLEDGEMENT]


async def test_the_number_means_the_list_that_they_read_even_if_one_has_ended_since(
    house, martins, repair, texts
):
    other = await house.open("permit", by=KEPT)
    await texts("Can you hurry?")
    await house.do(cancel, martins, reason="Enough.", by=KEPT)
    await texts("2")
    assert await heard_on(house, repair) == ["Can you hurry?", "2"]
    assert await heard_on(house, other) == []


async def test_a_reference_in_the_words_settles_it(house, martins, repair, texts):
    await texts(f"about {martins.reference.lower()}: can you hurry?")
    assert len(await heard_on(house, martins)) == 1
    assert await heard_on(house, repair) == []


async def test_a_yes_with_one_question_open_answers_that_question(house, martins, repair, texts):
    await house.do(advance, repair, by=KEPT)
    await house.do(ask_what_is_due, repair, by=KEPT)
    await texts("Yes")
    assert [run.stage_key for run in (await house.see(repair)).open_runs] == ["mended"]
    assert await heard_on(house, martins) == []


async def test_a_yes_with_two_questions_open_is_asked_which(house, martins, repair, texts):
    second = await house.open("repair", by=KEPT)
    for one in (repair, second):
        await house.do(advance, one, by=KEPT)
        await house.do(ask_what_is_due, one, by=KEPT)
    await texts("yes please")
    assert (await last(house)).kind == MessageKind.WHICH
    await texts("3")
    assert [run.stage_key for run in (await house.see(second)).open_runs] == ["mended"]
    assert (await house.see(repair)).asked is not None


async def test_yes_and_no_by_text_are_answers(house, texts):
    card = await house.open(by=KEPT)
    for _ in range(3):
        await house.do(advance, card, by=KEPT)
        await house.do(accept, card, by=KEPT)
    for _ in range(2):
        await house.do(advance, card, by=KEPT)
    await house.do(ask_what_is_due, card, by=KEPT)
    await texts("No, it has not!")
    back = await house.see(card)
    assert back.status == RequestStatus.OPEN
    assert back.follow_ups[0].answer == Answer.NO
    assert back.follow_ups[0].answer_words == "No, it has not!"
    assert back.follow_ups[0].answered_via == "sms"


async def test_a_yes_to_nothing_goes_to_a_person(house, martins, texts):
    await texts("Yes")
    assert len((await house.see(martins)).promises) == 1


async def test_about_an_ended_request_its_owner_looks_and_says_when(house, martins, texts):
    await house.do(cancel, martins, reason="Enough.", by=KEPT)
    await texts("Why did you cancel it?")
    seen = await house.see(martins)
    assert seen.status == RequestStatus.CANCELLED
    [promise] = seen.promises
    assert promise.owner_id == house.people.tess.id
    assert "Tess will look at your message by" in (await last(house)).body


async def test_about_an_ended_request_whose_owner_has_left_somebody_here_looks(
    house, martins, texts
):
    await house.do(cancel, martins, reason="Enough.", by=KEPT)
    await house.hear(disable_staff, email="tess@acme.example", by=KEPT)
    await texts("Why did you cancel it?")
    [promise] = (await house.see(martins)).promises
    assert promise.owner_id == house.people.tom.id
    assert "Tom will look" in (await last(house)).body


async def test_a_strangers_words_are_kept_answered_once_and_put_before_a_person(
    house, martins, texts, database
):
    await texts("Are you open today?", sender=STRANGER)
    await texts("Hello??", sender=STRANGER)
    answers = [one for one in await house.messages() if one.to_address == STRANGER]
    assert len(answers) == 1
    assert "We do not know this number yet" in answers[0].body
    async with database.reading() as session:
        balls = (await session.exec(select(DroppedBall))).all()
    assert [ball.owner_id for ball in balls] == [house.people.mona.id] * 2
    assert await heard_on(house, martins) == []


async def test_what_a_stranger_wrote_is_not_put_on_a_request_opened_later(house, texts):
    await texts("Are you open today?")
    card = await house.open(by=KEPT)
    await texts("Can you hurry?")
    assert await heard_on(house, card) == ["Can you hurry?"]


async def test_two_who_share_a_phone_are_asked_which(house, martins, texts):
    hers = await house.open("permit", customer=MARTHA, by=KEPT)
    await texts("Can you hurry?")
    asked = await last(house)
    assert asked.kind == MessageKind.WHICH
    assert martins.reference in asked.body
    assert hers.reference in asked.body
    await texts("2")
    assert await heard_on(house, hers) == ["Can you hurry?", "2"]


async def test_a_stop_among_several_requests_is_not_taken_for_a_question_later(
    house, martins, repair, texts
):
    await texts("STOP")
    await texts("START")
    await texts(f"{repair.reference} can you hurry?")
    assert await heard_on(house, repair) == [f"{repair.reference} can you hurry?"]


async def test_words_on_the_page_stand_there_with_our_answer_and_no_text_is_sent(house, martins):
    before = [one for one in await house.told(martins) if one.channel == Channel.SMS]
    seen = await house.do(receive_web_message, martins, " Hello\x00 there ", by=THE_CUSTOMER)
    assert await heard_on(house, martins) == ["Hello there"]
    answer = await last(house)
    assert (answer.channel, answer.status) == (Channel.WEB, MessageStatus.DELIVERED)
    assert "http" not in answer.body
    assert [one for one in await house.told(seen) if one.channel == Channel.SMS] == before


@pytest.mark.parametrize("body", ["", "  \x00 ", "x" * 100_000])
async def test_words_that_cannot_be_taken_are_refused_kindly(house, martins, body):
    with pytest.raises(BadInput) as refusal:
        await house.do(receive_web_message, martins, body, by=THE_CUSTOMER)
    assert "body" in refusal.value.fields
    assert (await house.see(martins)).page_version == martins.page_version


async def test_a_mailed_reply_is_heard_once_on_its_request(house, martins, repair):
    for _ in range(2):
        mail = ReceivedMail(
            message_id="<a@b>", sender="martin@example.com", recipients="", words="Can you hurry?"
        )
        await house.hear(receive_email, mail=mail, request_id=repair.id, by=THE_CUSTOMER)
    assert await heard_on(house, repair) == ["Can you hurry?"]
    answer = await last(house)
    assert (answer.channel, answer.kind) == (Channel.EMAIL, MessageKind.ACKNOWLEDGEMENT)


async def test_long_ids_of_mails_that_begin_alike_are_two_mails(house, martins):
    for number in (1, 2):
        raw = f"Message-ID: <{'a' * 300}{number}>\r\nFrom: {'m' * 300}@x\r\n\r\nMail {number}"
        for again in ("", "X-Told: once more\r\n"):
            mail = read_mail(f"{again}{raw}".encode())
            await house.hear(receive_email, mail=mail, request_id=martins.id, by=THE_CUSTOMER)
    assert await heard_on(house, martins) == ["Mail 1", "Mail 2"]


async def test_every_word_has_an_answer_or_an_owner(house, martins, texts):
    """Whatever is written, nothing is left lying."""
    for body in ("?", "🎉", "ok", "Where is it", "NO", "yes", "stop", "start", "help", "x" * 1600):
        await texts(body)
        [heard] = [one for one in await house.messages() if one.body == body]
        seen = await house.see(martins)
        answered = any(one.cause == f"message:{heard.id}" for one in await house.messages())
        owed = any(promise.closed_at is None for promise in seen.promises)
        assert answered or owed, body
        assert heard.request_id == martins.id


async def test_until_it_is_taken_up_the_sender_answers(house, martins, texts):
    """A handoff that waits: the words name whoever has the request, who also owes the answer."""
    await house.do(advance, martins, by=house.people.tess.actor)
    await texts("Can you change the name on it?")
    assert (await last(house)).body.startswith("Acme Bank: Thank you, Martin. Telesales has your")


async def test_where_is_it_is_told_as_it_is(house, martins, texts):
    """No stage is told before it is taken up, and no time while it is held."""
    await house.do(advance, martins, by=house.people.tess.actor)
    await texts("Where is my card?")
    passed = (await last(house)).body
    assert "Passed to Underwriting" in passed
    assert "They take it up by" in passed
    assert "being checked" not in passed
    await house.do(accept, martins, by=house.people.uma.actor)
    await texts("Where is my card?")
    assert "being checked. Underwriting has it. Next by" in (await last(house)).body
    await house.do(hold, martins, by=house.people.uma.actor, reason="Address check")
    await texts("Where is my card?")
    held = (await last(house)).body
    assert "is on hold for now" in held
    assert "Next by" not in held
