"""Sending limits: the rate, the limits of texts, and rejected credentials."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.messaging.send_errors import Refused
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_client import Accepted
from portal.models import (
    CUSTOMER_ACTOR,
    DeliveryReason,
    DroppedBall,
    DroppedBallKind,
    MessageStatus,
    Sender,
    ServiceRequest,
)
from portal.operations import CustomerDetails, Operations, receive_text, write_to_customer
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeSmsGateway, delivered_bodies
from tests.support.processes import eventually
from workers.delivery.deliver import ChannelSender
from workers.delivery.stored_claims import OutgoingMessage

ANN = CustomerDetails("Ann", phone="+14155550140")
NOON = datetime(2025, 6, 3, 16, tzinfo=UTC)


@pytest.fixture
def organisation(clock, organisation: Organisation) -> Organisation:
    """The house at noon in New York."""
    clock.move_to(NOON)
    return organisation


def limit(organisation: Organisation, **limits: float) -> None:
    """Set some of the ceilings."""
    told = organisation.operations.settings.model_copy(update=limits)
    organisation.operations = Operations(
        told, organisation.database, JobQueue(None), LiveUpdates(None)
    )


async def write(organisation: Organisation, request: ServiceRequest, *bodies: str) -> None:
    """Tess writes to Martin."""
    for body in bodies:
        await organisation.run(write_to_customer, request, body, by=organisation.people.tess.actor)


async def balls(organisation: Organisation, kind: DroppedBallKind) -> list[DroppedBall]:
    """What is raised and still open."""
    async with organisation.database.reading() as session:
        query = select(DroppedBall).where(
            DroppedBall.kind == kind, DroppedBall.resolved_at.is_(None)
        )
        return list((await session.exec(query)).all())


async def test_request_over_its_text_limit_becomes_a_dropped_ball_of_its_owner(
    organisation: Organisation,
) -> None:
    """Past its ceiling a request's texts wait for a person, who was told before it was reached."""
    limit(organisation, max_texts_per_request=5)
    card = await organisation.open(by=organisation.people.tess.actor)
    await write(organisation, card, "two", "three")
    await delivered_bodies(organisation.operations, FakeSmsGateway())
    assert await balls(organisation, DroppedBallKind.SENDING_LIMIT) == []
    await write(organisation, card, "four")
    await delivered_bodies(organisation.operations, FakeSmsGateway())
    (ball,) = await balls(organisation, DroppedBallKind.SENDING_LIMIT)
    assert (ball.request_id, ball.owner_id) == (card.id, organisation.people.tess.id)
    assert ball.detail == "4 of the 5 texts for one request are used."
    await write(organisation, card, "five", "six", "seven")
    assert await delivered_bodies(organisation.operations, FakeSmsGateway()) == [
        "Tess at Acme Bank: five"
    ]
    over = (await organisation.outbound_messages(card))[-2:]
    assert [message.status for message in over] == [MessageStatus.REVIEW] * 2
    assert (over[0].reason, over[0].reason_count) == (DeliveryReason.REQUEST_LIMIT, 5)
    assert len(await balls(organisation, DroppedBallKind.SENDING_LIMIT)) == 1


async def test_daily_limit_per_number_holds(clock, organisation: Organisation) -> None:
    """More texts to one number wait until the day is over, and somebody knows."""
    limit(organisation, max_texts_per_number_per_day=2)
    card = await organisation.open(by=organisation.people.tess.actor)
    await write(organisation, card, "two", "three")
    assert len(await delivered_bodies(organisation.operations, FakeSmsGateway())) == 2
    (ball,) = await balls(organisation, DroppedBallKind.SENDING_LIMIT)
    assert "2 texts in a day" in ball.detail
    clock.shift(timedelta(days=1))
    assert await delivered_bodies(organisation.operations, FakeSmsGateway()) == [
        "Tess at Acme Bank: three"
    ]


async def test_stop_confirmation_ignores_limits(organisation: Organisation) -> None:
    """Whoever says STOP learns that it is heard, however many texts they have had."""
    limit(
        organisation,
        max_texts_per_number_per_day=1,
        max_texts_per_request=1,
        max_segments_per_month=1,
    )
    await organisation.open(by=organisation.people.tess.actor)
    await delivered_bodies(organisation.operations, FakeSmsGateway())
    await organisation.run_unbound(
        receive_text, sid="SM1", sender=MARTIN.phone, to="", body="STOP", by=CUSTOMER_ACTOR
    )
    (text,) = await delivered_bodies(organisation.operations, FakeSmsGateway())
    assert "no more texts" in text.lower()


