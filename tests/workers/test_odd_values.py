"""A value that a driver refuses is the fault of its row, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlmodel import col, select

from portal.business_time import now, override_now
from portal.messaging.sms.twilio_client import Accepted
from portal.models import DeliveryReason, DroppedBallKind, Message, MessageStatus, ServiceRequest
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.workers.odd_rows import NO_UTF_8, balls, execute, open_for, refused, unreadable
from workers.delivery.deliver import ChannelSender
from workers.delivery.gateways import Gateways
from workers.delivery.stored_claims import OutgoingMessage
from workers.poll_receipts import ReceiptPoller
from workers.reconcile import Reconciler
from workers.sweep import Sweep


class SpoilingGateway(FakeSmsGateway):
    """Refuses each text; makes a row unreadable at the first, until ``rows`` is closed."""

    def __init__(self, rows: AsyncExitStack, row: AbstractAsyncContextManager[None]) -> None:
        super().__init__(reject_code=21211)  # not a number
        self.rows, self.row = rows, row
        self.lock = asyncio.Lock()
        self.is_spoilt = False

    async def send(self, message: OutgoingMessage, check_claim: Callable[[], None]) -> Accepted:
        async with self.lock:
            if not self.is_spoilt:
                self.is_spoilt = True
                await self.rows.enter_async_context(self.row)
        return await super().send(message, check_claim)


async def first_text(organisation: Organisation, request: ServiceRequest) -> Message:
    (message,) = await organisation.outbound_messages(request)
    return message


async def status_of(organisation: Organisation, message_id: int | None) -> str:
    async with organisation.database.reading() as session:
        query = f"SELECT status FROM message WHERE id = {message_id}"  # noqa: S608
        connection = await session.connection()
        return str((await connection.exec_driver_sql(query)).scalar_one())


async def test_one_odd_text_holds_up_no_other(organisation: Organisation) -> None:
    odd = await open_for(organisation, "+14152000001")
    for number in range(2, 5):
        await open_for(organisation, f"+1415200000{number}")
    message = await first_text(organisation, odd)
    value = f"body = {NO_UTF_8}" if organisation.database.is_sqlite else "attempts = 2147483647"
    await execute(organisation, f"UPDATE message SET {value} WHERE id = {message.id}")  # noqa: S608
    phones = FakeSmsGateway()
    await deliver_due(organisation.operations, phones)
    assert len(phones.sent_bodies) == 3
    assert await status_of(organisation, message.id) == MessageStatus.REVIEW
    (ball,) = await balls(organisation, DroppedBallKind.MESSAGE_UNDELIVERED)
    assert (ball.subject, ball.owner_id) == (f"message:{message.id}", odd.owner_id)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_texts_that_are_claimed_are_sent_though_the_database_goes_away(
    organisation: Organisation,
) -> None:
    """The first text is odd, so each is claimed by itself; the server is ended before the last."""
    texts = [
        await first_text(organisation, await open_for(organisation, f"+1415200000{number}"))
        for number in range(4)
    ]
    await execute(
        organisation,
        f"UPDATE message SET attempts = 2147483647 WHERE id = {texts[0].id}",  # noqa: S608
    )
    phones = FakeSmsGateway()
    sender = ChannelSender(organisation.operations, phones)
    last = f"UPDATE ON message WHEN (NEW.id = {texts[3].id} AND NEW.status = 'sending')"
    async with refused(organisation, last, code="57P01"):
        assert await sender._deliver_batch() is False
        await sender.finish(within=60)
    assert len(phones.sent_bodies) == 2
    statuses = [await status_of(organisation, message.id) for message in texts]
    assert statuses == ["review", "accepted", "accepted", "queued"]
    await sender.once(within=60)
    assert await status_of(organisation, texts[3].id) == MessageStatus.ACCEPTED


async def test_each_text_that_is_claimed_by_itself_is_claimed_at_its_own_time(
    organisation: Organisation,
) -> None:
    texts = [
        await first_text(organisation, await open_for(organisation, f"+1415200000{number}"))
        for number in range(4)
    ]
    value = f"body = {NO_UTF_8}" if organisation.database.is_sqlite else "attempts = 2147483647"
    await execute(organisation, f"UPDATE message SET {value} WHERE id = {texts[0].id}")  # noqa: S608
    moment = now()

    def slow_clock() -> datetime:
        nonlocal moment
        moment += timedelta(seconds=3)
        return moment

    with override_now(slow_clock):
        await ChannelSender(organisation.operations, FakeSmsGateway()).once(within=60)
    query = select(Message.claimed_at).where(col(Message.id) != texts[0].id)
    async with organisation.database.reading() as session:
        claimed_at = (await session.exec(query)).all()
    assert None not in claimed_at
    assert len(set(claimed_at)) == 3


async def test_outcome_that_cannot_be_recorded_holds_up_no_other(
    organisation: Organisation,
) -> None:
    odd = await open_for(organisation, "+14152000001")
    other = await open_for(organisation, "+14152000002")
    message = await first_text(organisation, odd)
    ended = f"UPDATE ON message WHEN (NEW.id = {message.id} AND NEW.status <> 'sending')"
    odd_row = unreadable(organisation, "message", "body", message.id or 0, writes=ended)
    async with AsyncExitStack() as rows:
        phones = SpoilingGateway(rows, odd_row)
        await ChannelSender(organisation.operations, phones).once(within=60)
        assert (await first_text(organisation, other)).status == MessageStatus.FAILED
        assert await status_of(organisation, message.id) == MessageStatus.SENDING


async def test_text_that_cannot_be_settled_holds_up_no_other(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    odd = await open_for(organisation, "+14152000001")
    other = await open_for(organisation, "+14152000002")
    message = await first_text(organisation, odd)
    await execute(organisation, "UPDATE message SET status = 'unknown', kind = 'milestone'")
    async with organisation.database.transaction() as session:
        for unknown in (message, await first_text(organisation, other)):
            unknown.status = MessageStatus.UNKNOWN
            unknown.claimed_at = unknown.reconciled_at = now() - timedelta(hours=1)
            await session.merge(unknown)
    settled = f"UPDATE ON message WHEN (NEW.id = {message.id} AND NEW.status = 'queued')"
    reconciler = Reconciler(organisation.operations, Gateways(None, None))
    async with unreadable(organisation, "message", "body", message.id or 0, writes=settled):
        await reconciler.once()
        assert await status_of(organisation, message.id) == MessageStatus.REVIEW
    assert (await first_text(organisation, other)).reason == DeliveryReason.SENT_AGAIN
    assert (await first_text(organisation, odd)).reason == DeliveryReason.UNREADABLE
    assert len(await balls(organisation, DroppedBallKind.MESSAGE_UNDELIVERED)) == 1


async def test_receipt_that_cannot_be_recorded_holds_up_no_other(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    odd = await open_for(organisation, "+14152000001")
    other = await open_for(organisation, "+14152000002")
    phones = FakeSmsGateway()
    await deliver_due(organisation.operations, phones)
    message = await first_text(organisation, odd)
    for text in phones.account.texts():
        text.move("delivered", None, now())
    clock.shift(timedelta(days=1))
    received = f"UPDATE ON message WHEN (NEW.id = {message.id} AND NEW.status = 'delivered')"
    async with unreadable(organisation, "message", "body", message.id or 0, writes=received):
        await ReceiptPoller(organisation.operations, Gateways(phones.gateway, None)).once()
        assert (await first_text(organisation, other)).status == MessageStatus.DELIVERED
    odd_text = await first_text(organisation, odd)
    assert odd_text.poll_at is not None
    assert odd_text.poll_at > now()


async def test_request_with_an_odd_value_holds_up_no_other_update(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    odd = await open_for(organisation, "+14152000001")
    other = await open_for(organisation, "+14152000002")
    await deliver_due(organisation.operations, FakeSmsGateway())
    clock.shift(timedelta(days=1))
    async with organisation.database.transaction() as session:
        for request in (odd, other):
            request.next_update_at = now()
            await session.merge(request)
    planned = f"UPDATE OF next_update_at ON service_request WHEN (NEW.id = {odd.id})"
    async with unreadable(organisation, "service_request", "title", odd.id or 0, writes=planned):
        await Sweep(organisation.operations, lambda: None, "worker").once()
        (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
        assert ball.subject == f"updates:{odd.id}"
        assert (await organisation.reload(other)).next_update_at != now()


async def test_request_with_an_odd_value_holds_up_no_other_detection(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    odd = await open_for(organisation, "+14152000001")
    other = await open_for(organisation, "+14152000002")
    watch = DetectionDriver(organisation.operations, clock, organisation.database)
    raised = f"INSERT ON dropped_ball WHEN (NEW.request_id = {odd.id} AND NEW.kind <> 'unreadable')"
    async with unreadable(organisation, "service_request", "title", odd.id or 0, writes=raised):
        await watch.advance_clock(timedelta(days=1))
        assert [
            ball.request_id for ball in await balls(organisation, DroppedBallKind.STAGE_OVERDUE)
        ] == [other.id]
        (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
        assert ball.subject == f"detection:{odd.id}"
