"""An inbound text is recorded once and gets an answer, or an owner and a time."""

from datetime import timedelta

import pytest
from sqlmodel import select

from portal.errors import BadInput
from portal.messaging.email.inbound import InboundEmail
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Answer,
    Channel,
    Contact,
    ContactReason,
    DroppedBall,
    MessageKind,
    MessageStatus,
    PromiseKind,
    RequestStatus,
)
from portal.operations import (
    accept,
    advance,
    cancel,
    disable_staff,
    hold,
    receive_email,
    receive_text,
    receive_web_message,
    run_due_follow_ups,
    write_to_customer,
)
from tests.messaging.email.mail_server import parse
from tests.operations.conversation.texting import heard_on, last
from tests.support.factories import MARTIN

pytestmark = pytest.mark.either_database


STRANGER = "+14155550199"


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


async def test_question_creates_promise_with_owner_and_due_time(clock, organisation, texts):
    card = await organisation.open(by=SYSTEM_ACTOR)
    await texts("Can you change the name on it?")
    seen = await organisation.reload(card)
    [promise] = seen.promises
    assert promise.kind == PromiseKind.ANSWER
    assert promise.owner_id == organisation.people.tess.id
    assert promise.due_at == promise.made_at + timedelta(hours=2)
    assert seen.unanswered_since == promise.made_at
    answer = await last(organisation)
    assert answer.kind == MessageKind.ACKNOWLEDGEMENT
    assert "Got it, Martin. Tess at Telesales will answer you by Tue 3 Jun, noon." in answer.body


async def test_second_question_is_added_to_the_open_promise(organisation, card_request, texts):
    await texts("Can you change the name on it?")
    await texts("And the address?")
    assert len((await organisation.reload(card_request)).promises) == 1
    assert "Got this too" in (await last(organisation)).body


async def test_staff_reply_fulfils_the_promise(organisation, card_request, texts):
    await texts("Can you change the name on it?")
    seen = await organisation.run(
        write_to_customer, card_request, "Done!", by=organisation.people.tess.actor
    )
    [promise] = seen.promises
    assert promise.kept_at is not None
    assert seen.unanswered_since is None
    sent = await last(organisation)
    assert (sent.kind, sent.body, sent.author) == (
        MessageKind.STAFF, "Tess at Acme Bank: Done!", "Tess Sales",
    )  # fmt: skip


async def test_status_question_is_answered_immediately(organisation, card_request, texts):
    await texts("Where is my card?")
    answer = await last(organisation)
    assert answer.kind == MessageKind.ANSWER
    assert "We have your application. Tess finishes by" in answer.body
    assert not (await organisation.reload(card_request)).promises


async def test_each_contact_is_recorded_with_its_reason(
    organisation, card_request, texts, database
):
    await texts("Where is my card?")
    await texts("The flowers were lovely")
    async with database.reading() as session:
        contacts = (await session.exec(select(Contact))).all()
    assert [contact.reason for contact in contacts] == [
        ContactReason.WHERE_IS_IT,
        ContactReason.OTHER,
    ]


async def test_thanks_need_no_answer(organisation, card_request, texts):
    before = len(await organisation.outbound_messages(card_request))
    await texts("Thank you!")
    assert len(await organisation.outbound_messages(card_request)) == before
    assert not (await organisation.reload(card_request)).promises
    assert await heard_on(organisation, card_request) == ["Thank you!"]


async def test_duplicate_inbound_text_is_processed_once(organisation, card_request, texts):
    await texts("Hello?", sid="SM-same")
    await texts("Hello?", sid="SM-same")
    assert await heard_on(organisation, card_request) == ["Hello?"]


async def test_yes_and_no_by_text_are_answers(organisation, texts):
    card = await organisation.open(by=SYSTEM_ACTOR)
    for _ in range(3):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
        await organisation.run(accept, card, by=SYSTEM_ACTOR)
    for _ in range(2):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    await texts("No, it has not!")
    back = await organisation.reload(card)
    assert back.status == RequestStatus.OPEN
    assert back.follow_ups[0].answer == Answer.NO
    assert back.follow_ups[0].answer_words == "No, it has not!"
    assert back.follow_ups[0].answered_via == "sms"


async def test_yes_without_question_goes_to_staff(organisation, card_request, texts):
    await texts("Yes")
    assert len((await organisation.reload(card_request)).promises) == 1


async def test_text_about_closed_request_creates_promise_of_its_owner(
    organisation, card_request, texts
):
    await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    await texts("Why did you cancel it?")
    seen = await organisation.reload(card_request)
    assert seen.status == RequestStatus.CANCELLED
    [promise] = seen.promises
    assert promise.owner_id == organisation.people.tess.id
    assert "was cancelled. Reply REOPEN to reopen it." in (await last(organisation)).body


async def test_text_about_closed_request_of_former_owner_goes_to_present_staff(
    organisation, card_request, texts
):
    await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    await organisation.run_unbound(disable_staff, email="tess@acme.example", by=SYSTEM_ACTOR)
    await texts("Why did you cancel it?")
    [promise] = (await organisation.reload(card_request)).promises
    assert promise.owner_id == organisation.people.tom.id
    assert "Tom answers by" in (await last(organisation)).body


