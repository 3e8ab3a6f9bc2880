"""A dropped ball is raised once, for the right person and at its time; facts resolve it."""

from datetime import timedelta

import pytest
import time_machine

from portal import operations as verbs
from portal.business_time import now
from portal.database import Database
from portal.models import (
    CUSTOMER_ACTOR,
    ContactChannel,
    ContactReason,
    DroppedBallKind,
    EscalationLevel,
    ServiceRequest,
)
from portal.operations import Operations
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_MOMENT = timedelta(seconds=5)


@pytest.fixture
def watch(
    clock: time_machine.Traveller, operations: Operations, database: Database
) -> DetectionDriver:
    """Somebody keeps watch."""
    return DetectionDriver(operations, clock, database)


@pytest.fixture
async def handed_over(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> ServiceRequest:
    """Tess has passed Martin's card to Underwriting, which has four hours to take it up."""
    return await organisation.run(verbs.advance, card_request, by=organisation.people.tess.actor)


async def test_late_stage_is_a_dropped_ball_until_completed(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Expected in four hours with two of grace: nothing before, one ball after, none when done."""
    await watch.advance_clock(6 * HOUR - A_MOMENT)
    assert await watch.balls() == []
    await watch.advance_clock(2 * A_MOMENT)
    (ball,) = await watch.balls()
    assert (ball.kind, ball.owner_id) == (
        DroppedBallKind.STAGE_OVERDUE,
        organisation.people.tess.id,
    )
    assert ball.dropped_at == card_request.runs[0].overdue_at
    assert ball.raised_at - ball.dropped_at <= timedelta(seconds=10)
    await organisation.run(verbs.advance, card_request, by=organisation.people.tess.actor)
    assert DroppedBallKind.STAGE_OVERDUE not in await watch.kinds()


async def test_dropped_ball_is_raised_once(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Looking again, or doing something that does not mend it, raises nothing more."""
    await watch.advance_clock(7 * HOUR)
    for _ in range(3):
        await watch.look()
    await organisation.run(
        verbs.log_contact, card_request, channel=ContactChannel.VISIT, reason=ContactReason.OTHER,
        by=organisation.people.tess.actor,
    )  # fmt: skip
    await watch.advance_clock(HOUR)
    assert len(await watch.balls(standing=False)) == 1


async def test_unaccepted_handoff_is_a_dropped_ball_of_the_receiver(
    watch: DetectionDriver, organisation: Organisation, handed_over: ServiceRequest
) -> None:
    """Uma of Underwriting must act, though Tess owns the request until she does."""
    await watch.advance_clock(4 * HOUR + A_MOMENT)
    (ball,) = await watch.balls()
    assert (ball.kind, ball.owner_id) == (
        DroppedBallKind.HANDOFF_UNACCEPTED,
        organisation.people.uma.id,
    )
    assert handed_over.owner_id == organisation.people.tess.id
    await organisation.run(verbs.accept, handed_over, by=organisation.people.uma.actor)
    assert await watch.balls() == []


async def test_held_stage_is_no_dropped_ball(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Paused shown means paused counted: on hold for a day, late a day later."""
    await organisation.run(
        verbs.hold, card_request, reason="A paper is missing.", by=organisation.people.tess.actor
    )
    await watch.advance_clock(DAY)
    assert await watch.balls() == []
    await organisation.run(verbs.resume, card_request, by=organisation.people.tess.actor)
    await watch.advance_clock(6 * HOUR - A_MOMENT)
    assert await watch.balls() == []
    await watch.advance_clock(2 * A_MOMENT)
    assert await watch.kinds() == [DroppedBallKind.STAGE_OVERDUE]


async def test_overdue_promise_is_a_dropped_ball_until_fulfilled(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A promise is watched like anything else; keeping it late resolves it."""
    due_at = now() + HOUR
    await organisation.run(
        verbs.make_promise, card_request, text="Call Martin.", due_at=due_at,
        by=organisation.people.tess.actor, owner="uma@acme.example",
    )  # fmt: skip
    await watch.advance_clock(HOUR + A_MOMENT)
    (ball,) = await watch.balls()
    assert (ball.kind, ball.owner_id) == (DroppedBallKind.PROMISE_DUE, organisation.people.uma.id)
    promise = (await organisation.reload(card_request)).promises[0]
    await organisation.run(
        verbs.keep_promise, card_request, promise.id, by=organisation.people.uma.actor
    )
    assert await watch.balls() == []


async def test_overdue_answer_is_a_dropped_ball_until_a_reply(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Telesales replies within two hours; a thanks from Martin ends nothing, an answer does."""
    await _write(organisation, card_request, "There is a mistake in my address.")
    await watch.advance_clock(2 * HOUR + A_MOMENT)
    assert await watch.kinds() == [DroppedBallKind.MESSAGE_UNANSWERED]
    await _write(organisation, card_request, "Thanks")
    assert await watch.kinds() == [DroppedBallKind.MESSAGE_UNANSWERED]
    await organisation.run(
        verbs.write_to_customer, card_request, "It is corrected.", by=organisation.people.tess.actor
    )
    assert await watch.balls() == []


async def test_unanswered_question_becomes_a_call_for_staff(
    watch: DetectionDriver, organisation: Organisation
) -> None:
    """Asked, reminded after two days, and two days later a person is asked to call; they do."""
    request = await organisation.open(by=organisation.people.tess.actor)
    for who in ("tess", "uma", "pia", "carl", "carl"):
        if any(handoff.is_pending for handoff in (await organisation.reload(request)).handoffs):
            await organisation.run(
                verbs.accept, request, by=getattr(organisation.people, who).actor
            )
        await organisation.run(verbs.advance, request, by=getattr(organisation.people, who).actor)
    await organisation.run(verbs.run_due_follow_ups, request, by=organisation.people.carl.actor)
    watch.clock.shift(2 * DAY)
    await organisation.run(verbs.run_due_follow_ups, request, by=organisation.people.carl.actor)
    await watch.look()
    assert DroppedBallKind.FOLLOW_UP_UNANSWERED not in await watch.kinds()
    await watch.advance_clock(2 * DAY + A_MOMENT)
    assert DroppedBallKind.FOLLOW_UP_UNANSWERED in await watch.kinds()
    await organisation.run(
        verbs.log_contact, request, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        note="Nobody at home.", by=organisation.people.carl.actor,
    )  # fmt: skip
    assert DroppedBallKind.FOLLOW_UP_UNANSWERED not in await watch.kinds()


async def test_bouncing_request_goes_to_a_manager(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Refused once is a mistake; refused twice between the same two is noticed."""
    for times in (1, 2):
        watch.clock.shift(timedelta(minutes=1))
        await organisation.run(verbs.advance, card_request, by=organisation.people.tess.actor)
        watch.clock.shift(timedelta(minutes=1))
        await organisation.run(
            verbs.refuse,
            card_request,
            reason="The form is not signed.",
            by=organisation.people.uma.actor,
        )
        await watch.look()
        assert (DroppedBallKind.RETURNED_REPEATEDLY in await watch.kinds()) == (times == 2)
    (ball,) = [
        ball for ball in await watch.balls() if ball.kind == DroppedBallKind.RETURNED_REPEATEDLY
    ]
    assert ball.owner_id == organisation.people.mona.id


async def test_dismissed_dropped_ball_is_not_raised_again_for_the_same_due_time(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """It has a line in the timeline; a new date that passes too is a new ball."""
    await watch.advance_clock(7 * HOUR)
    (ball,) = await watch.balls()
    await organisation.run_unbound(
        verbs.dismiss_dropped_ball, dropped_ball_id=ball.id, reason="Waits for the move.",
        by=organisation.people.tess.actor,
    )  # fmt: skip
    await watch.advance_clock(HOUR)
    assert await watch.balls() == []
    assert (await organisation.events(card_request))[-1].data["reason"] == "Waits for the move."


async def test_dropped_ball_escalates_to_lead_then_manager(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Four hours with its owner and a day in all by default; whoever is all three hears once."""
    await organisation.run(
        verbs.assign, card_request, owner="ada@acme.example", by=organisation.people.tess.actor
    )
    await watch.advance_clock(6 * HOUR + A_MOMENT)
    (ball,) = await watch.balls()
    assert (ball.level, ball.assignee_id) == (EscalationLevel.OWNER, organisation.people.ada.id)
    await watch.advance_clock(4 * HOUR)
    (ball,) = await watch.balls()
    assert (ball.level, ball.assignee_id) == (EscalationLevel.LEAD, organisation.people.tess.id)
    await watch.advance_clock(20 * HOUR)
    (ball,) = await watch.balls()
    assert (ball.level, ball.assignee_id) == (EscalationLevel.MANAGER, organisation.people.mona.id)
    assert ball.owner_id == organisation.people.ada.id
    assert ball.escalated_at is not None
    assert ball.escalates_at is None


async def test_dropped_balls_wait_for_a_grace_period_after_an_outage(
    watch: DetectionDriver, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """What fell due while nobody kept watch waits a quarter of an hour; what was put right stays quiet."""
    other = await organisation.open(
        customer=verbs.CustomerDetails("Ann", "+14155550111"), by=organisation.people.tess.actor
    )
    await watch.look()
    watch.clock.shift(9 * HOUR)
    await watch.watch.once()
    assert await watch.balls() == []
    await organisation.run(verbs.advance, other, by=organisation.people.tess.actor)
    await watch.advance_clock(timedelta(minutes=15) + A_MOMENT)
    assert [(ball.kind, ball.request_id) for ball in await watch.balls()] == [
        (DroppedBallKind.STAGE_OVERDUE, card_request.id)
    ]


async def test_one_failing_request_does_not_block_others(
    watch: DetectionDriver,
    organisation: Organisation,
    card_request: ServiceRequest,
    database: Database,
) -> None:
    """A request whose workflow cannot be read is tried again later; the others are raised."""
    broken = await organisation.open("permit", by=organisation.people.tess.actor)
    async with database.transaction() as session:
        held = await session.get_one(ServiceRequest, broken.id)
        run = (await organisation.reload(broken)).runs[0]
        held.next_check_at = now()
        (await session.get_one(type(run), run.id)).stage_key = "no such stage"
        (await session.get_one(type(run), run.id)).overdue_at = now()
    await watch.advance_clock(7 * HOUR)
    assert card_request.id in {ball.request_id for ball in await watch.balls()}


async def _write(organisation: Organisation, request: ServiceRequest, body: str) -> None:
    await organisation.run(verbs.receive_web_message, request, body, by=CUSTOMER_ACTOR)
