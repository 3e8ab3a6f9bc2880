"""What slips is raised once, before the right person, at its time; the facts end it, not a click."""

from datetime import timedelta

import pytest
import time_machine

from portal import operations as verbs
from portal.business_time import now
from portal.database import Database
from portal.models import (
    THE_CUSTOMER,
    BallKind,
    Channel,
    ContactChannel,
    ContactReason,
    Level,
    MessageKind,
    ServiceRequest,
)
from portal.operations import Relay
from portal.settings import Settings
from tests.support.dropped_ball_helpers import Watchman
from tests.support.factories import House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_MOMENT = timedelta(seconds=5)


@pytest.fixture
def watch(clock: time_machine.Traveller, relay: Relay, database: Database) -> Watchman:
    """Somebody keeps watch."""
    return Watchman(relay, clock, database)


@pytest.fixture
async def handed_over(watch: Watchman, house: House, martins: ServiceRequest) -> ServiceRequest:
    """Tess has passed Martin's card to Underwriting, which has four hours to take it up."""
    return await house.do(verbs.advance, martins, by=house.people.tess.actor)


async def test_a_stage_past_its_time_and_grace_is_before_its_assignee_until_it_is_done(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """Expected in four hours with two of grace: nothing before, one ball after, none when done."""
    await watch.pass_time(6 * HOUR - A_MOMENT)
    assert await watch.balls() == []
    await watch.pass_time(2 * A_MOMENT)
    (ball,) = await watch.balls()
    assert (ball.kind, ball.owner_id) == (BallKind.STAGE_OVERDUE, house.people.tess.id)
    assert ball.slipped_at == martins.runs[0].late_at
    assert ball.raised_at - ball.slipped_at <= timedelta(seconds=10)
    await house.do(verbs.advance, martins, by=house.people.tess.actor)
    assert BallKind.STAGE_OVERDUE not in await watch.kinds()


async def test_it_is_raised_once_however_often_somebody_looks(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """Looking again, or doing something that does not mend it, raises nothing more."""
    await watch.pass_time(7 * HOUR)
    for _ in range(3):
        await watch.look()
    await house.do(
        verbs.log_contact, martins, channel=ContactChannel.VISIT, reason=ContactReason.OTHER,
        by=house.people.tess.actor,
    )  # fmt: skip
    await watch.pass_time(HOUR)
    assert len(await watch.balls(standing=False)) == 1


async def test_a_handoff_that_nobody_takes_up_is_before_whoever_should(
    watch: Watchman, house: House, handed_over: ServiceRequest
) -> None:
    """Uma of Underwriting must act, though Tess owns the request until she does."""
    await watch.pass_time(4 * HOUR + A_MOMENT)
    (ball,) = await watch.balls()
    assert (ball.kind, ball.owner_id) == (BallKind.HANDOFF_UNACCEPTED, house.people.uma.id)
    assert handed_over.owner_id == house.people.tess.id
    await house.do(verbs.accept, handed_over, by=house.people.uma.actor)
    assert await watch.balls() == []


async def test_what_is_held_does_not_slip_while_its_clock_stands_still(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """Paused shown means paused counted: on hold for a day, late a day later."""
    await house.do(verbs.hold, martins, reason="A paper is missing.", by=house.people.tess.actor)
    await watch.pass_time(DAY)
    assert await watch.balls() == []
    await house.do(verbs.resume, martins, by=house.people.tess.actor)
    await watch.pass_time(6 * HOUR - A_MOMENT)
    assert await watch.balls() == []
    await watch.pass_time(2 * A_MOMENT)
    assert await watch.kinds() == [BallKind.STAGE_OVERDUE]


async def test_a_promise_past_its_time_is_before_its_owner_until_it_is_kept(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """A promise is watched like anything else; keeping it late resolves it."""
    due_at = now() + HOUR
    await house.do(
        verbs.make_promise, martins, text="Call Martin.", due_at=due_at,
        by=house.people.tess.actor, owner="uma@acme.example",
    )  # fmt: skip
    await watch.pass_time(HOUR + A_MOMENT)
    (ball,) = await watch.balls()
    assert (ball.kind, ball.owner_id) == (BallKind.PROMISE_DUE, house.people.uma.id)
    promise = (await house.see(martins)).promises[0]
    await house.do(verbs.keep_promise, martins, promise.id, by=house.people.uma.actor)
    assert await watch.balls() == []


async def test_words_of_the_customer_unanswered_past_their_promise_are_raised_and_answered(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """Telesales replies within two hours; a thanks from Martin ends nothing, an answer does."""
    await _write(house, martins, "There is a mistake in my address.")
    await watch.pass_time(2 * HOUR + A_MOMENT)
    assert await watch.kinds() == [BallKind.MESSAGE_UNANSWERED]
    await _write(house, martins, "Thanks")
    assert await watch.kinds() == [BallKind.MESSAGE_UNANSWERED]
    await house.do(verbs.write_to_customer, martins, "It is corrected.", by=house.people.tess.actor)
    assert await watch.balls() == []


async def test_a_question_that_stays_unanswered_is_for_a_person_to_call_about(
    watch: Watchman, house: House
) -> None:
    """Asked, reminded after two days, and two days later a person is asked to call; they do."""
    request = await house.open(by=house.people.tess.actor)
    for who in ("tess", "uma", "pia", "carl", "carl"):
        if any(one.waits for one in (await house.see(request)).handoffs):
            await house.do(verbs.accept, request, by=getattr(house.people, who).actor)
        await house.do(verbs.advance, request, by=getattr(house.people, who).actor)
    await house.do(verbs.ask_what_is_due, request, by=house.people.carl.actor)
    watch.clock.shift(2 * DAY)
    await house.do(verbs.ask_what_is_due, request, by=house.people.carl.actor)
    await watch.look()
    assert BallKind.FOLLOW_UP_UNANSWERED not in await watch.kinds()
    await watch.pass_time(2 * DAY + A_MOMENT)
    assert BallKind.FOLLOW_UP_UNANSWERED in await watch.kinds()
    await house.do(
        verbs.log_contact, request, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        note="Nobody at home.", by=house.people.carl.actor,
    )  # fmt: skip
    assert BallKind.FOLLOW_UP_UNANSWERED not in await watch.kinds()


async def test_a_request_that_goes_back_and_forth_is_before_a_manager(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """Refused once is a mistake; refused twice between the same two is noticed."""
    for times in (1, 2):
        watch.clock.shift(timedelta(minutes=1))
        await house.do(verbs.advance, martins, by=house.people.tess.actor)
        watch.clock.shift(timedelta(minutes=1))
        await house.do(
            verbs.refuse, martins, reason="The form is not signed.", by=house.people.uma.actor
        )
        await watch.look()
        assert (BallKind.BOUNCING in await watch.kinds()) == (times == 2)
    (ball,) = [one for one in await watch.balls() if one.kind == BallKind.BOUNCING]
    assert ball.owner_id == house.people.mona.id


async def test_dismissed_with_a_reason_it_does_not_come_back_for_the_same_time(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """It has a line in the timeline; a new date that passes too is a new ball."""
    await watch.pass_time(7 * HOUR)
    (ball,) = await watch.balls()
    await house.hear(
        verbs.dismiss_ball, ball_id=ball.id, reason="Waits for the move.",
        by=house.people.tess.actor,
    )  # fmt: skip
    await watch.pass_time(HOUR)
    assert await watch.balls() == []
    assert (await house.events(martins))[-1].data["reason"] == "Waits for the move."


async def test_it_goes_to_the_lead_and_then_to_a_manager_by_the_departments_rule(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """Four hours with its owner and a day in all by default; whoever is all three hears once."""
    await house.do(verbs.assign, martins, owner="ada@acme.example", by=house.people.tess.actor)
    await watch.pass_time(6 * HOUR + A_MOMENT)
    (ball,) = await watch.balls()
    assert (ball.level, ball.before) == (Level.OWNER, house.people.ada.id)
    await watch.pass_time(4 * HOUR)
    (ball,) = await watch.balls()
    assert (ball.level, ball.before) == (Level.LEAD, house.people.tess.id)
    await watch.pass_time(20 * HOUR)
    (ball,) = await watch.balls()
    assert (ball.level, ball.before) == (Level.MANAGER, house.people.mona.id)
    assert ball.owner_id == house.people.ada.id
    assert ball.escalated_at is not None
    assert ball.escalates_at is None


async def test_whoever_has_it_before_them_gets_one_mail_and_no_storm(
    watch: Watchman, house: House, relay: Relay, settings: Settings
) -> None:
    """Ten requests slip at once: one mail that names no customer, and none again at the next look."""
    relay.settings = settings.model_copy(
        update={"smtp_url": "smtp://127.0.0.1:9", "mail_from": "kept@acme.example"}
    )
    for number in range(10):
        customer = verbs.CustomerDetails(f"Ann {number}", f"+1415555{number:04}")
        await house.open(customer=customer, by=house.people.tess.actor)
    await watch.pass_time(7 * HOUR)
    await watch.look()
    assert len(await watch.balls()) == 10
    notices = [one for one in await house.messages() if one.kind == MessageKind.NOTICE]
    (notice,) = notices
    assert (notice.to_address, notice.channel) == ("tess@acme.example", Channel.EMAIL)
    assert notice.subject == "10 dropped balls are before you"
    assert "Ann" not in notice.body


async def test_after_an_outage_of_ours_staff_catch_up_before_anything_is_raised(
    watch: Watchman, house: House, martins: ServiceRequest
) -> None:
    """What fell due while nobody kept watch waits a quarter of an hour; what was put right stays quiet."""
    other = await house.open(
        customer=verbs.CustomerDetails("Ann", "+14155550111"), by=house.people.tess.actor
    )
    await watch.look()
    watch.clock.shift(9 * HOUR)
    await watch.watch.once()
    assert await watch.balls() == []
    await house.do(verbs.advance, other, by=house.people.tess.actor)
    await watch.pass_time(timedelta(minutes=15) + A_MOMENT)
    assert [(one.kind, one.request_id) for one in await watch.balls()] == [
        (BallKind.STAGE_OVERDUE, martins.id)
    ]


async def test_one_request_that_cannot_be_looked_at_holds_up_no_other(
    watch: Watchman, house: House, martins: ServiceRequest, database: Database
) -> None:
    """A request whose workflow cannot be read is tried again later; the others are raised."""
    broken = await house.open("permit", by=house.people.tess.actor)
    async with database.transaction() as session:
        held = await session.get_one(ServiceRequest, broken.id)
        run = (await house.see(broken)).runs[0]
        held.watch_at = now()
        (await session.get_one(type(run), run.id)).stage_key = "no such stage"
        (await session.get_one(type(run), run.id)).late_at = now()
    await watch.pass_time(7 * HOUR)
    assert martins.id in {one.request_id for one in await watch.balls()}


async def _write(house: House, request: ServiceRequest, body: str) -> None:
    await house.do(verbs.receive_web_message, request, body, by=THE_CUSTOMER)
