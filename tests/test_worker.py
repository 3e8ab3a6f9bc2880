"""The worker, as a process of its own: what is owed is sent, once, whatever happens to it."""

import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest
from cast import MARTHA, House
from redis import Redis
from running import eventually, worker
from sqlmodel import select

from portal.database import Database
from portal.models import Channel, DroppedBall, Message, MessageStatus, SendAttempt, ServiceRequest
from portal.queries.conversations import conversation
from portal.relay import CustomerDetails, write_to_customer
from portal.settings import Settings
from portal.simulator import Simulator

pytestmark = pytest.mark.worker

PHONE = "+14155550132"
ON_ITS_WAY = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
"""Whatever the carrier's listing happened to say; no webhook comes, as nobody listens."""


@pytest.fixture
def carrier() -> Iterator[Simulator]:
    """A carrier and a mailbox on loopback."""
    with Simulator(auth_token="the token of the tests") as simulator:
        yield simulator


@pytest.fixture
def settings(settings: Settings, carrier: Simulator, queue: str) -> Settings:
    """Acme Bank's settings with that carrier, a queue, and little patience."""
    return settings.model_copy(
        update={
            "redis_url": queue,
            "twilio_api_url": carrier.api_url,
            "twilio_account_sid": carrier.config.account_sid,
            "twilio_from_number": carrier.config.from_number,
            "sweep_every": 0.2,
            "reconcile_after": 0.5,
            "smtp_url": carrier.smtp_url,
            "mail_from": "Acme Bank <desk@acme.example>",
        }
    )


async def reached(database: Database, request: ServiceRequest, *statuses: MessageStatus) -> Message:
    """The request's first message, as soon as it has one of these statuses."""

    async def look() -> Message | None:
        async with database.reading() as session:
            first = (await conversation(session, request.id or 0))[0]
        return first if first.status in statuses else None

    return await eventually(look)


async def test_what_is_owed_is_sent_once_with_our_id_in_the_callback(
    settings: Settings, carrier: Simulator, martins: ServiceRequest, database: Database
) -> None:
    """A milestone in the outbox reaches the carrier with its words, and its sid is kept."""
    async with worker(settings):
        message = await reached(database, martins, MessageStatus.ACCEPTED)
    (text,) = carrier.texts_to(PHONE)
    assert text.body == message.body
    assert message.provider_sid == text.sid
    assert text.status_callback == f"{settings.public_url}/hooks/twilio/status?m={message.id}"
    assert message.attempts == 1


async def test_the_next_text_to_a_person_waits_for_the_one_under_way(
    settings: Settings, carrier: Simulator, house: House, database: Database
) -> None:
    """Texts to one number go one after another, the oldest first."""
    request = await house.open(by=house.people.tess.actor)
    for words in ("First.", "Second.", "Third."):
        await house.do(write_to_customer, request, by=house.people.tess.actor, body=words)
    async with worker(settings):
        await carrier.wait_for(lambda: len(carrier.texts_to(PHONE)) == 4)
    assert [text.body for text in carrier.texts_to(PHONE)][1:] == ["First.", "Second.", "Third."]


async def test_too_many_requests_is_retried_to_one_send(
    settings: Settings,
    carrier: Simulator,
    martins: ServiceRequest,
    database: Database,
) -> None:
    """429 was never processed: it is tried again, a little later each time."""
    carrier.fault("status_429", times=2)
    async with worker(settings):
        await reached(database, martins, MessageStatus.ACCEPTED)
    assert len(carrier.texts_to(PHONE)) == 1


@pytest.mark.parametrize("fault", ["refuse_after_accept", "truncate_201"])
async def test_an_unknown_outcome_is_found_in_the_listing_and_not_sent_again(
    fault: str,
    settings: Settings,
    carrier: Simulator,
    martins: ServiceRequest,
    database: Database,
) -> None:
    """The carrier took it and we did not hear: the listing says so, and one text is all."""
    carrier.fault(fault, times=1)
    async with worker(settings):
        message = await reached(database, martins, *ON_ITS_WAY)
    (text,) = carrier.texts_to(PHONE)
    assert message.provider_sid == text.sid
    assert not message.possible_duplicate


@pytest.mark.parametrize("fault", ["status_500", "drop_connection_before"])
async def test_a_milestone_that_nobody_took_goes_once_more_with_a_mark(
    fault: str,
    settings: Settings,
    carrier: Simulator,
    martins: ServiceRequest,
    database: Database,
) -> None:
    """Either may hide an acceptance; after two looks in vain it goes again, and staff see why."""
    carrier.fault(fault, times=1)
    async with worker(settings):
        message = await reached(database, martins, MessageStatus.ACCEPTED)
    assert len(carrier.texts_to(PHONE)) == 1
    assert message.possible_duplicate
    assert message.attempts == 2


