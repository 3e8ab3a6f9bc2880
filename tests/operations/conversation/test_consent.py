"""Nothing is sent where it is not wanted; every silence has its reason written down."""

import pytest
from sqlmodel import select

from portal.errors import BadInput, Conflict
from portal.jobs import Jobs
from portal.live import Live
from portal.models import (
    KEPT,
    THE_CUSTOMER,
    Channel,
    Consent,
    ConsentSource,
    MessageKind,
    MessageStatus,
)
from portal.operations import Relay, hold, receive_text, record_spoken_wish, resume, set_preferences
from portal.operations.conversation.consent import withdraw
from portal.queries.consent import ledger as lines_about
from portal.queries.consent import may_write
from tests.support.factories import MARTHA, MARTIN

pytestmark = pytest.mark.either_database

PHONE_ONLY = type(MARTIN)(name="Martin Miller", phone=MARTIN.phone)


@pytest.fixture
async def card(house):
    """A request of a customer who has a phone and nothing else."""
    return await house.open(customer=PHONE_ONLY, by=KEPT)


@pytest.fixture
def text(house):
    """The customer's phone: what it sends."""
    sent = 0

    async def send(body):
        nonlocal sent
        sent += 1
        await house.hear(
            receive_text, sid=f"SM{sent}", sender=MARTIN.phone, to="+15005550006", body=body,
            by=THE_CUSTOMER,
        )  # fmt: skip

    return send


async def ledger(database):
    async with database.reading() as session:
        return (await session.exec(select(Consent))).all()


async def test_an_address_given_with_a_request_is_consent_with_its_evidence(database, martins):
    lines = await ledger(database)
    assert {(line.channel, line.address) for line in lines} == {
        (Channel.SMS, MARTIN.phone), (Channel.EMAIL, MARTIN.email),
    }  # fmt: skip
    assert all(line.granted and line.evidence == "staff: Tess Sales" for line in lines)


async def test_a_second_request_adds_nothing_to_the_ledger(database, house, martins):
    before = len(await ledger(database))
    await house.open(by=KEPT)
    assert len(await ledger(database)) == before


async def test_stop_ends_all_texts_and_each_silence_says_why(house, card, text):
    await text("STOP")
    await house.do(hold, card, reason="Wait.", by=KEPT)
    last = (await house.told(card))[-1]
    assert last.kind == MessageKind.HOLD
    assert last.status == MessageStatus.SUPPRESSED
    assert last.reason == "They asked us not to write here."


async def test_stop_is_confirmed_once_and_kept_in_the_ledger(house, card, text, database):
    await text("Please stop texting me")
    answers = [one for one in await house.messages() if one.kind == MessageKind.CONSENT]
    assert len(answers) == 1
    assert "Reply START" in answers[0].body
    newest = (await ledger(database))[-1]
    assert (newest.granted, newest.evidence) == (False, "Please stop texting me (SM1)")


async def test_a_stop_outlives_new_requests(house, card, text):
    await text("STOP")
    second = await house.open(customer=PHONE_ONLY, by=KEPT)
    [first_text] = await house.told(second)
    assert first_text.status == MessageStatus.SUPPRESSED


async def test_start_begins_again(house, card, text):
    await text("STOP")
    await text("Start")
    await house.do(hold, card, reason="Wait.", by=KEPT)
    assert (await house.told(card))[-1].status == MessageStatus.QUEUED


async def test_yes_begins_again_only_for_a_number_that_had_stopped(house, card, text, database):
    await text("YES")
    assert len(await ledger(database)) == 1
    await text("STOP")
    await text("YES")
    async with database.reading() as session:
        assert await may_write(session, Channel.SMS, MARTIN.phone, card.id)


async def test_where_twilio_answers_keywords_we_never_do(house, card, text, settings, database):
    told = settings.model_copy(update={"twilio_answers_keywords": True})
    house.relay = Relay(told, database, Jobs(None), Live(None))
    await text("stop texting me please")
    assert len([one for one in await house.messages() if one.kind == MessageKind.CONSENT]) == 1
    for word in ("START", "HELP", "STOP"):
        await text(word)
    assert len([one for one in await house.messages() if one.kind == MessageKind.CONSENT]) == 1