async def test_monthly_segment_limit_holds(clock, organisation: Organisation) -> None:
    """Texts wait when the month is spent; staff heard of it at four fifths; then it goes on."""
    limit(organisation, max_segments_per_month=5)
    card = await organisation.open(by=organisation.people.tess.actor)
    await write(organisation, card, "two", "three")
    await delivered_bodies(organisation.operations, FakeSmsGateway())
    assert await balls(organisation, DroppedBallKind.SENDING_LIMIT) == []
    await write(organisation, card, "four", "five", "six")
    assert await delivered_bodies(organisation.operations, FakeSmsGateway()) == [
        "Tess at Acme Bank: four", "Tess at Acme Bank: five",
    ]  # fmt: skip
    (ball,) = await balls(organisation, DroppedBallKind.SENDING_LIMIT)
    assert ball.detail == "4 of the 5 text parts of June are used."
    assert ball.owner_id == organisation.people.mona.id
    limit(organisation, max_segments_per_month=50)
    clock.shift(timedelta(minutes=11))
    assert await delivered_bodies(organisation.operations, FakeSmsGateway()) == [
        "Tess at Acme Bank: six"
    ]


async def test_rejected_texts_do_not_count(organisation: Organisation) -> None:
    """Only what the carrier took counts in the month."""
    await organisation.open(by=organisation.people.tess.actor)
    await delivered_bodies(organisation.operations, FakeSmsGateway(reject_code=21408))
    async with organisation.database.reading() as session:
        assert (await session.get_one(Sender, FakeSmsGateway.sender)).segments == 0


async def test_rejected_credentials_pause_sending_with_one_alert(
    clock, organisation: Organisation
) -> None:
    """Wrong credentials: one message shows it, the others are not even tried, none is failed."""
    for number in range(3):
        customer = replace(ANN, phone=f"+1415555014{number}")
        await organisation.open(customer=customer, by=organisation.people.tess.actor)
    refusing = FakeSmsGateway(reject_code=20003)
    await delivered_bodies(organisation.operations, refusing)
    await delivered_bodies(organisation.operations, refusing)
    messages = await organisation.messages()
    assert {message.status for message in messages} == {MessageStatus.QUEUED}
    (ball,) = await balls(organisation, DroppedBallKind.SENDING_PAUSED)
    assert "sign-in" in ball.detail
    clock.shift(timedelta(seconds=61))
    await delivered_bodies(organisation.operations, refusing)
    tried = sorted(message.attempts for message in await organisation.messages())
    assert tried == [1, 1, 2], "after the pause one shows whether we are accepted again"
    clock.shift(timedelta(seconds=61))
    assert len(await delivered_bodies(organisation.operations, FakeSmsGateway())) == 3
    assert await balls(organisation, DroppedBallKind.SENDING_PAUSED) == []


@dataclass
class TornPhone(FakeSmsGateway):
    """We are signed out between two texts: the second is refused, the first is accepted late."""

    late: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: OutgoingMessage, check_claim) -> Accepted:
        if message.to_address == MARTIN.phone:
            await self.late.wait()
            return await super().send(message, check_claim)
        raise Refused(20003, twilio_codes.verdict(20003))


async def test_delivery_during_pause_does_not_resume_sender(
    clock, organisation: Organisation
) -> None:
    """A late acceptance is of the time before: the queue rests on, and there is one alert."""
    await organisation.open(by=organisation.people.tess.actor)
    await organisation.open(customer=ANN, by=organisation.people.tess.actor)
    torn = TornPhone()
    courier = ChannelSender(organisation.operations, torn)
    await courier._deliver_batch()

    async def rests() -> bool:
        return bool(await balls(organisation, DroppedBallKind.SENDING_PAUSED))

    await eventually(rests)
    torn.late.set()
    await courier.finish(within=5)
    assert len(torn.sent_bodies) == 1
    assert await delivered_bodies(organisation.operations, FakeSmsGateway()) == []
    assert len(await balls(organisation, DroppedBallKind.SENDING_PAUSED)) == 1


@given(
    rate=st.floats(0.2, 500),
    pauses=st.lists(st.floats(0.001, 3), min_size=1, max_size=60),
    wants=st.integers(1, 100),
)
def test_rate_limit_holds_for_concurrent_callers(
    rate: float, pauses: list[float], wants: int
) -> None:
    """In any stretch of time no more goes than the rate allows and a tenth of a second saved up."""
    us, now, gone = Sender(name="us"), NOON, []
    for pause in pauses:
        count = min(wants, us.available_capacity(now, rate))
        us.use_capacity(now, rate, count)
        gone.append((now, count))
        assert us.next_capacity_at(now, rate) <= now + timedelta(seconds=1 / rate + 0.001)
        now += timedelta(seconds=pause)
    for first, (start, _) in enumerate(gone):
        total = 0
        for moment, count in gone[first:]:
            total += count
            allowed = rate * ((moment - start).total_seconds() + 0.1)
            assert total <= max(1, allowed + 1e-3) + (rate * 0.001) + 1


async def test_rate_limit_is_shared_by_all_workers(clock, organisation: Organisation) -> None:
    """The pace is the sender's, not the worker's: a second courier finds it used up."""
    limit(organisation, provider_rate=0.5)
    for number in range(3):
        customer = replace(ANN, phone=f"+1415555014{number}")
        await organisation.open(customer=customer, by=organisation.people.tess.actor)
    phone = FakeSmsGateway()
    for _ in range(2):
        assert len(await delivered_bodies(organisation.operations, phone)) == 1
    clock.shift(timedelta(seconds=2))
    assert len(await delivered_bodies(organisation.operations, phone)) == 2
