"""What follows from a receipt: another try, another way, another address, or a person."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select

from portal.database import Database
from portal.demo.fake_providers import Simulator
from portal.messaging.sms.twilio_client import SmsGateway
from portal.models import (
    BallKind,
    Channel,
    Consent,
    DroppedBall,
    Message,
    MessageStatus,
    ServiceRequest,
)
from tests.support.factories import MARTIN, House
from tests.support.fake_gateways import Phone, deliver, hand_over
from tests.support.twilio_client import Twilio
from workers.delivery.gateways import Doors, TextDoor
from workers.poll_receipts import Inquirer


async def sent(house: House, request: ServiceRequest) -> Message:
    """The newest message to the customer, handed to the carrier."""
    await deliver(house.relay, Phone())
    return (await house.told(request))[-1]


async def test_a_phone_that_was_off_is_tried_once_later(
    twilio: Twilio, clock, house: House, martins: ServiceRequest
) -> None:
    """30003: the same words go once more as a text of their own; the first keeps its end."""
    first = await sent(house, martins)
    for _ in range(2):
        await twilio.receipt(first, "undelivered", first.provider_sid, ErrorCode="30003")
    first, second = await house.told(martins)
    assert (first.status, second.status) == (MessageStatus.UNDELIVERED, MessageStatus.QUEUED)
    assert (second.channel, second.body) == (Channel.SMS, first.body)
    assert await deliver(house.relay, Phone()) == []
    clock.shift(timedelta(minutes=11))
    second = await sent(house, martins)
    await twilio.receipt(first, "sent", first.provider_sid)
    await twilio.receipt(second, "undelivered", second.provider_sid, ErrorCode="30003")
    first, second, mail = await house.told(martins)
    assert (first.status, second.status) == (MessageStatus.UNDELIVERED,) * 2
    assert mail.channel == Channel.EMAIL


@pytest.mark.parametrize("code", ["30006", "30007", "30034", "99999", ""])
async def test_what_another_try_cannot_help_goes_by_mail(
    code: str, twilio: Twilio, house: House, martins: ServiceRequest
) -> None:
    """A landline, filtered words, a number not registered, a code that we do not know."""
    first = await sent(house, martins)
    await twilio.receipt(first, "undelivered", first.provider_sid, ErrorCode=code)
    first, mail = await house.told(martins)
    assert first.status == MessageStatus.UNDELIVERED
    assert first.reason
    assert mail.channel == Channel.EMAIL


async def test_a_number_that_is_no_more_is_not_used_again(
    twilio: Twilio, house: House, martins: ServiceRequest
) -> None:
    """30005: the next words find the mail address by themselves."""
    first = await sent(house, martins)
    await twilio.receipt(first, "undelivered", first.provider_sid, ErrorCode="30005")
    request = await house.see(martins)
    assert request.customer.address(Channel.SMS, first.created_at + timedelta(days=1)) is None


async def test_an_opt_out_that_only_the_receipt_tells_is_recorded(
    twilio: Twilio, house: House, martins: ServiceRequest, database: Database
) -> None:
    """21610 by callback withdraws the consent as it does at once."""
    first = await sent(house, martins)
    await twilio.receipt(first, "failed", first.provider_sid, ErrorCode="21610")
    async with database.reading() as session:
        lines = (await session.exec(select(Consent).where(Consent.address == MARTIN.phone))).all()
    assert [line.granted for line in lines] == [True, False]
    assert "21610" in lines[-1].evidence


async def test_a_late_receipt_settles_what_a_person_was_asked_about(
    twilio: Twilio, house: House, martins: ServiceRequest, database: Database
) -> None:
    """The facts close it, not a click."""
    message = await sent(house, martins)
    async with database.transaction() as session:
        held = await session.get_one(Message, message.id)
        held.status, held.provider_sid = MessageStatus.REVIEW, None
        session.add(
            DroppedBall(
                kind=BallKind.OUTCOME_UNKNOWN,
                subject=f"message:{message.id}",
                request_id=martins.id,
                slipped_at=message.created_at,
                raised_at=message.created_at,
            )
        )
    await twilio.receipt(message, "sent", "SMlate")
    async with database.reading() as session:
        (ball,) = (await session.exec(select(DroppedBall))).all()
    assert ball.resolved_at is not None


async def test_of_two_sids_the_second_is_raised_also_where_a_mark_was_set(
    twilio: Twilio, house: House, martins: ServiceRequest, database: Database
) -> None:
    """Sent once more on purpose, and then both turn out to have gone: the customer has it twice."""
    message = await sent(house, martins)
    async with database.transaction() as session:
        (await session.get_one(Message, message.id)).possible_duplicate = True
    for _ in range(2):
        await twilio.receipt(message, "sent", "SMother")
    async with database.reading() as session:
        (ball,) = (await session.exec(select(DroppedBall))).all()
    assert ball.kind == BallKind.SENT_TWICE


class Asked:
    """A carrier that can be asked, on loopback."""

    def __init__(self, house: House, simulator: Simulator) -> None:
        config = simulator.config
        gateway = SmsGateway(
            config.account_sid, config.auth_token, config.from_number, api_url=simulator.api_url
        )
        self.simulator = simulator
        self.doors = Doors(TextDoor(gateway, house.relay.settings.public_url), None)
        self.inquirer = Inquirer(house.relay, self.doors)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A carrier whose callbacks nobody hears."""
    with Simulator(auth_token="the token of the tests") as simulator:
        yield simulator


