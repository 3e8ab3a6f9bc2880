"""Wait for the outcome of a message."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlmodel import col, select

from portal.database import Database
from portal.models import DroppedBall, Heartbeat, Message, MessageStatus, ServiceRequest
from tests.support.factories import MARTHA, Organisation
from tests.support.processes import eventually

STARTS_WITHIN = 30.0
"""Seconds in which a worker is at work, on a busy machine."""
SENT_STATUSES = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)


async def open_request_for(organisation: Organisation, phone: str) -> ServiceRequest:
    """A request of a customer with this number: they are owed the first text."""
    return await organisation.open(
        customer=replace(MARTHA, phone=phone), by=organisation.people.tess.actor
    )


async def wait_for_status(
    organisation: Organisation,
    request: ServiceRequest,
    *statuses: MessageStatus,
    place: int = 0,
    within: float = STARTS_WITHIN,
) -> Message:
    """The first (or a later) of what we owe them, as soon as it has one of these statuses."""

    async def look() -> Message | None:
        told = await organisation.outbound_messages(request)
        message = told[place] if len(told) > place else None
        return message if message is not None and message.status in statuses else None

    return await eventually(look, within)


async def dropped_balls_for(database: Database, message: Message) -> Sequence[DroppedBall]:
    """The dropped balls about this message."""
    query = select(DroppedBall).where(col(DroppedBall.subject) == f"message:{message.id}")
    async with database.reading() as session:
        return (await session.exec(query)).all()


async def shift_times_back(
    database: Database, by: timedelta, *names: str, request: ServiceRequest | None = None
) -> None:
    """Let so much time have passed in these times of all messages, or of those of one request."""
    query = select(Message)
    if request is not None:
        query = query.where(col(Message.request_id) == request.id)
    async with database.transaction() as session:
        for message in (await session.exec(query)).all():
            for name in names:
                if (then := getattr(message, name)) is not None:
                    setattr(message, name, then - by)


async def age_heartbeat(database: Database) -> None:
    """Let half a minute have passed since the workers' last sign of life."""
    async with database.transaction() as session:
        for beat in (await session.exec(select(Heartbeat))).all():
            beat.beat_at -= timedelta(seconds=31)
