"""Limits: our own pace, the ceilings on texts, and a provider that does not accept us."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from portal.jobs import Jobs
from portal.live import Live
from portal.messaging.send_errors import Refused
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_client import Accepted
from portal.models import (
    THE_CUSTOMER,
    BallKind,
    DroppedBall,
    MessageStatus,
    Sender,
    ServiceRequest,
)
from portal.operations import CustomerDetails, Relay, receive_text, write_to_customer
from tests.support.factories import MARTIN, House
from tests.support.fake_gateways import Phone, deliver
from tests.support.processes import eventually
from workers.delivery.claim import Claimed
from workers.delivery.deliver import Courier

ANN = CustomerDetails("Ann", phone="+14155550140")
NOON = datetime(2025, 6, 3, 16, tzinfo=UTC)


@pytest.fixture
def house(clock, house: House) -> House:
    """The house at noon in New York."""
    clock.move_to(NOON)
    return house


def limit(house: House, **limits: float) -> None:
    """Set some of the ceilings."""
    told = house.relay.settings.model_copy(update=limits)
    house.relay = Relay(told, house.database, Jobs(None), Live(None))


async def write(house: House, request: ServiceRequest, *bodies: str) -> None:
    """Tess writes to Martin."""
    for body in bodies:
        await house.do(write_to_customer, request, body, by=house.people.tess.actor)


async def balls(house: House, kind: BallKind) -> list[DroppedBall]:
    """What is raised and still open."""
    async with house.database.reading() as session:
        query = select(DroppedBall).where(
            DroppedBall.kind == kind, DroppedBall.resolved_at.is_(None)
        )
        return list((await session.exec(query)).all())


async def test_a_request_that_runs_away_is_put_before_its_owner(house: House) -> None:
    """Past its ceiling a request's texts wait for a person, who was told before it was reached."""
    limit(house, texts_a_request=5)
    card = await house.open(by=house.people.tess.actor)
    await write(house, card, "two", "three")
    await deliver(house.relay, Phone())
    assert await balls(house, BallKind.CEILING) == []
    await write(house, card, "four")
    await deliver(house.relay, Phone())
    (ball,) = await balls(house, BallKind.CEILING)
    assert (ball.request_id, ball.owner_id) == (card.id, house.people.tess.id)
    assert ball.detail == "4 of the 5 texts for one request are used."
    await write(house, card, "five", "six", "seven")
    assert await deliver(house.relay, Phone()) == ["five"]
    over = (await house.told(card))[-2:]
    assert [one.status for one in over] == [MessageStatus.REVIEW] * 2
    assert "Please look why" in over[0].reason
    assert len(await balls(house, BallKind.CEILING)) == 1


async def test_no_number_gets_more_than_its_day_allows(clock, house: House) -> None:
    """More texts to one number wait until the day is over, and somebody knows."""
    limit(house, texts_a_number=2)
    card = await house.open(by=house.people.tess.actor)
    await write(house, card, "two", "three")
    assert len(await deliver(house.relay, Phone())) == 2
    (ball,) = await balls(house, BallKind.CEILING)
    assert "2 texts in a day" in ball.detail
    clock.shift(timedelta(days=1))
    assert await deliver(house.relay, Phone()) == ["three"]


async def test_a_stop_is_confirmed_above_every_ceiling(house: House) -> None:
    """Whoever says STOP learns that it is heard, however many texts they have had."""
    limit(house, texts_a_number=1, texts_a_request=1, parts_a_month=1)
    await house.open(by=house.people.tess.actor)
    await deliver(house.relay, Phone())
    await house.hear(
        receive_text, sid="SM1", sender=MARTIN.phone, to="", body="STOP", by=THE_CUSTOMER
    )
    (text,) = await deliver(house.relay, Phone())
    assert "no more texts" in text.lower()


async def test_a_month_costs_no_more_than_its_ceiling(clock, house: House) -> None:
    """Texts wait when the month is spent; staff heard of it at four fifths; then it goes on."""
    limit(house, parts_a_month=5)
    card = await house.open(by=house.people.tess.actor)
    await write(house, card, "two", "three")
    await deliver(house.relay, Phone())
    assert await balls(house, BallKind.CEILING) == []
    await write(house, card, "four", "five", "six")
    assert await deliver(house.relay, Phone()) == ["four", "five"]
    (ball,) = await balls(house, BallKind.CEILING)
    assert ball.detail == "4 of the 5 text parts of June are used."
    assert ball.owner_id == house.people.mona.id
    limit(house, parts_a_month=50)
    clock.shift(timedelta(minutes=11))
    assert await deliver(house.relay, Phone()) == ["six"]