async def test_cancel_stops_the_texts_and_is_put_before_a_person(house, card, text):
    await text("CANCEL")
    seen = await house.see(card)
    assert len(seen.promises) == 1
    assert not seen.is_closed


async def test_cancel_with_several_requests_open_is_put_before_a_person_too(house, card, text):
    second = await house.open("repair", customer=PHONE_ONLY, by=KEPT)
    await text("CANCEL")
    seen = await house.see(second)
    assert [promise.owner_id for promise in seen.promises] == [house.people.ben.id]


async def test_those_who_share_a_phone_stop_together(house, card, text):
    hers = await house.open(customer=MARTHA, by=KEPT)
    await text("STOP")
    await house.do(hold, hers, reason="Wait.", by=KEPT)
    assert (await house.told(hers))[-1].status == MessageStatus.SUPPRESSED


async def test_a_stop_for_one_request_leaves_the_others(house, card, relay, database):
    second = await house.open(customer=PHONE_ONLY, by=KEPT)
    async with relay.turn(THE_CUSTOMER) as turn:
        await withdraw(
            turn, Channel.SMS, MARTIN.phone, ConsentSource.STATUS_PAGE, evidence=card.reference,
            request_id=card.id,
        )  # fmt: skip
    async with database.reading() as session:
        assert not await may_write(session, Channel.SMS, MARTIN.phone, card.id)
        assert await may_write(session, Channel.SMS, MARTIN.phone, second.id)


async def test_start_again_ends_a_stop_for_one_request_too(house, card, relay, database, text):
    async with relay.turn(THE_CUSTOMER) as turn:
        await withdraw(
            turn, Channel.SMS, MARTIN.phone, ConsentSource.STATUS_PAGE, evidence=card.reference,
            request_id=card.id,
        )  # fmt: skip
    await text("START")
    async with database.reading() as session:
        assert await may_write(session, Channel.SMS, MARTIN.phone, card.id)


async def test_an_address_that_nobody_gave_may_not_be_written_to(database, card):
    async with database.reading() as session:
        assert not await may_write(session, Channel.SMS, "+14155550100", card.id)


async def test_only_the_first_text_to_a_number_says_how_to_stop(house, card):
    await house.do(hold, card, reason="Wait.", by=KEPT)
    await house.do(resume, card, by=KEPT)
    said = ["STOP" in one.body for one in await house.told(card)]
    assert said == [True, False, False]


async def test_a_preferred_channel_is_used_from_then_on(house, martins):
    await house.do(set_preferences, martins, prefers=Channel.EMAIL, locale="es", by=THE_CUSTOMER)
    seen = await house.do(hold, martins, reason="Espera.", by=KEPT)
    assert seen.customer.locale == "es"
    first, second = await house.told(martins)
    assert (first.channel, second.channel) == (Channel.SMS, Channel.EMAIL)


async def test_a_wish_told_to_staff_counts_and_names_who_heard_it(house, card, database, text):
    """Said at the counter it is as good as written; the customer's page does not mention it."""
    tess = house.people.tess.actor
    for stop, about, may in (
        (True, "request", False), (False, "request", True), (True, "all", False),
    ):  # fmt: skip
        seen = await house.do(
            record_spoken_wish, card, channel=Channel.SMS, stop=stop, about=about,
            note="on the phone", by=tess,
        )  # fmt: skip
        assert seen.page_version == card.page_version
        async with database.reading() as session:
            assert await may_write(session, Channel.SMS, MARTIN.phone, card.id) == may
            newest, *_ = await lines_about(session, [MARTIN.phone])
        assert (newest.source, newest.granted) == (ConsentSource.STAFF, not stop)
        assert newest.evidence == "said to Tess Sales: on the phone"
    with pytest.raises(Conflict):
        await house.do(
            record_spoken_wish, card, channel=Channel.SMS, stop=False, about="request", by=tess
        )
    with pytest.raises(BadInput):
        await house.do(
            record_spoken_wish, card, channel=Channel.EMAIL, stop=True, about="all", by=tess
        )
