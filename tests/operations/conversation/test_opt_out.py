"""A wish to stop is heeded wherever it is said, confirmed once, and then there is silence."""

import pytest
from sqlmodel import select

from portal.models import (
    KEPT,
    Channel,
    Consent,
    ConsentSource,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
)
from portal.operations import CustomerDetails, hold, write_to_customer
from portal.queries.consent import may_write
from tests.support.factories import MARTIN, House
from tests.support.fake_gateways import Mailbox, Phone, deliver

pytestmark = pytest.mark.either_database

PHONE_ONLY = CustomerDetails(name="Martin Miller", phone=MARTIN.phone)


@pytest.fixture
async def card(house: House):
    return await house.open(customer=PHONE_ONLY, by=KEPT)


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
def arrived(house):
    """What has come on the phone after a pass of the worker over all that is due."""
    phone, mailbox = Phone(), Mailbox()

    async def arrived(way: Phone = phone) -> list[str]:
        way.shows.clear()
        return list(await deliver(house.relay, way))

    arrived.mailbox = mailbox
    return arrived


async def may_text(house, request) -> bool:
    async with house.database.reading() as session:
        return await may_write(session, Channel.SMS, MARTIN.phone, request.id)


async def ledger(house) -> list[Consent]:
    async with house.database.reading() as session:
        return list((await session.exec(select(Consent).order_by(Consent.id))).all())


async def confirmations(house) -> list[Message]:
    return [one for one in await house.messages() if one.kind == MessageKind.CONSENT]


async def test_the_confirmation_of_a_stop_is_the_last_text(house, card, say, arrived):
    """What waited is not sent, a second STOP is not answered, and only HELP and START are."""
    await arrived()
    await house.do(write_to_customer, card, "It waits in the outbox.", by=KEPT)
    await say("STOP")
    (last,) = await arrived()
    assert "no more texts from us" in last
    await say("stop it already!!")
    await house.do(hold, card, reason="Wait.", by=KEPT)
    assert await arrived() == []
    await say("HELP")
    assert ["Texts about your requests" in one for one in await arrived()] == [True]
    await say("START")
    assert ["You will get our texts again" in one for one in await arrived()] == [True]
    await house.do(write_to_customer, card, "Welcome back.", by=KEPT)
    assert len(await arrived()) == 1


async def test_a_stopped_number_is_heard_owned_and_not_texted(house, card, say, arrived, client):
    """The answer stands on their page, and a named person has it with a time."""
    await say("STOP")
    await arrived()
    await say("Can it go to my office?")
    assert await arrived() == []
    seen = await house.see(card)
    assert [promise.owner_id for promise in seen.promises] == [seen.owner_id]
    page = (await client.get(f"/r/{card.live_link.token}")).text
    assert "Can it go to my office?" in page
    assert "has your message and will answer by" in page


async def test_where_mail_is_welcome_the_answer_goes_there(house, say, arrived):
    """A stop of texts is no stop of mail."""
    await house.open(by=KEPT)
    await say("STOP")
    await arrived()
    await say("Can it go to my office?")
    assert await arrived() == []
    mails = await arrived(arrived.mailbox)
    assert ["has your message and will answer by" in one for one in mails] == [True]


async def test_a_stopped_number_with_several_requests_is_not_asked_which(house, card, say, arrived):
    """Its words go to the newest's owner."""
    repair = await house.open("repair", customer=PHONE_ONLY, by=KEPT)
    await say("STOP")
    await arrived()
    await say("It is the blue door")
    assert await arrived() == []
    assert len((await house.see(repair)).promises) == 1


async def test_a_stranger_who_stopped_is_not_answered(house, say, arrived):
    """Somebody looks at it all the same."""
    await say("STOP")
    assert len(await arrived()) == 1
    await say("Hello?")
    assert await arrived() == []
    heard = [one for one in await house.messages() if one.direction == Direction.IN]
    assert [one.body for one in heard] == ["STOP", "Hello?"]


@pytest.mark.parametrize(
    "words",
    ["stop texting me about the card", "no more texts about {reference}", "Stop for {reference}"],
)
async def test_a_stop_that_names_one_request_of_several_mutes_that_one(
    house, card, say, arrived, words
):
    """It is told which, that others go on, and how to stop all; said again it is not repeated."""
    repair = await house.open("repair", customer=PHONE_ONLY, by=KEPT)
    await arrived()
    for _ in range(2):
        await say(words.format(reference=card.reference))
    (told,) = await arrived()
    assert f"No more texts about Credit card ({card.reference})." in told
    assert "STOP ends them all" in told
    assert [await may_text(house, one) for one in (card, repair)] == [False, True]
    await say("START")
    assert await may_text(house, card)


@pytest.mark.parametrize(
    "words", ["stop", "Stop all texts, I only asked about the card", "stop texting about my order"]
)
async def test_a_stop_that_is_not_plainly_about_one_stops_all(house, card, say, words):
    repair = await house.open("repair", customer=PHONE_ONLY, by=KEPT)
    await say(words)
    assert [await may_text(house, one) for one in (card, repair)] == [False, False]


