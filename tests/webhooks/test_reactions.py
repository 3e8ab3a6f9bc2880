"""A reaction quotes our own text: it is recorded, owes nothing and changes nothing."""

import pytest
import time_machine
from sqlmodel import select

from portal.messaging.sms.own_text import fold_texts, without_own_text
from portal.messaging.sms.reactions import reaction_words, read_reaction
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Consent,
    Direction,
    DroppedBall,
    FollowUpState,
    Message,
    RequestStatus,
    ServiceRequest,
)
from portal.operations import write_to_customer
from tests.operations.endings.receipts import HOUR, Receipt
from tests.support.cpu_limit import cpu_limit
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.twilio_client import CustomerPhone, TwilioClient

pytestmark = pytest.mark.either_database

FORMS = [
    "Liked “{}”", "Loved “{}”", "Laughed at “{}”", "Emphasized “{}”", "👍 to “{}”",
    "Removed a heart from “{}”", "Le gustó “{}”", "No le gustó “{}”", "Disliked “{}”",
    "\u200a\u200b👍\u200b to “\u200a{}\u200a”", 'Liked "{}"', "Gefällt „{}“", "A aimé « {} »",
    "Reagierte mit 👍 auf „{}“", "Gostou de “{}”", "أُعجب بـ “{}”", "「{}」に“いいね”しました", "Beğendi “{}”", "Käyttäjä tykkäsi “{}”",
]  # fmt: skip
"""Of BR-23, and those of other languages; the last two are in no list."""


async def state(organisation: Organisation, request: ServiceRequest) -> tuple[object, ...]:
    """All that a reaction leaves as it is."""
    seen = await organisation.reload(request)
    async with organisation.database.reading() as session:
        lines = len((await session.exec(select(Consent))).all())
        balls = len((await session.exec(select(DroppedBall))).all())
    return (
        seen.status, seen.unanswered_since, len(seen.promises), lines, balls,
        [question.state for question in seen.follow_ups], len(await sent(organisation)),
    )  # fmt: skip


async def sent(organisation: Organisation) -> list[Message]:
    return [each for each in await organisation.messages() if each.direction == Direction.OUT]


async def heard(organisation: Organisation) -> list[Message]:
    return [each for each in await organisation.messages() if each.direction == Direction.IN]


@pytest.fixture
async def receipt(
    clock: time_machine.Traveller, organisation: Organisation, texts: CustomerPhone
) -> Receipt:
    """The card is there, and the customer is asked whether it is."""
    receipt = Receipt(organisation, clock, texts)
    await receipt.deliver()
    await receipt.advance_clock(HOUR)
    await deliver_due(organisation.operations, FakeSmsGateway())
    return receipt


