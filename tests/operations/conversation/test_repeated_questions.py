"""Who writes again because we are late is given a time to come, and one answer is enough."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from portal.models import BallKind, ContactChannel, ContactReason, PromiseKind, ServiceRequest
from portal.operations import accept, advance, log_contact, make_promise, write_to_customer
from tests.support.dropped_ball_helpers import Watchman
from tests.support.factories import House
from tests.support.twilio_client import Phone

pytestmark = pytest.mark.either_database

HOUR = timedelta(hours=1)


async def test_asked_again_past_our_time_we_name_one_that_we_can_keep(
    clock: time_machine.Traveller, house: House, martins: ServiceRequest, texts: Phone
) -> None:
    """Telesales answers within two hours; what was promised first stays as late as it is."""
    await texts("There is a mistake in my address.")
    clock.shift(3 * HOUR)
    again = await texts("Have you read my message?")
    assert again.body.endswith("Telesales has your message and will answer by 3 pm.")
    late, anew = (await house.see(martins)).promises
    assert late.due_at < datetime.now(UTC) < anew.due_at
    third = await texts("Hello?")
    assert "Thank you, we have added this" in third.body
    assert len((await house.see(martins)).promises) == 2
    await house.do(write_to_customer, martins, "It is corrected.", by=house.people.tess.actor)
    assert all(one.kept_at for one in (await house.see(martins)).promises)


async def test_a_promise_for_a_later_day_is_not_kept_by_an_answer_of_today(
    clock: time_machine.Traveller, house: House, martins: ServiceRequest, texts: Phone
) -> None:
    later = datetime.now(UTC) + 72 * HOUR
    await house.do(
        make_promise, martins, text="Write about the rate.", due_at=later, kind=PromiseKind.ANSWER,
        by=house.people.tess.actor,
    )  # fmt: skip
    clock.shift(HOUR)
    await texts("There is a mistake in my address.")
    await house.do(write_to_customer, martins, "It is corrected.", by=house.people.tess.actor)
    open_still = [one.text for one in (await house.see(martins)).promises if one.is_open]
    assert open_still == ["Write about the rate."]


async def test_a_call_asked_for_again_past_its_time_gets_a_new_one_and_one_call_keeps_both(
    clock: time_machine.Traveller, house: House, martins: ServiceRequest, texts: Phone
) -> None:
    await texts("Please call me")
    clock.shift(3 * HOUR)
    await texts("Please call me")
    assert len((await house.see(martins)).promises) == 2
    await house.do(
        log_contact, martins, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        by=house.people.tess.actor,
    )  # fmt: skip
    assert all(one.kept_at for one in (await house.see(martins)).promises)


async def test_what_was_dropped_stays_before_whom_it_was_when_the_customer_asks_again(
    clock: time_machine.Traveller,
    house: House,
    martins: ServiceRequest,
    texts: Phone,
) -> None:
    """Asking again neither resolves it nor begins it anew, and is no second ball."""
    watch = Watchman(house.relay, clock, house.database)
    await texts("There is a mistake in my address.")
    await watch.pass_time(3 * HOUR)
    (before,) = await watch.balls()
    await texts("Have you read my message?")
    await watch.pass_time(HOUR)
    (after,) = await watch.balls()
    assert (after.id, after.kind) == (before.id, BallKind.MESSAGE_UNANSWERED)


async def test_taken_up_late_the_customer_reads_a_date_to_come(
    clock: time_machine.Traveller, house: House, martins: ServiceRequest
) -> None:
    """The date was told from the opening; a department that comes late is not done by then."""
    await house.do(advance, martins, by=house.people.tess.actor)
    clock.shift(timedelta(days=9))
    taken = await house.do(accept, martins, by=house.people.uma.actor)
    (run,) = taken.open_runs
    assert run.due_at == datetime.now(UTC) + timedelta(days=1)
    assert run.is_late(datetime.now(UTC)), "by its own clock it is late as before"
    assert "being checked. Next by tomorrow." in (await house.told(taken))[-1].body