async def test_unknown_sender_is_stored_answered_once_and_assigned(
    organisation, card_request, texts, database
):
    await texts("Are you open today?", sender=STRANGER)
    await texts("Hello??", sender=STRANGER)
    answers = [
        message for message in await organisation.messages() if message.to_address == STRANGER
    ]
    assert len(answers) == 1
    assert "We do not know this number yet" in answers[0].body
    async with database.reading() as session:
        balls = (await session.exec(select(DroppedBall))).all()
    assert [ball.owner_id for ball in balls] == [organisation.people.mona.id] * 2
    assert await heard_on(organisation, card_request) == []


async def test_text_of_unknown_sender_is_not_attached_to_a_later_request(organisation, texts):
    await texts("Are you open today?")
    card = await organisation.open(by=SYSTEM_ACTOR)
    await texts("Can you hurry?")
    assert await heard_on(organisation, card) == ["Can you hurry?"]


async def test_page_message_and_reply_are_shown_without_sms(organisation, card_request):
    before = [
        message
        for message in await organisation.outbound_messages(card_request)
        if message.channel == Channel.SMS
    ]
    seen = await organisation.run(
        receive_web_message, card_request, " Hello\x00 there ", by=CUSTOMER_ACTOR
    )
    assert await heard_on(organisation, card_request) == ["Hello there"]
    answer = await last(organisation)
    assert (answer.channel, answer.status) == (Channel.WEB, MessageStatus.DELIVERED)
    assert "http" not in answer.body
    assert [
        message
        for message in await organisation.outbound_messages(seen)
        if message.channel == Channel.SMS
    ] == before


@pytest.mark.parametrize("body", ["", "  \x00 ", "x" * 100_000])
async def test_invalid_page_message_is_rejected(organisation, card_request, body):
    with pytest.raises(BadInput) as refusal:
        await organisation.run(receive_web_message, card_request, body, by=CUSTOMER_ACTOR)
    assert "body" in refusal.value.fields
    assert (await organisation.reload(card_request)).page_version == card_request.page_version


async def test_email_reply_is_processed_once_on_its_request(organisation, card_request, repair):
    for _ in range(2):
        mail = InboundEmail(
            message_id="<a@b>", sender="martin@example.com", recipients="", words="Can you hurry?"
        )
        await organisation.run_unbound(
            receive_email, mail=mail, request_id=repair.id, by=CUSTOMER_ACTOR
        )
    assert await heard_on(organisation, repair) == ["Can you hurry?"]
    answer = await last(organisation)
    assert (answer.channel, answer.kind) == (Channel.EMAIL, MessageKind.ACKNOWLEDGEMENT)


async def test_long_message_ids_with_one_prefix_are_two_mails(organisation, card_request):
    for number in (1, 2):
        raw = f"Message-ID: <{'a' * 300}{number}>\r\nFrom: {'m' * 300}@x\r\n\r\nMail {number}"
        for again in ("", "X-Told: once more\r\n"):
            mail = parse(f"{again}{raw}".encode())
            await organisation.run_unbound(
                receive_email, mail=mail, request_id=card_request.id, by=CUSTOMER_ACTOR
            )
    assert await heard_on(organisation, card_request) == ["Mail 1", "Mail 2"]


async def test_every_inbound_text_has_an_answer_or_an_owner(organisation, card_request, texts):
    """Whatever is written, nothing is left lying."""
    for body in ("?", "🎉", "ok", "Where is it", "NO", "yes", "stop", "start", "help", "x" * 1600):
        await texts(body)
        [heard] = [message for message in await organisation.messages() if message.body == body]
        seen = await organisation.reload(card_request)
        answered = any(
            message.cause == f"message:{heard.id}" for message in await organisation.messages()
        )
        owed = any(promise.closed_at is None for promise in seen.promises)
        assert answered or owed, body
        assert heard.request_id == card_request.id


async def test_sender_answers_until_the_handoff_is_accepted(organisation, card_request, texts):
    """A handoff that waits: the words name whoever has the request, who also owes the answer."""
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    await texts("Can you change the name on it?")
    assert (await last(organisation)).body.startswith(
        "Acme Bank: Got it, Martin. Tess at Telesales will answer"
    )


async def test_status_reply_reports_the_actual_state(organisation, card_request, texts):
    """No stage is told before it is taken up, and no time while it is held."""
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    await texts("Where is my card?")
    passed = (await last(organisation)).body
    assert "Passed to Underwriting" in passed
    assert "They start by" in passed
    assert "being checked" not in passed
    await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    await texts("Where is it now?")
    assert "being checked. Uma finishes by" in (await last(organisation)).body
    await organisation.run(
        hold, card_request, by=organisation.people.uma.actor, reason="Address check"
    )
    await texts("Any news?")
    held = (await last(organisation)).body
    assert "on hold for now: Address check." in held
    assert "Next by" not in held
