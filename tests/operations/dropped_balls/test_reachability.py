"""A customer whose every address has failed is a dropped ball, until one of them works."""

from datetime import timedelta

import pytest
import time_machine

from portal.database import Database
from portal.models import Channel, DroppedBallKind
from portal.operations import Operations
from tests.desk.failed_messages.lost_texts import PHONE_ONLY
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation
from tests.support.twilio_client import TwilioClient

pytestmark = pytest.mark.either_database

UNREACHABLE = DroppedBallKind.CUSTOMER_UNREACHABLE


@pytest.fixture
def watch(
    clock: time_machine.Traveller, operations: Operations, database: Database
) -> DetectionDriver:
    return DetectionDriver(operations, clock, database)


async def test_customer_whose_only_number_is_dead_is_a_dropped_ball_after_a_day(
    twilio: TwilioClient, organisation: Organisation, watch: DetectionDriver, database: Database
) -> None:
    """The message that failed is one at once; a number that works resolves it."""
    card = await organisation.open(customer=PHONE_ONLY, by=organisation.people.tess.actor)
    [first] = await organisation.outbound_messages(card)
    await twilio.receipt(first, "undelivered", "SM" + "1" * 32, ErrorCode="30005")
    await watch.advance_clock(timedelta(hours=23))
    assert UNREACHABLE not in await watch.kinds()
    await watch.advance_clock(timedelta(hours=2))
    [ball] = [ball for ball in await watch.balls() if ball.kind == UNREACHABLE]
    assert ball.owner_id == organisation.people.tess.id
    async with organisation.operations.begin(organisation.people.tess.actor) as uow:
        held = await uow.lock(card.reference)
        [point] = held.customer.contact_points
        assert point.channel == Channel.SMS
        point.valid_until = None
        await uow.finish(held)
    assert UNREACHABLE not in await watch.kinds()


async def test_customer_with_another_address_is_no_dropped_ball(
    twilio: TwilioClient, organisation: Organisation, watch: DetectionDriver
) -> None:
    card = await organisation.open(by=organisation.people.tess.actor)
    [first] = await organisation.outbound_messages(card)
    await twilio.receipt(first, "undelivered", "SM" + "1" * 32, ErrorCode="30005")
    await watch.advance_clock(timedelta(hours=25))
    assert UNREACHABLE not in await watch.kinds()
