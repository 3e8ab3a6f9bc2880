"""Retention of texts: what is erased is not sent again, and leaves no number."""

from datetime import timedelta

import httpx2
import pytest
import time_machine
from sqlmodel import col, select, update

from portal.database import Database
from portal.models import DroppedBall, DroppedBallKind, Message, MessageStatus, ServiceRequest
from portal.operations import Operations, cancel, retry_messages
from portal.operations.conversation.auto_reply_limits import MAX_TEXTS
from portal.operations.dropped_balls.resolution import message_subject, raise_dropped_ball
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.twilio_client import CustomerPhone
from tests.workers.conftest import keeping

STRANGER = "+14155557799"


@pytest.fixture
async def failed_text(
    organisation: Organisation, database: Database, card_request: ServiceRequest
) -> Message:
    """A text about a closed request that was not delivered, with its dropped ball."""
    mona = organisation.people.mona.actor
    [message] = await organisation.outbound_messages(card_request)
    await organisation.run(cancel, card_request, reason="No longer needed", by=mona)
    async with database.transaction() as session:
        of_message = update(Message).where(col(Message.id) == message.id)
        await session.exec(of_message.values(status=MessageStatus.FAILED, error_code="30004"))
    async with organisation.operations.begin(mona) as uow:
        await raise_dropped_ball(
            uow, DroppedBallKind.MESSAGE_UNDELIVERED, message_subject(message), "Not delivered",
            request_id=card_request.id,
        )  # fmt: skip
    return message


async def test_erased_text_is_never_sent_again(
    clock: time_machine.Traveller,
    organisation: Organisation,
    operations: Operations,
    api: httpx2.AsyncClient,
    failed_text: Message,
    database: Database,
) -> None:
    clock.shift(timedelta(days=8))
    listed = (await api.get("/messages?needs=person")).json()["items"]
    assert [item["id"] for item in listed] == [failed_text.id]
    before = len(await organisation.messages())
    await keeping(operations, keep_message_bodies_days=7).once()
    assert (await api.get("/messages?needs=person")).json()["items"] == []
    refused = await api.post(f"/messages/{failed_text.id}/retry")
    assert refused.status_code == 409
    done = await retry_messages(operations, organisation.people.mona.actor, [failed_text.id or 0])
    assert done.sent == 0
    assert len(await organisation.messages()) == before
    async with database.reading() as session:
        [ball] = await session.exec(select(DroppedBall))
    assert ball.resolved_at is not None


async def test_text_erased_before_it_was_resolved_is_not_sent_again(
    organisation: Organisation, api: httpx2.AsyncClient, failed_text: Message, database: Database
) -> None:
    """As an earlier version has left it."""
    async with database.transaction() as session:
        of_message = update(Message).where(col(Message.id) == failed_text.id)
        await session.exec(of_message.values(body="[erased]"))
    refused = await api.post(f"/messages/{failed_text.id}/retry")
    assert refused.status_code == 409
    assert "has been erased" in refused.json()["detail"]
    assert not [
        message
        for message in await organisation.messages()
        if message.body == "[erased]" and message.status == MessageStatus.QUEUED
    ]


async def test_photo_without_words_loses_the_number_of_its_sender(
    clock: time_machine.Traveller, organisation: Organisation, operations: Operations
) -> None:
    await CustomerPhone(organisation)("", sender=STRANGER)
    await deliver_due(operations, FakeSmsGateway())
    clock.shift(timedelta(days=8))
    await keeping(operations, keep_message_bodies_days=7).once()
    messages = await organisation.messages()
    assert messages
    for message in messages:
        assert (message.from_address, message.to_address, message.provider_sid) == ("", "", None)
        assert "SM" not in message.cause


async def test_many_texts_of_a_stranger_leave_no_number(
    clock: time_machine.Traveller,
    organisation: Organisation,
    operations: Operations,
    database: Database,
) -> None:
    """The dropped ball about them names it."""
    phone = CustomerPhone(organisation)
    for number in range(MAX_TEXTS + 2):
        await phone(f"Buy {number}", sender=STRANGER)
    await deliver_due(operations, FakeSmsGateway())
    assert any(STRANGER in ball.subject + ball.detail for ball in await balls(database))
    clock.shift(timedelta(days=8))
    await keeping(operations, keep_message_bodies_days=7).once()
    found = await balls(database)
    assert found
    assert not any("7799" in ball.subject + ball.detail for ball in found)


async def balls(database: Database) -> list[DroppedBall]:
    async with database.reading() as session:
        return list((await session.exec(select(DroppedBall))).all())