@pytest.mark.parametrize("form", FORMS)
async def test_reaction_to_a_text_is_recorded_and_changes_nothing(
    form: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """It quotes STOP, and stops nothing."""
    await deliver_due(organisation.operations, FakeSmsGateway())
    (text,) = await sent(organisation)
    assert "STOP" in text.body
    before = await state(organisation, card_request)
    assert await twilio.text(form.format(text.body)) == 200
    assert await state(organisation, card_request) == before
    (reaction,) = await heard(organisation)
    assert (reaction.intent, reaction.request_id) == ("reaction", card_request.id)
    assert reaction.reacted_to_id == text.id


@pytest.mark.parametrize(
    "form", [each for each in FORMS if "No le" not in each and "Dis" not in each]
)
async def test_reaction_to_a_question_neither_answers_nor_closes_it(
    form: str, twilio: TwilioClient, organisation: Organisation, receipt: Receipt
) -> None:
    question = (await sent(organisation))[-1]
    assert "YES" in question.body
    before = await state(organisation, receipt.card)
    assert await twilio.text(form.format(question.body)) == 200
    assert await state(organisation, receipt.card) == before


@pytest.mark.parametrize("form", ["Liked “{}…”", "Liked “{}", "👍 to “{}...”", "Le gustó «{}…»"])
async def test_phone_may_cut_the_quotation(
    form: str, twilio: TwilioClient, organisation: Organisation, receipt: Receipt
) -> None:
    question = (await sent(organisation))[-1]
    before = await state(organisation, receipt.card)
    await twilio.text(form.format(question.body[:24]))
    assert await state(organisation, receipt.card) == before
    assert (await heard(organisation))[-1].reacted_to_id == question.id


@pytest.mark.parametrize(
    "form", ["Disliked “{}”", "👎 to “{}”", "No le gustó “{}”", "لم يعجبه “{}”"]
)
async def test_dislike_of_a_question_is_for_a_person_and_silent(
    form: str, twilio: TwilioClient, organisation: Organisation, receipt: Receipt
) -> None:
    count = len(await sent(organisation))
    question = (await sent(organisation))[-1]
    await twilio.text(form.format(question.body))
    card = await organisation.reload(receipt.card)
    assert card.status == RequestStatus.AWAITING_CONFIRMATION
    assert [each.state for each in card.follow_ups] == [FollowUpState.ASKED]
    (promise,) = card.promises
    assert promise.owner_id
    assert card.unanswered_since is not None
    assert len(await sent(organisation)) == count


async def test_reaction_goes_to_the_request_that_its_text_is_about(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Several are open, and nobody asks which."""
    await organisation.open("repair", by=SYSTEM_ACTOR)
    await deliver_due(organisation.operations, FakeSmsGateway())
    text = (await organisation.outbound_messages(card_request))[0]
    await twilio.text(f"Liked “{text.body}”")
    (reaction,) = await heard(organisation)
    assert reaction.request_id == card_request.id
    assert len(await sent(organisation)) == 2


async def test_reaction_to_a_short_message_of_staff(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(
        write_to_customer, card_request, "Ok!", by=organisation.people.tess.actor
    )
    await deliver_due(organisation.operations, FakeSmsGateway())
    before = await state(organisation, card_request)
    await twilio.text("Liked “Tess at Acme Bank: Ok!”")
    assert await state(organisation, card_request) == before
    assert (await heard(organisation))[-1].intent == "reaction"


async def test_reaction_of_a_stopped_number_changes_nothing(
    twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await deliver_due(organisation.operations, FakeSmsGateway())
    text = (await sent(organisation))[0]
    await twilio.text("STOP")
    before = await state(organisation, card_request)
    await twilio.text(f"Liked “{text.body}”", sid="SM2")
    assert await state(organisation, card_request) == before


@pytest.mark.parametrize("text", ["Liked “{}” but when does it come?", "“{}” what does this mean?"])
async def test_question_beside_a_quotation_is_answered(
    text: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await deliver_due(organisation.operations, FakeSmsGateway())
    (first,) = await sent(organisation)
    await twilio.text(text.format(first.body))
    (heard_text,) = await heard(organisation)
    assert heard_text.intent != "reaction"
    assert len(await sent(organisation)) == 2
    assert len(await consents(organisation)) == 2


@pytest.mark.parametrize(
    "beside",
    ["Card stolen 😡", "Card stolen", "Card removed 👎", "Wrong name 👍", "cracked corner"],
)
async def test_words_beside_a_quotation_are_for_a_person(
    beside: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await deliver_due(organisation.operations, FakeSmsGateway())
    (first,) = await sent(organisation)
    await twilio.text(f"{beside} “{first.body}”")
    (message,) = await heard(organisation)
    assert message.intent != "reaction"
    card = await organisation.reload(card_request)
    assert (card.unanswered_since is not None, len(card.promises)) == (True, 1)


def test_label_of_a_reaction_keeps_the_words_of_an_unknown_phone() -> None:
    text = "Acme: “Gold” card, Martin's: has it arrived? Reply YES or NO."
    reaction = read_reaction(f"Reagoi 👍 viestiin “{text}”", fold_texts([text]))
    assert reaction is not None
    assert (reaction.label, reaction.is_known) == ("Reagoi 👍 viestiin", False)


async def consents(organisation: Organisation) -> list[Consent]:
    async with organisation.database.reading() as session:
        return list((await session.exec(select(Consent))).all())


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("> Reply YES or NO\nthanks", "thanks"),
        ("“Has your card arrived? Reply YES or NO.” yes", "yes"),
        ("> {}\nYes", "yes"),
        ("{}\n\nYes", "yes"),
    ],
)
async def test_our_own_text_is_taken_out_before_the_rest_is_read(
    text: str, intent: str, twilio: TwilioClient, organisation: Organisation, receipt: Receipt
) -> None:
    question = (await sent(organisation))[-1]
    await twilio.text(text.format(question.body))
    message = (await heard(organisation))[-1]
    assert (message.intent, message.body) == (intent, text.format(question.body))


@pytest.mark.parametrize(
    "text", ["> STOP to end\nok thanks, see you friday", "{} ok thanks, see you friday", "{}"]
)
async def test_consent_is_never_changed_by_our_own_words(
    text: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await deliver_due(organisation.operations, FakeSmsGateway())
    (first,) = await sent(organisation)
    lines = len(await consents(organisation))
    await twilio.text(text.format(first.body))
    assert len(await consents(organisation)) == lines


@pytest.mark.parametrize("text", ["Reply STOP", "STOP to end", "STOP"])
async def test_wish_to_stop_in_our_words_is_obeyed(
    text: str, twilio: TwilioClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await deliver_due(organisation.operations, FakeSmsGateway())
    await twilio.text(text)
    lines = await consents(organisation)
    if text == "STOP":
        assert (lines[-1].channel, lines[-1].granted) == (Channel.SMS, False)
    assert (await heard(organisation))[-1].body == text
    assert without_own_text(text, fold_texts([(await sent(organisation))[0].body])) == text


@pytest.mark.parametrize(
    "text",
    [
        "“" * 5_000 + "”" * 5_000,
        ">abcdefg\n" * 1_200,
        "a" * 10_000,
        "“a" * 5_000,
        "Liked “" * 1_400,
    ],
)
def test_hostile_text_is_compared_in_little_time(text: str) -> None:
    sent_texts = fold_texts([f"{number} " + "aab " * 400 for number in range(50)])
    with cpu_limit(5):
        read_reaction(text, sent_texts)
        without_own_text(text, sent_texts)


@pytest.mark.parametrize("language", [*reaction_words().tables])
def test_reaction_is_read_in_every_form_of_a_language(language: str) -> None:
    """The examples of ``reactions.toml``, around whole and cut texts of ours."""
    texts = [
        "Acme: Hi Martin. We have your application. Next by Fri. https://x.example/r/T STOP to end",
        "Acme: “Gold” card, Martin's: has it arrived? Reply YES or NO. https://x.example/r/T",
        "بنك: مرحباً مارتن. وصلنا طلبك. التالي قبل الجمعة. https://x.example/r/T",
    ]
    sent_texts = fold_texts(texts)
    for kind in ("examples", "dislikes"):
        for example in reaction_words().tables[language][kind]:
            for index, text in enumerate(texts):
                for quoted in (text, f"{text[:30]}…"):
                    reaction = read_reaction(example.format(quoted), sent_texts)
                    assert reaction is not None, example
                    assert (reaction.index % len(texts), reaction.is_known) == (index, True)
                    assert (reaction.sentiment == "dislike") == (kind == "dislikes"), example
