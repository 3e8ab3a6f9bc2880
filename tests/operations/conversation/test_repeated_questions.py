"""A customer who asks again after the due time gets a new one, and one answer fulfils both."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from portal.models import (
    ContactChannel,
    ContactReason,
    DroppedBallKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import accept, advance, log_contact, make_promise, write_to_customer
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation
from tests.support.twilio_client import CustomerPhone

pytestmark = pytest.mark.either_database

HOUR = timedelta(hours=1)


async def test_repeated_question_after_due_time_gets_an_achievable_time(
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
    texts: CustomerPhone,
) -> None:
    """Telesales answers within two hours; what was promised first stays as late as it is."""
    await texts("There is a mistake in my address.")
    clock.shift(3 * HOUR)
    again = await texts("Have you read my message?")
    assert again.body.endswith("Tess at Telesales will answer you by Tue 3 Jun, 3 pm.")
    late, anew = (await organisation.reload(card_request)).promises
    assert late.due_at < datetime.now(UTC) < anew.due_at
    third = await texts("Hello?")
    assert "Got this too, Martin." in third.body
    assert len((await organisation.reload(card_request)).promises) == 2
    await organisation.run(
        write_to_customer, card_request, "It is corrected.", by=organisation.people.tess.actor
    )
    assert all(promise.kept_at for promise in (await organisation.reload(card_request)).promises)


async def test_answer_today_does_not_fulfil_a_later_promise(
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
    texts: CustomerPhone,
) -> None:
    later = datetime.now(UTC) + 72 * HOUR
    await organisation.run(
        make_promise, card_request, text="Write about the rate.", due_at=later, kind=PromiseKind.ANSWER,
        by=organisation.people.tess.actor,
    )  # fmt: skip
    clock.shift(HOUR)
    await texts("There is a mistake in my address.")
    await organisation.run(
        write_to_customer, card_request, "It is corrected.", by=organisation.people.tess.actor
    )
    open_still = [
        promise.text
        for promise in (await organisation.reload(card_request)).promises
        if promise.is_open
    ]
    assert open_still == ["Write about the rate."]


async def test_repeated_call_request_is_rescheduled_and_one_call_fulfils_both(
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
    texts: CustomerPhone,
) -> None:
    await texts("Please call me")
    clock.shift(3 * HOUR)
    await texts("Please call me")
    assert len((await organisation.reload(card_request)).promises) == 2
    await organisation.run(
        log_contact, card_request, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        by=organisation.people.tess.actor,
    )  # fmt: skip
    assert all(promise.kept_at for promise in (await organisation.reload(card_request)).promises)


async def test_dropped_ball_keeps_its_assignee_when_the_customer_asks_again(
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
    texts: CustomerPhone,
) -> None:
    """Asking again neither resolves it nor begins it anew, and is no second ball."""
    watch = DetectionDriver(organisation.operations, clock, organisation.database)
    await texts("There is a mistake in my address.")
    await watch.advance_clock(3 * HOUR)
    (before,) = await watch.balls()
    await texts("Have you read my message?")
    await watch.advance_clock(HOUR)
    (after,) = await watch.balls()
    assert (after.id, after.kind) == (before.id, DroppedBallKind.MESSAGE_UNANSWERED)


async def test_late_acceptance_shows_a_future_date(
    clock: time_machine.Traveller, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The date was told from the opening; a department that comes late is not done by then."""
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    clock.shift(timedelta(days=9))
    taken = await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    (run,) = taken.open_runs
    assert run.due_at == datetime.now(UTC) + timedelta(days=1)
    assert run.is_overdue(datetime.now(UTC)), "by its own clock it is late as before"
    assert (
        "being checked. Next step by Fri 13 Jun."
        in (await organisation.outbound_messages(taken))[-1].body
    )
