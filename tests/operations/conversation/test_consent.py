"""No message is sent without consent, and each suppressed message has a reason."""

import pytest
from sqlmodel import select

from portal.errors import BadInput, Conflict
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Channel,
    Consent,
    ConsentSource,
    DeliveryReason,
    MessageKind,
    MessageStatus,
)
from portal.operations import (
    Operations,
    hold,
    receive_text,
    record_spoken_consent,
    resume,
    set_preferences,
)
from portal.operations.conversation.consent import withdraw_consent
from portal.queries.consent import consent_history as lines_about
from portal.queries.consent import may_write
from tests.support.factories import MARTHA, MARTIN

pytestmark = pytest.mark.either_database

PHONE_ONLY = type(MARTIN)(name="Martin Miller", phone=MARTIN.phone)


@pytest.fixture
async def card(organisation):
    """A request of a customer who has a phone and nothing else."""
    return await organisation.open(customer=PHONE_ONLY, by=SYSTEM_ACTOR)


@pytest.fixture
def text(organisation):
    """The customer's phone: what it sends."""
    sent = 0

    async def send(body):
        nonlocal sent
        sent += 1
        await organisation.run_unbound(
            receive_text, sid=f"SM{sent}", sender=MARTIN.phone, to="+15005550006", body=body,
            by=CUSTOMER_ACTOR,
        )  # fmt: skip

    return send


async def consent_history(database):
    async with database.reading() as session:
        return (await session.exec(select(Consent))).all()


async def test_opening_a_request_records_consent_with_evidence(database, card_request):
    lines = await consent_history(database)
    assert {(line.channel, line.address) for line in lines} == {
        (Channel.SMS, MARTIN.phone), (Channel.EMAIL, MARTIN.email),
    }  # fmt: skip
    assert all(line.granted and line.evidence == "staff: Tess Sales" for line in lines)


async def test_second_request_adds_no_consent_entry(database, organisation, card_request):
    before = len(await consent_history(database))
    await organisation.open(by=SYSTEM_ACTOR)
    assert len(await consent_history(database)) == before


async def test_stop_suppresses_all_texts_and_records_why(organisation, card, text):
    await text("STOP")
    await organisation.run(hold, card, reason="Wait.", by=SYSTEM_ACTOR)
    last = (await organisation.outbound_messages(card))[-1]
    assert last.kind == MessageKind.HOLD
    assert last.status == MessageStatus.SUPPRESSED
    assert last.reason == DeliveryReason.CONSENT_WITHDRAWN


async def test_stop_is_confirmed_once_and_kept_in_the_ledger(organisation, card, text, database):
    await text("Please stop texting me")
    answers = [
        message for message in await organisation.messages() if message.kind == MessageKind.CONSENT
    ]
    assert len(answers) == 1
    assert "Reply START" in answers[0].body
    newest = (await consent_history(database))[-1]
    assert (newest.granted, newest.evidence) == (False, "Please stop texting me (SM1)")


