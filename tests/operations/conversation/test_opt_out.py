"""An opt-out is obeyed in every channel and confirmed once."""

import pytest
from sqlmodel import select

from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Consent,
    ConsentSource,
    DeliveryReason,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
)
from portal.operations import CustomerDetails, hold, write_to_customer
from portal.queries.consent import may_write
from tests.support.customer_device import verify_device
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeEmailGateway, FakeSmsGateway, delivered_bodies

pytestmark = pytest.mark.either_database

PHONE_ONLY = CustomerDetails(name="Martin Miller", phone=MARTIN.phone)


@pytest.fixture
async def card(organisation: Organisation):
    return await organisation.open(customer=PHONE_ONLY, by=SYSTEM_ACTOR)


@pytest.fixture
def say(twilio):
    """The customer's phone: each text has an id of its own."""
    said = 0

    async def say(body: str, **more: str) -> None:
        nonlocal said
        said += 1
        assert await twilio.text(body, sid=f"IN{said}", **more) == 200

    return say


@pytest.fixture
def arrived(organisation):
    """What has come on the phone after a pass of the worker over all that is due."""
    phone, mailbox = FakeSmsGateway(), FakeEmailGateway()

    async def arrived(way: FakeSmsGateway = phone) -> list[str]:
        way.sent_bodies.clear()
        return list(await delivered_bodies(organisation.operations, way))

    arrived.mailbox = mailbox
    return arrived


async def may_text(organisation, request) -> bool:
    async with organisation.database.reading() as session:
        return await may_write(session, Channel.SMS, MARTIN.phone, request.id)


async def ledger(organisation) -> list[Consent]:
    async with organisation.database.reading() as session:
        return list((await session.exec(select(Consent).order_by(Consent.id))).all())


async def confirmations(organisation) -> list[Message]:
    return [
        message for message in await organisation.messages() if message.kind == MessageKind.CONSENT
    ]


async def test_stop_confirmation_is_the_last_text(organisation, card, say, arrived):
    """What waited is not sent, a second STOP is not answered, and only HELP and START are."""
    await arrived()
    await organisation.run(write_to_customer, card, "It waits in the outbox.", by=SYSTEM_ACTOR)
    await say("STOP")
    (last,) = await arrived()
    assert "no more texts from us" in last
    await say("stop it already!!")
    await organisation.run(hold, card, reason="Wait.", by=SYSTEM_ACTOR)
    assert await arrived() == []
    await say("HELP")
    assert ["Your requests with us" in text for text in await arrived()] == [True]
    await say("START")
    assert ["You will get our texts again" in text for text in await arrived()] == [True]
    await organisation.run(write_to_customer, card, "Welcome back.", by=SYSTEM_ACTOR)
    assert len(await arrived()) == 1


async def test_inbound_from_opted_out_number_is_assigned_and_not_answered(
    organisation, card, say, arrived, client
):
    """The answer stands on their page, and a named person has it with a time."""
    await say("STOP")
    await arrived()
    await say("Can it go to my office?")
    assert await arrived() == []
    seen = await organisation.reload(card)
    assert [promise.owner_id for promise in seen.promises] == [seen.owner_id]
    page = (await client.get(f"/r/{card.live_link.token}")).text
    assert "Can it go to my office?" in page
    assert "will answer you by" in page


async def test_reply_goes_by_email_when_sms_is_opted_out(organisation, say, arrived):
    """A stop of texts is no stop of mail."""
    await organisation.open(by=SYSTEM_ACTOR)
    await say("STOP")
    await arrived()
    await say("Can it go to my office?")
    assert await arrived() == []
    mails = await arrived(arrived.mailbox)
    assert ["Tess at Telesales will answer you by" in mail for mail in mails] == [True]


