"""A provider that is down: one alert, nothing lost, and everything sent when it is back."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from sqlmodel import col, select

from portal.demo.fake_providers import Fault, FaultKind
from portal.models import DroppedBall, DroppedBallKind, Message, MessageStatus, Sender
from portal.operations import Operations
from portal.settings import Settings
from portal.settings.types import QuietHours
from tests.support.factories import MARTHA, Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from workers.delivery.gateways import Gateways
from workers.reconcile import Reconciler

HALF_MINUTE = timedelta(seconds=30)
FAILURES = (FaultKind.STATUS_500, FaultKind.DROP_CONNECTION_BEFORE)


class Outage:
    """A provider that fails for every text, and a worker, half a minute a step."""

    def __init__(
        self, operations: Operations, clock: time_machine.Traveller, fault: FaultKind
    ) -> None:
        self.operations = operations
        self.clock = clock
        self.phones = FakeSmsGateway()
        self.phones.faults.add(Fault(do=fault))
        self.reconciler = Reconciler(operations, Gateways(self.phones.gateway, None))

    async def step(self) -> None:
        """One pass of the worker, and half a minute."""
        await deliver_due(self.operations, self.phones)
        await self.reconciler.once()
        self.clock.shift(HALF_MINUTE)


async def open_requests(organisation: Organisation, count: int) -> None:
    for number in range(count):
        customer = replace(MARTHA, phone=f"+1415200{number:04}")
        await organisation.open(customer=customer, by=organisation.people.tess.actor)


async def statuses(organisation: Organisation) -> Counter[MessageStatus]:
    async with organisation.database.reading() as session:
        return Counter((await session.exec(select(Message.status))).all())


async def balls(organisation: Organisation, kind: DroppedBallKind) -> list[DroppedBall]:
    async with organisation.database.reading() as session:
        query = select(DroppedBall).where(col(DroppedBall.kind) == kind)
        return list((await session.exec(query)).all())


@pytest.mark.parametrize("fault", FAILURES)
async def test_forty_texts_wait_through_half_an_hour_and_are_then_all_sent(
    clock: time_machine.Traveller, organisation: Organisation, fault: FaultKind
) -> None:
    outage = Outage(organisation.operations, clock, fault)
    await open_requests(organisation, 40)
    for _ in range(60):
        await outage.step()
    assert outage.phones.sent_bodies == []
    assert await statuses(organisation) == {MessageStatus.QUEUED: 40}
    (alert,) = await balls(organisation, DroppedBallKind.SENDING_PAUSED)
    assert alert.detail.startswith("Sending is paused: Twilio ")
    assert alert.resolved_at is None
    outage.phones.faults.clear()
    await outage.step()
    assert len(outage.phones.sent_bodies) == 40
    assert await balls(organisation, DroppedBallKind.OUTCOME_UNKNOWN) == []
    (alert,) = await balls(organisation, DroppedBallKind.SENDING_PAUSED)
    assert alert.resolved_at is not None


async def test_pause_ends_in_the_night_where_every_text_waits_for_the_morning(
    clock: time_machine.Traveller, organisation: Organisation, settings: Settings
) -> None:
    organisation.operations.settings = settings.model_copy(
        update={"quiet_hours": QuietHours(time(21), time(8))}
    )
    clock.move_to(datetime(2025, 6, 4, 3, 55, tzinfo=UTC))  # 20:55 in Los Angeles.
    outage = Outage(organisation.operations, clock, FaultKind.STATUS_500)
    await open_requests(organisation, 8)
    for _ in range(20):
        await outage.step()
    (alert,) = await balls(organisation, DroppedBallKind.SENDING_PAUSED)
    assert alert.resolved_at is None
    outage.phones.faults.clear()
    for _ in range(3):
        await outage.step()
    assert outage.phones.sent_bodies == []
    assert await statuses(organisation) == {MessageStatus.QUEUED: 8}
    (alert,) = await balls(organisation, DroppedBallKind.SENDING_PAUSED)
    assert alert.resolved_at is not None
    clock.shift(timedelta(hours=12))
    await outage.step()
    assert len(outage.phones.sent_bodies) == 8


async def test_no_text_is_sent_a_third_time_without_a_person(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    """The provider answers probes and fails for each text: at most two attempts for each."""
    outage = Outage(organisation.operations, clock, FaultKind.STATUS_500)

    async def answers() -> None:
        """The provider refuses a text without a recipient, as it does when it is well."""

    outage.phones.probe = answers  # type: ignore[method-assign]
    await open_requests(organisation, 8)
    for _ in range(60):
        await outage.step()
    async with organisation.database.reading() as session:
        messages = (await session.exec(select(Message))).all()
    assert max(message.attempts for message in messages) == 2
    in_review = [one for one in messages if one.status == MessageStatus.REVIEW]
    unknown = await balls(organisation, DroppedBallKind.OUTCOME_UNKNOWN)
    assert in_review
    assert {ball.subject for ball in unknown} == {f"message:{one.id}" for one in in_review}


async def test_after_a_failure_only_a_few_texts_are_sent_at_once(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    """So that few have an unknown outcome when the provider is down."""
    outage = Outage(organisation.operations, clock, FaultKind.STATUS_500)
    await open_requests(organisation, 1)
    await deliver_due(organisation.operations, outage.phones)
    await open_requests(organisation, 20)
    await deliver_due(organisation.operations, outage.phones)
    assert (await statuses(organisation))[MessageStatus.UNKNOWN] <= 6


async def test_failures_that_are_not_in_a_row_pause_nothing(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    outage = Outage(organisation.operations, clock, FaultKind.STATUS_500)
    outage.phones.faults.clear()
    for number in range(0, 16, 2):
        outage.phones.faults.add(Fault(do=FaultKind.STATUS_500, to=f"+1415200{number:04}", times=1))
    await open_requests(organisation, 16)
    await deliver_due(organisation.operations, outage.phones)
    assert await balls(organisation, DroppedBallKind.SENDING_PAUSED) == []
    async with organisation.database.reading() as session:
        sender = (await session.exec(select(Sender))).one()
    assert sender.pause_reason is None


async def test_texts_that_expire_during_an_outage_say_so(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    outage = Outage(organisation.operations, clock, FaultKind.STATUS_500)
    await open_requests(organisation, 6)
    for _ in range(12):
        await outage.step()
    clock.shift(timedelta(days=30))
    outage.phones.faults.clear()
    await outage.step()
    assert outage.phones.sent_bodies == []
    assert await statuses(organisation) == {MessageStatus.EXPIRED: 6}
