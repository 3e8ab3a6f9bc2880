"""The worker as a process: due messages are sent once. Faults are in tests/faults."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlmodel import select

from portal.database import Database
from portal.demo.fake_providers import FakeProviders
from portal.models import (
    CUSTOMER_ACTOR,
    Attachment,
    Channel,
    DroppedBall,
    Message,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import CustomerDetails, IncomingMedia, receive_text, write_to_customer
from portal.queries.conversations import conversation
from portal.settings import Settings
from tests.support.factories import MARTHA, Organisation
from tests.support.processes import eventually, worker
from tests.support.sample_images import photo
from workers.worker import Worker

pytestmark = pytest.mark.worker

PHONE = "+14155550132"
ON_ITS_WAY = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
"""Whatever the carrier's listing happened to say; no webhook comes, as nobody listens."""


@pytest.fixture
def carrier() -> Iterator[FakeProviders]:
    """A carrier and a mailbox on loopback."""
    with FakeProviders(auth_token="the token of the tests") as simulator:
        yield simulator


@pytest.fixture
def settings(settings: Settings, carrier: FakeProviders, queue: str) -> Settings:
    """Acme Bank's settings with that carrier, a queue, and little patience."""
    return settings.model_copy(
        update={
            "redis_url": queue,
            "twilio_api_url": carrier.api_url,
            "twilio_account_sid": carrier.config.account_sid,
            "twilio_from_number": carrier.config.from_number,
            "sweep_seconds": 0.2,
            "reconcile_seconds": 0.5,
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


async def test_due_message_is_sent_once_with_callback_id(
    settings: Settings, carrier: FakeProviders, card_request: ServiceRequest, database: Database
) -> None:
    """A milestone in the outbox reaches the carrier with its words, and its sid is kept."""
    async with worker(settings):
        message = await reached(database, card_request, MessageStatus.ACCEPTED)
    (text,) = carrier.texts_to(PHONE)
    assert text.body == message.body
    assert message.provider_sid == text.sid
    assert text.status_callback == f"{settings.public_url}/hooks/twilio/status?m={message.id}"
    assert message.attempts == 1


async def test_worker_fetches_a_texted_photo(
    settings: Settings,
    carrier: FakeProviders,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """It is a round of its own beside the rest; what becomes of it: tests/workers/test_fetch_media.py."""
    media = [IncomingMedia(carrier.hold(photo()), "image/jpeg")]
    text = {"sid": "MM1", "sender": PHONE, "to": "+15005550006", "body": ""}
    await organisation.run_unbound(receive_text, by=CUSTOMER_ACTOR, media=media, **text)

    async def look() -> bool:
        async with organisation.database.reading() as session:
            return (await session.exec(select(Attachment))).one().stored_file is not None

    async with worker(settings):
        await eventually(look)


async def test_next_text_to_a_number_waits_for_the_one_in_flight(
    settings: Settings, carrier: FakeProviders, organisation: Organisation, database: Database
) -> None:
    """Texts to one number go one after another, the oldest first."""
    request = await organisation.open(by=organisation.people.tess.actor)
    for words in ("First.", "Second.", "Third."):
        await organisation.run(
            write_to_customer, request, by=organisation.people.tess.actor, body=words
        )
    async with worker(settings):
        await carrier.wait_for(lambda: len(carrier.texts_to(PHONE)) == 4, timeout=30)
    assert [text.body for text in carrier.texts_to(PHONE)][1:] == [
        f"Tess at Acme Bank: {words}" for words in ("First.", "Second.", "Third.")
    ]


async def test_carrier_opt_out_is_recorded_and_not_retried(
    settings: Settings, carrier: FakeProviders, organisation: Organisation, database: Database
) -> None:
    """21610: the stop is ours too from now on; where there is e-mail, the words go that way."""
    carrier.fault("error", code=21610, times=1)
    request = await organisation.open(by=organisation.people.tess.actor)
    async with worker(settings):
        message = await reached(database, request, MessageStatus.FAILED)
    assert message.error_code == "21610"
    await organisation.run(
        write_to_customer, request, by=organisation.people.tess.actor, body="Hello?"
    )
    last = (await organisation.outbound_messages(request))[-1]
    assert last.channel == Channel.EMAIL
    assert carrier.texts_to(PHONE) == ()


async def test_undeliverable_message_becomes_dropped_ball_of_owner(
    settings: Settings, carrier: FakeProviders, organisation: Organisation, database: Database
) -> None:
    """A number that is none, and no e-mail: the request's owner sees it as a dropped ball.

    Nothing more is sent to such a number.
    """
    carrier.fault("error", code=21211, times=1)
    request = await organisation.open(customer=MARTHA, by=organisation.people.tess.actor)
    async with worker(settings):
        await reached(database, request, MessageStatus.FAILED)
    async with database.reading() as session:
        balls = (await session.exec(select(DroppedBall))).all()
    assert [ball.owner_id for ball in balls] == [request.owner_id]
    await organisation.run(
        write_to_customer, request, by=organisation.people.tess.actor, body="Hello?"
    )
    again = (await organisation.outbound_messages(request))[-1]
    assert (again.status, again.to_address) == (MessageStatus.SUPPRESSED, "")


async def test_customer_without_phone_gets_a_two_part_email(
    settings: Settings, carrier: FakeProviders, organisation: Organisation, database: Database
) -> None:
    """The same milestone by e-mail, with the link, and a way to stop."""
    by_mail = CustomerDetails(name="Martin Miller", email="martin@example.com")
    request = await organisation.open(customer=by_mail, by=organisation.people.tess.actor)
    async with worker(settings):
        await reached(database, request, MessageStatus.SENT)
    (mail,) = carrier.mails_to("martin@example.com")
    token = request.links[-1].token
    assert token in (mail.text or "")
    assert token in (mail.html or "")
    assert mail.header("Auto-Submitted") == "auto-generated"
    assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_worker_finishes_its_round_before_exit(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call to the database that is broken off can leave the process hanging: it is waited for."""
    stop_event, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def look() -> None:
        stop_event.set()
        await may_end.wait()
        ended.append("whole")

    async with Worker(settings) as shift:
        monkeypatch.setattr(shift.sweep, "once", look)
        at_work = asyncio.create_task(shift.until(stop_event))
        await stop_event.wait()
        await asyncio.sleep(0)
        may_end.set()
        await at_work
    assert ended == ["whole"]