async def test_stop_applies_to_later_requests(organisation, card, text):
    await text("STOP")
    second = await organisation.open(customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    [first_text] = await organisation.outbound_messages(second)
    assert first_text.status == MessageStatus.SUPPRESSED


async def test_start_restores_consent(organisation, card, text):
    await text("STOP")
    await text("Start")
    await organisation.run(hold, card, reason="Wait.", by=SYSTEM_ACTOR)
    assert (await organisation.outbound_messages(card))[-1].status == MessageStatus.QUEUED


async def test_yes_restores_consent_only_for_an_opted_out_number(
    organisation, card, text, database
):
    await text("YES")
    assert len(await consent_history(database)) == 1
    await text("STOP")
    await text("YES")
    async with database.reading() as session:
        assert await may_write(session, Channel.SMS, MARTIN.phone, card.id)


async def test_keywords_are_not_answered_when_twilio_answers_them(
    organisation, card, text, settings, database
):
    told = settings.model_copy(update={"twilio_answers_keywords": True})
    organisation.operations = Operations(told, database, JobQueue(None), LiveUpdates(None))
    await text("stop texting me please")
    assert (
        len(
            [
                message
                for message in await organisation.messages()
                if message.kind == MessageKind.CONSENT
            ]
        )
        == 1
    )
    for word in ("START", "HELP", "STOP"):
        await text(word)
    assert (
        len(
            [
                message
                for message in await organisation.messages()
                if message.kind == MessageKind.CONSENT
            ]
        )
        == 1
    )


async def test_cancel_opts_out_and_creates_work_for_staff(organisation, card, text):
    await text("CANCEL")
    seen = await organisation.reload(card)
    assert len(seen.promises) == 1
    assert not seen.is_closed


async def test_cancel_with_several_open_requests_goes_to_staff(organisation, card, text):
    second = await organisation.open("repair", customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    await text("CANCEL")
    seen = await organisation.reload(second)
    assert [promise.owner_id for promise in seen.promises] == [organisation.people.ben.id]


async def test_stop_applies_to_all_customers_of_a_shared_phone(organisation, card, text):
    hers = await organisation.open(customer=MARTHA, by=SYSTEM_ACTOR)
    await text("STOP")
    await organisation.run(hold, hers, reason="Wait.", by=SYSTEM_ACTOR)
    assert (await organisation.outbound_messages(hers))[-1].status == MessageStatus.SUPPRESSED


async def test_stop_for_one_request_keeps_the_others(organisation, card, operations, database):
    second = await organisation.open(customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    async with operations.begin(CUSTOMER_ACTOR) as uow:
        await withdraw_consent(
            uow, Channel.SMS, MARTIN.phone, ConsentSource.STATUS_PAGE, evidence=card.reference,
            request_id=card.id,
        )  # fmt: skip
    async with database.reading() as session:
        assert not await may_write(session, Channel.SMS, MARTIN.phone, card.id)
        assert await may_write(session, Channel.SMS, MARTIN.phone, second.id)


async def test_start_also_ends_a_stop_for_one_request(
    organisation, card, operations, database, text
):
    async with operations.begin(CUSTOMER_ACTOR) as uow:
        await withdraw_consent(
            uow, Channel.SMS, MARTIN.phone, ConsentSource.STATUS_PAGE, evidence=card.reference,
            request_id=card.id,
        )  # fmt: skip
    await text("START")
    async with database.reading() as session:
        assert await may_write(session, Channel.SMS, MARTIN.phone, card.id)


async def test_address_without_consent_may_not_be_contacted(database, card):
    async with database.reading() as session:
        assert not await may_write(session, Channel.SMS, "+14155550100", card.id)


async def test_only_the_first_text_to_a_number_has_the_opt_out_hint(organisation, card):
    await organisation.run(hold, card, reason="Wait.", by=SYSTEM_ACTOR)
    await organisation.run(resume, card, by=SYSTEM_ACTOR)
    said = ["STOP" in message.body for message in await organisation.outbound_messages(card)]
    assert said == [True, False, False]


async def test_preferred_channel_is_used_afterwards(organisation, card_request):
    await organisation.run(
        set_preferences,
        card_request,
        preferred_channel=Channel.EMAIL,
        locale="es",
        by=CUSTOMER_ACTOR,
    )
    seen = await organisation.run(hold, card_request, reason="Espera.", by=SYSTEM_ACTOR)
    assert seen.customer.locale == "es"
    first, second = await organisation.outbound_messages(card_request)
    assert (first.channel, second.channel) == (Channel.SMS, Channel.EMAIL)


async def test_preference_recorded_by_staff_names_the_recorder(organisation, card, database, text):
    """Said at the counter it is as good as written; the customer's page does not mention it."""
    tess = organisation.people.tess.actor
    for stop, about, may in (
        (True, "request", False), (False, "request", True), (True, "all", False),
    ):  # fmt: skip
        seen = await organisation.run(
            record_spoken_consent, card, channel=Channel.SMS, stop=stop, about=about,
            note="on the phone", by=tess,
        )  # fmt: skip
        assert seen.page_version == card.page_version
        async with database.reading() as session:
            assert await may_write(session, Channel.SMS, MARTIN.phone, card.id) == may
            newest, *_ = await lines_about(session, [MARTIN.phone])
        assert (newest.source, newest.granted) == (ConsentSource.STAFF, not stop)
        assert newest.evidence == "said to Tess Sales: on the phone"
    with pytest.raises(Conflict):
        await organisation.run(
            record_spoken_consent, card, channel=Channel.SMS, stop=False, about="request", by=tess
        )
    with pytest.raises(BadInput):
        await organisation.run(
            record_spoken_consent, card, channel=Channel.EMAIL, stop=True, about="all", by=tess
        )
