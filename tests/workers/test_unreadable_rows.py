"""A row that cannot be read fails alone: it is put before a person and holds up no other."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import col, select

from portal.business_time import now
from portal.models import (
    Customer,
    DeliveryReason,
    DroppedBallKind,
    Message,
    MessageStatus,
    ServiceRequest,
)
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.workers.odd_rows import balls, open_for
from workers.sweep import Sweep


async def spoil(organisation: Organisation, request: ServiceRequest, **values: object) -> None:
    """Write into the customer's row what no operation of Kept writes."""
    async with organisation.database.transaction() as session:
        connection = await session.connection()
        await connection.execute(
            sa.update(Customer).where(col(Customer.id) == request.customer_id).values(values)
        )


async def set_status(organisation: Organisation, request: ServiceRequest, status: str) -> None:
    async with organisation.database.transaction() as session:
        connection = await session.connection()
        await connection.execute(
            sa.text("UPDATE service_request SET status = :status WHERE id = :id"),
            {"status": status, "id": request.id},
        )


@pytest.mark.parametrize("timezone", ["Mars/Phobos", "localtime", "../etc/passwd", ""])
async def test_unreadable_time_zone_holds_up_no_other_text(
    organisation: Organisation, timezone: str
) -> None:
    odd = await open_for(organisation, "+14152000001")
    await spoil(organisation, odd, timezone=timezone)
    for number in range(2, 5):
        await open_for(organisation, f"+1415200000{number}")
    phones = FakeSmsGateway()
    await deliver_due(organisation.operations, phones)
    assert len(phones.sent_bodies) == 3
    (message,) = await organisation.outbound_messages(odd)
    assert (message.status, message.reason) == (MessageStatus.REVIEW, DeliveryReason.UNREADABLE)
    (ball,) = await balls(organisation, DroppedBallKind.MESSAGE_UNDELIVERED)
    assert (ball.subject, ball.owner_id) == (f"message:{message.id}", odd.owner_id)
    assert "cannot be read" in ball.detail
    await deliver_due(organisation.operations, phones)
    assert len(await balls(organisation, DroppedBallKind.MESSAGE_UNDELIVERED)) == 1


async def test_the_desk_shows_a_customer_whose_time_zone_cannot_be_read(
    desk_clients: Any, organisation: Organisation
) -> None:
    odd = await open_for(organisation, "+14152000001")
    await spoil(organisation, odd, timezone="Mars/Phobos")
    (message,) = await organisation.outbound_messages(odd)
    async with organisation.database.transaction() as session:
        values = {"status": MessageStatus.REVIEW, "reason": DeliveryReason.UNREADABLE}
        await session.exec(sa.update(Message).where(col(Message.id) == message.id).values(**values))
    mona = await desk_clients("mona")
    for path in ("/desk/messages?show=all", f"/desk/requests/{odd.reference}"):
        page = await mona.get(path)
        assert page.status_code == 200
        assert "cannot be read" in page.text


async def test_unreadable_message_holds_up_no_other_text(organisation: Organisation) -> None:
    odd = await open_for(organisation, "+14152000001")
    await open_for(organisation, "+14152000002")
    async with organisation.database.transaction() as session:
        connection = await session.connection()
        await connection.execute(
            sa.text("UPDATE message SET kind = 'unheard of' WHERE request_id = :id"), {"id": odd.id}
        )
    phones = FakeSmsGateway()
    await deliver_due(organisation.operations, phones)
    assert len(phones.sent_bodies) == 1
    async with organisation.database.reading() as session:
        query = select(Message.status).where(col(Message.request_id) == odd.id)
        assert (await session.exec(query)).all() == [MessageStatus.REVIEW]


async def test_request_that_cannot_be_swept_is_put_before_a_person_and_waits(
    clock: time_machine.Traveller, organisation: Organisation
) -> None:
    odd = await open_for(organisation, "+14152000001")
    other = await open_for(organisation, "+14152000002")
    await set_status(organisation, odd, "unheard of")
    async with organisation.database.transaction() as session:
        connection = await session.connection()
        await connection.execute(sa.update(ServiceRequest).values(next_update_at=now()))
    sweep = Sweep(organisation.operations, lambda: None, "worker")
    tried: list[int] = []
    real = sweep._do

    async def count(job: str, ids: list[int], operation: object) -> None:
        tried.extend(ids if job == "updates" else [])
        await real(job, ids, operation)  # type: ignore[arg-type]

    sweep._do = count  # type: ignore[method-assign]
    await sweep.once()
    assert set(tried) == {odd.id, other.id}
    (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
    assert ball.subject == f"updates:{odd.id}"
    assert ball.owner_id is not None
    assert "cannot be read" in ball.detail
    tried.clear()
    await sweep.once()
    assert odd.id not in tried
    await set_status(organisation, odd, odd.status.value)
    clock.shift(timedelta(minutes=11))
    await sweep.once()
    (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
    assert ball.resolved_at is not None