@pytest.fixture
async def asked(house: House, simulator: Simulator):
    """What may be asked, and whom."""
    asked = Asked(house, simulator)
    yield asked
    await asked.doors.close()


async def handed_over(
    house: House, asked: Asked, request: ServiceRequest, ends: str = "delivered"
) -> Message:
    """A text that the carrier really has, and with which it is done."""
    await hand_over(house.relay, asked.doors.texts)
    await asked.simulator.wait_for(
        lambda: [t for t in asked.simulator.texts_to(MARTIN.phone) if t.status == ends]
    )
    return (await house.told(request))[-1]


async def test_a_receipt_that_never_came_is_asked_for(
    clock, house: House, martins: ServiceRequest, asked: Asked
) -> None:
    """After a quarter of an hour the carrier is asked, and its word counts."""
    message = await handed_over(house, asked, martins)
    await asked.inquirer.once()
    assert (await house.told(martins))[0].status == message.status
    clock.shift(timedelta(minutes=16))
    await asked.inquirer.once()
    (message,) = await house.told(martins)
    assert (message.status, message.ask_at) == (MessageStatus.DELIVERED, None)


async def test_what_the_carrier_never_learns_is_asked_ever_more_rarely_and_then_left(
    clock, house: House, martins: ServiceRequest, asked: Asked
) -> None:
    """For three days; from then on it stands as no receipt, and still as sent."""
    asked.simulator.fault("no_receipt")
    await handed_over(house, asked, martins, ends="sent")
    asked_at = []
    while (next_time := (await house.told(martins))[0].ask_at) is not None:
        clock.move_to(next_time)
        asked_at.append(next_time)
        await asked.inquirer.once()
    (message,) = await house.told(martins)
    assert message.status == MessageStatus.SENT
    assert message.has_no_receipt(message.sent_at + timedelta(days=3))
    assert not message.has_no_receipt(message.sent_at + timedelta(days=2, hours=23))
    assert len(asked_at) < 12
    assert asked_at[-1] == message.sent_at + timedelta(days=3)


async def test_of_two_last_words_the_carrier_is_asked_which_is_true(
    twilio: Twilio, house: House, martins: ServiceRequest, asked: Asked
) -> None:
    """Delivered, says one receipt, and failed, another: neither takes the other back by itself."""
    message = await handed_over(house, asked, martins)
    await twilio.receipt(message, "undelivered", message.provider_sid, ErrorCode="30005")
    await twilio.receipt(message, "delivered", message.provider_sid)
    assert (await house.told(martins))[0].status == MessageStatus.UNDELIVERED
    await asked.inquirer.once()
    (message, *_) = await house.told(martins)
    assert (message.status, message.error_code) == (MessageStatus.DELIVERED, None)
    assert message.delivered_at is not None


async def test_a_carrier_that_does_not_answer_is_asked_again(
    clock, house: House, martins: ServiceRequest, asked: Asked
) -> None:
    """An inquiry that fails changes nothing but the time of the next."""
    await handed_over(house, asked, martins)
    clock.shift(timedelta(minutes=16))
    asked.simulator.fault("status_500", on="fetch", times=1)
    await asked.inquirer.once()
    (message,) = await house.told(martins)
    assert message.status != MessageStatus.DELIVERED
    clock.shift(timedelta(minutes=6))
    await asked.inquirer.once()
    assert (await house.told(martins))[0].status == MessageStatus.DELIVERED
