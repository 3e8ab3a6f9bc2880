"""A ball that cannot be escalated, or a person who cannot be notified, holds up no other."""

from datetime import timedelta

import pytest
import time_machine
from sqlmodel import col, select

from portal.models import Channel, DroppedBall, DroppedBallKind, EscalationLevel, Message
from portal.operations import Operations
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation
from tests.workers.odd_rows import balls, execute, job_failures, open_for, unreadable

LATER = timedelta(minutes=11)


@pytest.fixture
async def watch(
    clock: time_machine.Traveller, organisation: Organisation, operations: Operations
) -> DetectionDriver:
    """Two overdue stages: one of Tom, in Telesales, and one of Paul, in Processing."""
    watch = DetectionDriver(operations, clock, organisation.database)
    for number in (1, 2):
        await open_for(organisation, f"+1415200000{number}")
    await watch.advance_clock(timedelta(hours=7))
    (of_tom, of_paul) = await watch.balls()
    people = organisation.people
    await execute(
        organisation,
        f"UPDATE dropped_ball SET owner_id = {people.tom.id} WHERE id = {of_tom.id}",  # noqa: S608
        f"UPDATE dropped_ball SET owner_id = {people.paul.id}, department_id = "  # noqa: S608
        f"(SELECT id FROM department WHERE key = 'processing') WHERE id = {of_paul.id}",
        "UPDATE dropped_ball SET escalates_at = raised_at",
    )
    return watch


async def levels(organisation: Organisation) -> list[EscalationLevel]:
    """The levels of the two balls."""
    async with organisation.database.reading() as session:
        query = select(DroppedBall.level).where(
            col(DroppedBall.kind) == DroppedBallKind.STAGE_OVERDUE
        )
        return list((await session.exec(query.order_by(col(DroppedBall.id)))).all())


async def notified(organisation: Organisation) -> list[str]:
    """The mailboxes of staff to which an e-mail was written."""
    query = select(Message.to_address).where(col(Message.channel) == Channel.EMAIL)
    async with organisation.database.reading() as session:
        return sorted((await session.exec(query)).all())


async def test_department_without_a_readable_time_zone_holds_up_no_other(
    organisation: Organisation, watch: DetectionDriver
) -> None:
    (of_tom, _) = await watch.balls()
    await execute(
        organisation, "UPDATE department SET timezone = 'Mars/Phobos' WHERE key = 'telesales'"
    )
    await watch.look()
    assert await levels(organisation) == [EscalationLevel.OWNER, EscalationLevel.LEAD]
    (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
    assert ball.subject == f"escalation:{of_tom.id}"
    assert ball.owner_id == organisation.people.mona.id
    await execute(organisation, "UPDATE department SET timezone = 'UTC' WHERE key = 'telesales'")
    await watch.look()
    assert await levels(organisation) == [EscalationLevel.OWNER, EscalationLevel.LEAD]
    await watch.advance_clock(LATER)
    assert await levels(organisation) == [EscalationLevel.LEAD, EscalationLevel.LEAD]
    assert await job_failures(organisation) == []
    (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
    assert ball.resolved_at is not None


async def test_ball_that_cannot_be_escalated_holds_up_no_other(
    organisation: Organisation, watch: DetectionDriver
) -> None:
    (of_tom, _) = await watch.balls()
    raised = f"UPDATE OF level ON dropped_ball WHEN (NEW.id = {of_tom.id})"
    async with unreadable(organisation, "dropped_ball", "detail", of_tom.id or 0, writes=raised):
        await watch.watch.once()
        assert await levels(organisation) == [EscalationLevel.OWNER, EscalationLevel.LEAD]
    await watch.advance_clock(LATER)
    assert await levels(organisation) == [EscalationLevel.LEAD, EscalationLevel.LEAD]


async def test_person_who_cannot_be_notified_holds_up_no_other(
    organisation: Organisation, operations: Operations, watch: DetectionDriver
) -> None:
    await execute(organisation, "UPDATE dropped_ball SET escalates_at = NULL")
    operations.settings = operations.settings.model_copy(
        update={"smtp_url": "smtp://127.0.0.1:9", "mail_from": "kept@acme.example"}
    )
    (of_tom, _) = await watch.balls()
    written = f"UPDATE OF notified_level ON dropped_ball WHEN (NEW.id = {of_tom.id})"
    async with unreadable(organisation, "dropped_ball", "detail", of_tom.id or 0, writes=written):
        await watch.watch.once()
        assert await notified(organisation) == ["paul@acme.example"]
        (ball,) = await balls(organisation, DroppedBallKind.UNREADABLE)
        assert ball.subject == f"notices:{organisation.people.tom.id}"
    await watch.advance_clock(LATER)
    assert "tom@acme.example" in await notified(organisation)
    assert await job_failures(organisation) == []