async def test_two_requests_of_the_same_name_are_stopped_together(house, card, say):
    """Which card is meant would be a guess."""
    other = await house.open(customer=PHONE_ONLY, by=KEPT)
    await say("stop texting me about the card")
    assert [await may_text(house, one) for one in (card, other)] == [False, False]


async def test_a_wrong_number_stops_the_texts_and_tells_a_person(house, card, say):
    await say("Wrong number, take me off")
    assert not await may_text(house, card)
    assert len((await house.see(card)).promises) == 1


@pytest.mark.parametrize("words", ["STOP", "ARRET", "please leave me in peace"])
async def test_what_twilio_took_as_a_stop_is_one_and_is_never_answered(house, card, say, words):
    """Advanced Opt-Out has its own words, and has answered them."""
    await say(words, OptOutType="STOP")
    assert not await may_text(house, card)
    assert await confirmations(house) == []
    newest = (await ledger(house))[-1]
    assert newest.evidence == f"{words} (IN1, STOP at Twilio)"


async def test_what_twilio_took_as_start_or_help_is_not_answered(house, card, say):
    await say("stop")
    await say("Encore", OptOutType="START")
    assert await may_text(house, card)
    await say("Aide", OptOutType="HELP")
    assert len(await confirmations(house)) == 1


async def test_a_yes_that_twilio_takes_as_start_is_still_the_answer_to_our_question(
    house, card, say
):
    """From somebody who has our texts it begins nothing."""
    before = len(await ledger(house))
    await say("Yes", OptOutType="START")
    assert len(await ledger(house)) == before
    assert len((await house.see(card)).promises) == 1


async def test_every_line_says_when_how_and_on_what_evidence(house, card, say, client):
    """Given, by text, on the page, by the link of a mail: each names what stands for it."""
    await say("please stop texting me")
    await client.post(f"/r/{card.live_link.token}/preferences", data={"do": "start_texts"})
    given, stopped, begun = await ledger(house)
    assert (given.source, given.evidence) == (ConsentSource.REQUEST, "system: Kept")
    assert (stopped.source, stopped.evidence) == (
        ConsentSource.TEXT,
        "please stop texting me (IN1)",
    )
    assert (begun.source, begun.evidence) == (ConsentSource.STATUS_PAGE, card.reference)
    assert all(line.at for line in (given, stopped, begun))


async def test_stop_written_on_the_page_ends_the_texts_too(house, card, client):
    """A person reads it all the same."""
    path = f"/r/{card.live_link.token}/messages"
    assert (await client.post(path, data={"body": "Please stop texting me"})).status_code == 303
    assert not await may_text(house, card)
    assert len((await house.see(card)).promises) == 1


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
async def test_on_the_page_each_channel_is_stopped_by_itself(house, client, form, texts, mail):
    """A stop of texts is no stop of mail, and of this request none of the others."""
    both = [await house.open(by=KEPT), await house.open("repair", by=KEPT)]
    path = f"/r/{both[0].live_link.token}/preferences"
    assert (await client.post(path, data=form)).status_code == 303

    async def allowed(channel, address):
        async with house.database.reading() as session:
            return [await may_write(session, channel, address, one.id) for one in both]

    assert await allowed(Channel.SMS, MARTIN.phone) == texts
    assert await allowed(Channel.EMAIL, MARTIN.email) == mail
    assert "again" in (await client.get(path)).text
    assert (await client.post(path, data={"do": "start_all"})).status_code == 303
    assert await allowed(Channel.SMS, MARTIN.phone) == [True, True]
    assert await allowed(Channel.EMAIL, MARTIN.email) == [True, True]


async def test_texts_about_this_request_again_is_about_this_request_alone(house, card, client):
    """It lifts neither the silence of another request nor that of the whole number."""
    repair = await house.open("repair", customer=PHONE_ONLY, by=KEPT)
    here, there = (f"/r/{one.live_link.token}/preferences" for one in (card, repair))
    for path in (here, there):
        await client.post(path, data={"do": "stop_this"})
    await client.post(here, data={"do": "start_this"})
    assert [await may_text(house, one) for one in (card, repair)] == [True, False]
    await client.post(there, data={"do": "stop_texts"})
    refused = await client.post(here, data={"do": "start_this"})
    assert refused.status_code == 409
    assert "Everything to this address was stopped" in refused.text
    assert not await may_text(house, card)


async def test_a_text_that_is_already_due_is_looked_at_again_when_it_is_taken(
    house, card, arrived, client
):
    """They press the button while it waits: it stays, with its reason."""
    await client.post(f"/r/{card.live_link.token}/preferences", data={"do": "stop_this"})
    assert await arrived() == []
    (waited,) = await house.told(card)
    assert waited.status == MessageStatus.SUPPRESSED
    assert waited.reason == "They asked us not to write here."