async def test_an_opted_out_number_is_recorded_and_never_tried_again(
    settings: Settings, carrier: Simulator, house: House, database: Database
) -> None:
    """21610: the stop is ours too from now on; where there is e-mail, the words go that way."""
    carrier.fault("error", code=21610, times=1)
    request = await house.open(by=house.people.tess.actor)
    async with worker(settings):
        message = await reached(database, request, MessageStatus.FAILED)
    assert message.error_code == "21610"
    await house.do(write_to_customer, request, by=house.people.tess.actor, body="Hello?")
    last = (await house.told(request))[-1]
    assert last.channel == Channel.EMAIL
    assert carrier.texts_to(PHONE) == ()


async def test_what_gets_through_nowhere_is_put_before_the_owner(
    settings: Settings, carrier: Simulator, house: House, database: Database
) -> None:
    """A number that is none, and no e-mail: the request's owner sees it as a dropped ball.

    Nothing more is sent to such a number.
    """
    carrier.fault("error", code=21211, times=1)
    request = await house.open(customer=MARTHA, by=house.people.tess.actor)
    async with worker(settings):
        await reached(database, request, MessageStatus.FAILED)
    async with database.reading() as session:
        balls = (await session.exec(select(DroppedBall))).all()
    assert [ball.owner_id for ball in balls] == [request.owner_id]
    await house.do(write_to_customer, request, by=house.people.tess.actor, body="Hello?")
    again = (await house.told(request))[-1]
    assert (again.status, again.to_address) == (MessageStatus.SUPPRESSED, "")


async def test_wrong_credentials_fail_nothing_for_good(
    settings: Settings, carrier: Simulator, martins: ServiceRequest, database: Database
) -> None:
    """20003: the message stays in the outbox, with the reason for staff to read."""
    carrier.fault("error", code=20003, times=1)

    async def attempted() -> Message | None:
        async with database.reading() as session:
            first = (await conversation(session, martins.id or 0))[0]
        return first if first.error_code else None

    async with worker(settings):
        message = await eventually(attempted)
    assert message.status == MessageStatus.QUEUED
    assert message.error_code == "20003"


async def test_killed_while_sending_it_is_found_again_and_not_repeated(
    settings: Settings, carrier: Simulator, martins: ServiceRequest, database: Database
) -> None:
    """Kill -9 after the acceptance and before the answer: the next worker recovers the sid."""
    carrier.fault("hang", seconds=8, times=1)
    async with worker(settings) as first:
        await carrier.wait_for(lambda: carrier.texts_to(PHONE))
        await first.killed()
    await _age_claims(database)
    async with worker(settings):
        message = await reached(database, martins, *ON_ITS_WAY)
    (text,) = carrier.texts_to(PHONE)
    assert message.provider_sid == text.sid


async def test_told_to_stop_it_finishes_what_is_under_way(
    settings: Settings, carrier: Simulator, martins: ServiceRequest, database: Database
) -> None:
    """SIGTERM in the middle of a send: the send ends, and its outcome is written down."""
    carrier.fault("hang", seconds=1, times=1)
    async with worker(settings) as process:
        await carrier.wait_for(lambda: carrier.texts_to(PHONE))
        assert await process.told(signal.SIGTERM) == 0
    async with database.reading() as session:
        attempts = (await session.exec(select(SendAttempt))).all()
    assert [bool(attempt.finished_at) for attempt in attempts] == [True]
    message = await reached(database, martins, MessageStatus.ACCEPTED)
    assert message.provider_sid


async def test_a_flushed_queue_loses_nothing(
    settings: Settings, carrier: Simulator, house: House, queue: str
) -> None:
    """Redis only wakes: what it forgot, the sweep finds."""
    async with worker(settings) as process:
        await process.said("at work")
        await house.open(by=house.people.tess.actor)
        with Redis.from_url(queue) as client:
            client.flushall()
        await carrier.wait_for(lambda: carrier.texts_to(PHONE))
    assert len(carrier.texts_to(PHONE)) == 1


async def test_a_customer_without_a_phone_gets_mail_in_two_parts(
    settings: Settings, carrier: Simulator, house: House, database: Database
) -> None:
    """The same milestone by e-mail, with the link, and a way to stop."""
    by_mail = CustomerDetails(name="Martin Miller", email="martin@example.com")
    request = await house.open(customer=by_mail, by=house.people.tess.actor)
    async with worker(settings):
        await reached(database, request, MessageStatus.SENT)
    (mail,) = carrier.mails_to("martin@example.com")
    token = request.links[-1].token
    assert token in (mail.text or "")
    assert token in (mail.html or "")
    assert mail.header("Auto-Submitted") == "auto-generated"
    assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"


async def _age_claims(database: Database) -> None:
    """Let a minute pass for what was claimed, as the clock on the wall would."""
    async with database.transaction() as session:
        for message in (await session.exec(select(Message))).all():
            if message.claimed_at is not None:
                message.claimed_at -= timedelta(seconds=31)
