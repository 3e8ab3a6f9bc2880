"""A promise is a row with an owner and a time; the customer hears of it and of every change."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict, NotFound
from portal.models import (
    SYSTEM_ACTOR,
    ContactChannel,
    ContactReason,
    EventKind,
    MessageKind,
    Promise,
    PromiseKind,
    PromiseState,
)
from portal.operations import (
    accept,
    advance,
    cancel,
    disable_staff,
    keep_promise,
    log_contact,
    make_promise,
    move_promise,
    run_due_follow_ups,
    withdraw_promise,
    write_to_customer,
)

pytestmark = pytest.mark.either_database

SOON = timedelta(hours=3)


@pytest.fixture
async def promised(clock, organisation):
    """Tess has promised Martin a call in three hours."""
    card = await organisation.open(by=organisation.people.tess.actor)
    return await organisation.run(
        make_promise, card, text="I will call you about the limit",
        due_at=datetime.now(UTC) + SOON, by=organisation.people.tess.actor,
    )  # fmt: skip


def the(request) -> Promise:
    [promise] = request.promises
    return promise


async def test_it_has_an_owner_and_a_time_and_the_customer_is_told(organisation, promised):
    assert the(promised).owner_id == organisation.people.tess.id
    told = (await organisation.outbound_messages(promised))[-1]
    assert told.kind == MessageKind.PROMISE
    assert "Tess at Telesales: I will call you about the limit. By 1 pm." in told.body


async def test_promise_state_follows_time(promised):
    promise, due = the(promised), the(promised).due_at
    assert promise.state(due) == PromiseState.OPEN
    assert promise.state(due + timedelta(seconds=1)) == PromiseState.LATE


async def test_it_can_be_kept_once(organisation, promised):
    kept = await organisation.run(
        keep_promise, promised, the(promised).id, by=organisation.people.tess.actor
    )
    assert the(kept).state(datetime.now(UTC)) == PromiseState.KEPT
    with pytest.raises(Conflict, match="closed already"):
        await organisation.run(
            keep_promise, promised, the(promised).id, by=organisation.people.tess.actor
        )


async def test_late_promise_is_fulfilled(clock, organisation, promised):
    clock.shift(SOON * 2)
    kept = await organisation.run(keep_promise, promised, the(promised).id, by=SYSTEM_ACTOR)
    assert the(kept).state(datetime.now(UTC)) == PromiseState.KEPT
    assert the(kept).kept_at > the(kept).due_at


async def test_rescheduled_promise_notifies_customer_with_reason(organisation, promised):
    later = the(promised).due_at + timedelta(days=1)
    moved = await organisation.run(
        move_promise, promised, the(promised).id, due_at=later, reason="The bank is closed.",
        by=organisation.people.tess.actor,
    )  # fmt: skip
    assert (the(moved).due_at, the(moved).moved_reason) == (later, "The bank is closed.")
    told = (await organisation.outbound_messages(moved))[-1]
    assert "Tess needs more time" in told.body
    assert "Now by tomorrow, 1 pm" in told.body


@pytest.mark.parametrize(
    "words",
    [
        {"text": "", "due_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"text": "A call.", "due_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"text": "x" * 100_000, "due_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"text": "A call.", "due_at": datetime(2030, 1, 1, tzinfo=UTC), "owner": "who@x.example"},
    ],
)
async def test_one_that_cannot_be_kept_is_not_made(clock, organisation, words):
    card = await organisation.open(by=SYSTEM_ACTOR)
    with pytest.raises(BadInput):
        await organisation.run(make_promise, card, by=SYSTEM_ACTOR, **words)
    seen = await organisation.reload(card)
    assert not seen.promises
    assert seen.version == card.version
    assert len(await organisation.outbound_messages(card)) == 1


async def test_it_is_never_moved_without_a_reason_or_into_the_past(organisation, promised):
    words = {"due_at": datetime(2030, 1, 1, tzinfo=UTC), "reason": " "}
    with pytest.raises(BadInput):
        await organisation.run(move_promise, promised, the(promised).id, by=SYSTEM_ACTOR, **words)
    words = {"due_at": datetime(2020, 1, 1, tzinfo=UTC), "reason": "Why not."}
    with pytest.raises(BadInput):
        await organisation.run(move_promise, promised, the(promised).id, by=SYSTEM_ACTOR, **words)
    assert the(await organisation.reload(promised)).due_at == the(promised).due_at


async def test_a_promise_of_another_request_is_not_found(organisation, promised):
    other = await organisation.open(by=SYSTEM_ACTOR)
    with pytest.raises(NotFound):
        await organisation.run(keep_promise, other, the(promised).id, by=SYSTEM_ACTOR)


async def test_it_may_have_an_owner_of_its_own(organisation, promised):
    with_pia = await organisation.run(
        make_promise, promised, text="A new card.", due_at=the(promised).due_at,
        owner="Pia@acme.example", by=SYSTEM_ACTOR,
    )  # fmt: skip
    assert [one.owner_id for one in with_pia.promises] == [
        organisation.people.tess.id, organisation.people.pia.id,
    ]  # fmt: skip


async def test_when_its_owner_leaves_somebody_else_owns_it(organisation, promised):
    await organisation.run_unbound(disable_staff, email="tess@acme.example", by=SYSTEM_ACTOR)
    assert the(await organisation.reload(promised)).owner_id == organisation.people.tom.id


async def test_a_request_that_is_cancelled_has_missed_it(organisation, promised):
    ended = await organisation.run(cancel, promised, reason="Enough.", by=SYSTEM_ACTOR)
    assert the(ended).state(datetime.now(UTC)) == PromiseState.MISSED
    assert [one.kind for one in await organisation.events(ended)].count(
        EventKind.PROMISE_MISSED
    ) == 1
    with pytest.raises(Conflict):
        await organisation.run(
            make_promise, promised, text="A call.", due_at=datetime.now(UTC) + SOON, by=SYSTEM_ACTOR
        )


@pytest.fixture
def quietly(organisation):
    """Makes a promise that the customer does not know of."""

    async def make(request, **words):
        due_at = datetime.now(UTC) + SOON
        return await organisation.run(
            make_promise, request, text="Ask the bank", due_at=due_at, tell=False,
            by=organisation.people.tess.actor, **words,
        )  # fmt: skip

    return make


async def test_internal_promise_reschedule_sends_nothing(
    clock, organisation, card_request, quietly
):
    """And nothing of it shows on the customer's page, which does not move."""
    promise = the(await quietly(card_request))
    moved = await organisation.run(
        move_promise, card_request, promise.id, due_at=promise.due_at + SOON, reason="Closed today.",
        by=organisation.people.tess.actor,
    )  # fmt: skip
    assert the(moved).due_at == promise.due_at + SOON
    assert len(await organisation.outbound_messages(card_request)) == 1
    assert moved.page_version == card_request.page_version
    made = [
        one
        for one in await organisation.events(card_request)
        if one.kind.value.startswith("promise")
    ]
    assert not any(one.visible for one in made)


