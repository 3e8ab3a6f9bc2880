"""How a promise ends: by a reply, by retraction, or with its request."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict
from portal.models import SYSTEM_ACTOR, EventKind, Promise, PromiseState
from portal.operations import (
    accept,
    advance,
    cancel,
    keep_promise,
    make_promise,
    run_due_follow_ups,
    withdraw_promise,
    write_to_customer,
)
from tests.operations.promises import SOON, the

pytestmark = pytest.mark.either_database


async def test_cancelled_request_misses_its_promise(organisation, promised):
    ended = await organisation.run(cancel, promised, reason="Enough.", by=SYSTEM_ACTOR)
    assert the(ended).state(datetime.now(UTC)) == PromiseState.MISSED
    assert [event.kind for event in await organisation.events(ended)].count(
        EventKind.PROMISE_MISSED
    ) == 1
    with pytest.raises(Conflict):
        await organisation.run(
            make_promise, promised, text="A call.", due_at=datetime.now(UTC) + SOON, by=SYSTEM_ACTOR
        )


async def test_next_reply_fulfils_one_promise_and_a_later_one_stays(
    clock, organisation, card_request
):
    by = organisation.people.tess.actor
    await organisation.run(
        write_to_customer, card_request, "I'll write to you about the fee on Friday.", by=by
    )
    await organisation.run(
        write_to_customer, card_request, "I'll get back to you in an hour.", by=by
    )
    answered = await organisation.run(
        write_to_customer, card_request, "Your limit is 500 dollars.", by=by
    )
    assert [promise.kept_at is None for promise in answered.promises].count(False) == 2


async def test_thanks_close_no_promise(clock, organisation, card_request, texts):
    """The customer's "thanks" is kind; what was promised is still to be done."""
    await organisation.run(
        write_to_customer,
        card_request,
        "I'll call you tomorrow at 3.",
        by=organisation.people.tess.actor,
    )
    await texts("Thanks!")
    seen = await organisation.reload(card_request)
    assert the(seen).state(datetime.now(UTC)) == PromiseState.OPEN
    assert seen.unanswered_since is None


async def test_retracted_promise_does_not_count(clock, organisation, card_request):
    by = organisation.people.tess.actor
    await organisation.run(write_to_customer, card_request, "I'll call you tomorrow at 3.", by=by)
    words = {"reason": "It was a quotation.", "by": by}
    taken = await organisation.run(
        withdraw_promise, card_request, the(await organisation.reload(card_request)).id, **words
    )
    clock.shift(timedelta(days=9))
    assert the(taken).state(datetime.now(UTC)) == PromiseState.WITHDRAWN
    with pytest.raises(Conflict, match="closed already"):
        await organisation.run(keep_promise, card_request, the(taken).id, by=by)
    assert (await organisation.events(card_request))[-1].kind == EventKind.PROMISE_WITHDRAWN


async def test_promise_sent_to_the_customer_cannot_be_retracted(organisation, promised, quietly):
    """It is kept, or moved with a reason. One that they do not know of may go, with a reason."""
    with pytest.raises(Conflict, match="Martin was told of this promise"):
        await organisation.run(
            withdraw_promise, promised, the(promised).id, reason="Busy.", by=SYSTEM_ACTOR
        )
    made = (await quietly(promised)).promises[-1]
    with pytest.raises(BadInput):
        await organisation.run(withdraw_promise, promised, made.id, reason=" ", by=SYSTEM_ACTOR)
    taken = await organisation.run(
        withdraw_promise, promised, made.id, reason="Not needed.", by=SYSTEM_ACTOR
    )
    assert [promise.state(made.due_at) for promise in taken.promises] == [
        PromiseState.OPEN, PromiseState.WITHDRAWN,
    ]  # fmt: skip


def test_promise_is_due_soon_in_its_last_quarter_or_last_hour():
    made = datetime(2025, 6, 3, 14, tzinfo=UTC)
    for lasts, soon in (
        (timedelta(hours=2), timedelta(minutes=30)),
        (SOON * 9, timedelta(hours=1)),
    ):
        promise = Promise(
            request_id=1, owner_id=1, department_id=1, made_at=made, due_at=made + lasts
        )
        assert promise.is_due_soon(promise.due_at - soon)
        assert promise.is_due_soon(promise.due_at)
        assert not promise.is_due_soon(promise.due_at - soon - timedelta(seconds=1))
        assert not promise.is_due_soon(promise.due_at + timedelta(seconds=1))


async def test_declined_request_misses_its_promise(clock, organisation, texts):
    """Also where the customer's own word ends it: each way of ending says so in the timeline."""
    by = organisation.people.ben.actor
    repair = await organisation.open("repair", by=by)
    due_at = datetime.now(UTC) + SOON
    await organisation.run(make_promise, repair, text="A call", due_at=due_at, by=by)
    await organisation.run(advance, repair, by=by)
    await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
    await texts("NO")
    seen = await organisation.reload(repair)
    assert seen.status == "declined"
    assert the(seen).state(due_at) == PromiseState.MISSED
    assert [event.kind for event in await organisation.events(repair)].count(
        EventKind.PROMISE_MISSED
    ) == 1


async def test_completed_request_keeps_its_promise_open(clock, organisation, promised, texts):
    """What was promised is done or late also after all the rest is done."""
    people = organisation.people
    await organisation.run(advance, promised, by=people.tess.actor)
    for person, last in ((people.uma, False), (people.pia, False), (people.carl, True)):
        await organisation.run(accept, promised, by=person.actor)
        await organisation.run(advance, promised, by=person.actor)
        if last:
            await organisation.run(advance, promised, by=person.actor)
    await organisation.run(run_due_follow_ups, promised, by=SYSTEM_ACTOR)
    await texts("YES")
    seen = await organisation.reload(promised)
    assert seen.status == "completed"
    assert the(seen).state(the(seen).due_at) == PromiseState.OPEN
    kept = await organisation.run(keep_promise, promised, the(promised).id, by=people.tess.actor)
    assert the(kept).kept_at


async def test_no_that_closes_the_request_leaves_the_customers_question_owed(
    clock, organisation, texts
):
    """The NO is taken, and the reply says who still answers the question, and by when."""
    by = organisation.people.ben.actor
    repair = await organisation.open("repair", by=by)
    await organisation.run(advance, repair, by=by)
    await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
    await texts("Why does it cost so much?")
    [promise] = (await organisation.reload(repair)).promises
    reply = await texts("NO")
    seen = await organisation.reload(repair)
    assert seen.status == "declined"
    assert the(seen).is_open
    assert (the(seen).owner_id, the(seen).due_at) == (promise.owner_id, promise.due_at)
    assert "Ben at Repair Bench still answers your question by Tue 3 Jun" in reply.body
    answered = await organisation.run(write_to_customer, repair, "A new display.", by=by)
    assert the(answered).kept_at


async def test_no_that_asks_something_has_one_owner(clock, organisation, texts):
    """What the NO itself asks is covered by the answer that is owed already, and said once."""
    by = organisation.people.ben.actor
    repair = await organisation.open("repair", by=by)
    await organisation.run(advance, repair, by=by)
    await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
    await texts("Why does it cost so much?")
    reply = await texts("No. When can I collect it?")
    seen = await organisation.reload(repair)
    assert (seen.status, [promise.is_open for promise in seen.promises]) == ("declined", [True])
    assert reply.body.count("Ben at Repair Bench") == 1