async def test_what_was_refused_costs_nothing(house: House) -> None:
    """Only what the carrier took counts in the month."""
    await house.open(by=house.people.tess.actor)
    await deliver(house.relay, Phone(refuses=21408))
    async with house.database.reading() as session:
        assert (await session.get_one(Sender, Phone.sender)).parts == 0


async def test_while_we_are_not_accepted_everything_waits_and_one_alert_says_so(
    clock, house: House
) -> None:
    """Wrong credentials: one message shows it, the others are not even tried, none is failed."""
    for number in range(3):
        customer = replace(ANN, phone=f"+1415555014{number}")
        await house.open(customer=customer, by=house.people.tess.actor)
    refusing = Phone(refuses=20003)
    await deliver(house.relay, refusing)
    await deliver(house.relay, refusing)
    messages = await house.messages()
    assert {message.status for message in messages} == {MessageStatus.QUEUED}
    (ball,) = await balls(house, BallKind.SENDING_PAUSED)
    assert "sign-in" in ball.detail
    clock.shift(timedelta(seconds=61))
    await deliver(house.relay, refusing)
    tried = sorted(message.attempts for message in await house.messages())
    assert tried == [1, 1, 2], "after the pause one shows whether we are accepted again"
    clock.shift(timedelta(seconds=61))
    assert len(await deliver(house.relay, Phone())) == 3
    assert await balls(house, BallKind.SENDING_PAUSED) == []


@dataclass
class TornPhone(Phone):
    """We are signed out between two texts: the second is refused, the first is accepted late."""

    late: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Claimed, still_ours) -> Accepted:
        if message.to_address == MARTIN.phone:
            await self.late.wait()
            return await super().send(message, still_ours)
        raise Refused(20003, twilio_codes.verdict(20003))


async def test_what_was_on_its_way_when_the_rest_began_does_not_end_it(clock, house: House) -> None:
    """A late acceptance is of the time before: the queue rests on, and there is one alert."""
    await house.open(by=house.people.tess.actor)
    await house.open(customer=ANN, by=house.people.tess.actor)
    torn = TornPhone()
    courier = Courier(house.relay, torn)
    await courier._deliver_batch()

    async def rests() -> bool:
        return bool(await balls(house, BallKind.SENDING_PAUSED))

    await eventually(rests)
    torn.late.set()
    await courier.finish(within=5)
    assert len(torn.shows) == 1
    assert await deliver(house.relay, Phone()) == []
    assert len(await balls(house, BallKind.SENDING_PAUSED)) == 1


@given(
    rate=st.floats(0.2, 500),
    pauses=st.lists(st.floats(0.001, 3), min_size=1, max_size=60),
    wants=st.integers(1, 100),
)
def test_the_pace_is_kept_however_often_and_by_how_many_it_is_asked(
    rate: float, pauses: list[float], wants: int
) -> None:
    """In any stretch of time no more goes than the rate allows and a tenth of a second saved up."""
    us, now, gone = Sender(name="us"), NOON, []
    for pause in pauses:
        count = min(wants, us.room(now, rate))
        us.pace(now, rate, count)
        gone.append((now, count))
        assert us.free_at(now, rate) <= now + timedelta(seconds=1 / rate + 0.001)
        now += timedelta(seconds=pause)
    for first, (start, _) in enumerate(gone):
        total = 0
        for moment, count in gone[first:]:
            total += count
            allowed = rate * ((moment - start).total_seconds() + 0.1)
            assert total <= max(1, allowed + 1e-3) + (rate * 0.001) + 1


async def test_all_workers_together_keep_to_the_pace(clock, house: House) -> None:
    """The pace is the sender's, not the worker's: a second courier finds it used up."""
    limit(house, provider_rate=0.5)
    for number in range(3):
        customer = replace(ANN, phone=f"+1415555014{number}")
        await house.open(customer=customer, by=house.people.tess.actor)
    phone = Phone()
    for _ in range(2):
        assert len(await deliver(house.relay, phone)) == 1
    clock.shift(timedelta(seconds=2))
    assert len(await deliver(house.relay, phone)) == 2