async def test_opted_out_number_with_several_requests_is_not_asked_which(
    organisation, card, say, arrived
):
    """Its words go to the newest's owner."""
    repair = await organisation.open("repair", customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    await say("STOP")
    await arrived()
    await say("It is the blue door")
    assert await arrived() == []
    assert len((await organisation.reload(repair)).promises) == 1


async def test_opted_out_unknown_sender_is_not_answered(organisation, say, arrived):
    """Somebody looks at it all the same."""
    await say("STOP")
    assert len(await arrived()) == 1
    await say("Hello?")
    assert await arrived() == []
    heard = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    assert [message.body for message in heard] == ["STOP", "Hello?"]


@pytest.mark.parametrize(
    "words",
    ["stop texting me about the card", "no more texts about {reference}", "Stop for {reference}"],
)
async def test_stop_naming_one_request_mutes_it_only(organisation, card, say, arrived, words):
    """It is told which, that others go on, and how to stop all; said again it is not repeated."""
    repair = await organisation.open("repair", customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    await arrived()
    for _ in range(2):
        await say(words.format(reference=card.reference))
    (told,) = await arrived()
    assert f"No more texts about Credit card ({card.reference})." in told
    assert "STOP ends them all" in told
    assert [await may_text(organisation, request) for request in (card, repair)] == [False, True]
    await say("START")
    assert await may_text(organisation, card)


@pytest.mark.parametrize(
    "words", ["stop", "Stop all texts, I only asked about the card", "stop texting about my order"]
)
async def test_unspecific_stop_mutes_all(organisation, card, say, words):
    repair = await organisation.open("repair", customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    await say(words)
    assert [await may_text(organisation, request) for request in (card, repair)] == [False, False]


async def test_stop_naming_two_requests_of_one_title_mutes_both(organisation, card, say):
    """Which card is meant would be a guess."""
    other = await organisation.open(customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    await say("stop texting me about the card")
    assert [await may_text(organisation, request) for request in (card, other)] == [False, False]


async def test_wrong_number_stops_texts_and_goes_to_staff(organisation, card, say):
    await say("Wrong number, take me off")
    assert not await may_text(organisation, card)
    assert len((await organisation.reload(card)).promises) == 1


@pytest.mark.parametrize("words", ["STOP", "ARRET", "please leave me in peace"])
async def test_stop_by_twilios_opt_out_type_is_obeyed_and_not_answered(
    organisation, card, say, words
):
    """Advanced Opt-Out has its own words, and has answered them."""
    await say(words, OptOutType="STOP")
    assert not await may_text(organisation, card)
    assert await confirmations(organisation) == []
    newest = (await ledger(organisation))[-1]
    assert newest.evidence == f"{words} (IN1, STOP at Twilio)"


async def test_start_or_help_by_twilios_opt_out_type_is_not_answered(organisation, card, say):
    await say("stop")
    await say("Encore", OptOutType="START")
    assert await may_text(organisation, card)
    await say("Aide", OptOutType="HELP")
    assert len(await confirmations(organisation)) == 1


async def test_yes_with_opt_out_type_start_answers_the_open_question(organisation, card, say):
    """From somebody who has our texts it begins nothing."""
    before = len(await ledger(organisation))
    await say("Yes", OptOutType="START")
    assert len(await ledger(organisation)) == before
    assert len((await organisation.reload(card)).promises) == 1


async def test_consent_ledger_records_time_channel_and_evidence(organisation, card, say, client):
    """Given, by text, on the page, by the link of a mail: each names what stands for it."""
    await say("please stop texting me")
    await verify_device(client, organisation, card)
    await client.post(f"/r/{card.live_link.token}/preferences", data={"do": "start_texts"})
    given, stopped, begun = await ledger(organisation)
    assert (given.source, given.evidence) == (ConsentSource.REQUEST, "system: Kept")
    assert (stopped.source, stopped.evidence) == (
        ConsentSource.TEXT,
        "please stop texting me (IN1)",
    )
    assert (begun.source, begun.evidence) == (ConsentSource.STATUS_PAGE, card.reference)
    assert all(line.at for line in (given, stopped, begun))


async def test_stop_in_a_page_message_stops_texts(organisation, card, client):
    """A person reads it all the same."""
    path = f"/r/{card.live_link.token}/messages"
    assert (await client.post(path, data={"body": "Please stop texting me"})).status_code == 303
    assert not await may_text(organisation, card)
    assert len((await organisation.reload(card)).promises) == 1


@pytest.mark.parametrize(
    ("form", "texts", "mail"),
    [
        ({"do": "stop_this"}, [False, True], [True, True]),
        ({"do": "stop_texts"}, [False, False], [True, True]),
        ({"do": "stop_this_mail"}, [True, True], [False, True]),
        ({"do": "stop_mail"}, [True, True], [False, False]),
        ({"do": "stop_all"}, [False, False], [False, False]),
        ({"stop": "request"}, [False, True], [True, True]),
        ({"stop": "all"}, [False, False], [False, False]),
    ],
)
async def test_page_stops_each_channel_separately(organisation, client, form, texts, mail):
    """A stop of texts is no stop of mail, and of this request none of the others."""
    both = [
        await organisation.open(by=SYSTEM_ACTOR),
        await organisation.open("repair", by=SYSTEM_ACTOR),
    ]
    path = f"/r/{both[0].live_link.token}/preferences"
    await verify_device(client, organisation, both[0])
    assert (await client.post(path, data=form)).status_code == 303

    async def allowed(channel, address):
        async with organisation.database.reading() as session:
            return [await may_write(session, channel, address, request.id) for request in both]

    assert await allowed(Channel.SMS, MARTIN.phone) == texts
    assert await allowed(Channel.EMAIL, MARTIN.email) == mail
    assert "again" in (await client.get(path)).text
    assert (await client.post(path, data={"do": "start_all"})).status_code == 303
    assert await allowed(Channel.SMS, MARTIN.phone) == [True, True]
    assert await allowed(Channel.EMAIL, MARTIN.email) == mail  # The code went to the phone.


async def test_resuming_texts_on_the_page_applies_to_one_request(organisation, card, client):
    """It lifts neither the silence of another request nor that of the whole number."""
    repair = await organisation.open("repair", customer=PHONE_ONLY, by=SYSTEM_ACTOR)
    here, there = (f"/r/{request.live_link.token}/preferences" for request in (card, repair))
    for path in (here, there):
        await client.post(path, data={"do": "stop_this"})
    await verify_device(client, organisation, card)
    await client.post(here, data={"do": "start_this"})
    assert [await may_text(organisation, request) for request in (card, repair)] == [True, False]
    await client.post(there, data={"do": "stop_texts"})
    refused = await client.post(here, data={"do": "start_this"})
    assert refused.status_code == 409
    assert "Everything to this address was stopped" in refused.text
    assert not await may_text(organisation, card)


async def test_queued_text_is_rechecked_when_claimed(organisation, card, arrived, client):
    """They press the button while it waits: it stays, with its reason."""
    await client.post(f"/r/{card.live_link.token}/preferences", data={"do": "stop_this"})
    assert await arrived() == []
    (waited,) = await organisation.outbound_messages(card)
    assert waited.status == MessageStatus.SUPPRESSED
    assert waited.reason == DeliveryReason.CONSENT_WITHDRAWN