async def test_what_we_write_that_we_will_do_is_promised_by_the_same_words(
    clock, organisation, card_request
):
    """For the time that was named, by whoever wrote; the words themselves tell the customer."""
    said = await organisation.run(
        write_to_customer, card_request, "Thank you, Martin. I'll call you tomorrow at 3.",
        by=organisation.people.tom.actor,
    )  # fmt: skip
    promise = the(said)
    assert (promise.kind, promise.text, promise.owner_id) == (
        PromiseKind.CALL, "I'll call you", organisation.people.tom.id,
    )  # fmt: skip
    assert promise.due_at == datetime(2025, 6, 4, 19, tzinfo=UTC)
    assert promise.is_told
    assert [one.kind for one in await organisation.outbound_messages(said)][1:] == [
        MessageKind.STAFF
    ]
    called = await organisation.run(
        log_contact, said, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        by=organisation.people.tom.actor,
    )  # fmt: skip
    assert the(called).kept_at


async def test_without_a_time_it_is_for_when_the_department_answers(
    clock, organisation, card_request
):
    """A key writes: then it is the promise of whoever has the request."""
    said = await organisation.run(
        write_to_customer, card_request, "I'll get right back to you.", by=SYSTEM_ACTOR
    )
    assert the(said).due_at == datetime.now(UTC) + timedelta(hours=2)
    assert (the(said).kind, the(said).owner_id) == (PromiseKind.ANSWER, organisation.people.tess.id)


async def test_next_reply_fulfils_it_and_later_promise_stays(clock, organisation, card_request):
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
    assert [one.kept_at is None for one in answered.promises].count(False) == 2


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


async def test_a_promise_that_the_customer_was_given_is_not_taken_back(
    organisation, promised, quietly
):
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
    assert [one.state(made.due_at) for one in taken.promises] == [
        PromiseState.OPEN, PromiseState.WITHDRAWN,
    ]  # fmt: skip


def test_it_is_due_soon_in_the_last_quarter_of_its_time_and_at_most_its_last_hour():
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


async def test_a_request_that_is_declined_has_missed_it(clock, organisation, texts):
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
    assert [one.kind for one in await organisation.events(repair)].count(
        EventKind.PROMISE_MISSED
    ) == 1


async def test_a_request_that_is_completed_still_owes_it(clock, organisation, promised, texts):
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
