"""A promise is a row with an owner and a time; the customer hears of it and of every change."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict, NotFound
from portal.models import (
    KEPT,
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
    ask_what_is_due,
    cancel,
    disable_staff,
    keep_promise,
    log_contact,
    make_promise,
    move_promise,
    withdraw_promise,
    write_to_customer,
)

pytestmark = pytest.mark.either_database

SOON = timedelta(hours=3)


@pytest.fixture
async def promised(clock, house):
    """Tess has promised Martin a call in three hours."""
    card = await house.open(by=house.people.tess.actor)
    return await house.do(
        make_promise, card, text="I will call you about the limit",
        due_at=datetime.now(UTC) + SOON, by=house.people.tess.actor,
    )  # fmt: skip


def the(request) -> Promise:
    [promise] = request.promises
    return promise


async def test_it_has_an_owner_and_a_time_and_the_customer_is_told(house, promised):
    assert the(promised).owner_id == house.people.tess.id
    told = (await house.told(promised))[-1]
    assert told.kind == MessageKind.PROMISE
    assert "Tess at Telesales: I will call you about the limit. By 1 pm." in told.body


async def test_its_state_is_a_matter_of_time(promised):
    promise, due = the(promised), the(promised).due_at
    assert promise.state(due) == PromiseState.OPEN
    assert promise.state(due + timedelta(seconds=1)) == PromiseState.LATE


async def test_it_can_be_kept_once(house, promised):
    kept = await house.do(keep_promise, promised, the(promised).id, by=house.people.tess.actor)
    assert the(kept).state(datetime.now(UTC)) == PromiseState.KEPT
    with pytest.raises(Conflict, match="closed already"):
        await house.do(keep_promise, promised, the(promised).id, by=house.people.tess.actor)


async def test_kept_late_it_is_kept(clock, house, promised):
    clock.shift(SOON * 2)
    kept = await house.do(keep_promise, promised, the(promised).id, by=KEPT)
    assert the(kept).state(datetime.now(UTC)) == PromiseState.KEPT
    assert the(kept).kept_at > the(kept).due_at


async def test_moved_it_has_a_new_time_and_the_customer_is_told_why(house, promised):
    later = the(promised).due_at + timedelta(days=1)
    moved = await house.do(
        move_promise, promised, the(promised).id, due_at=later, reason="The bank is closed.",
        by=house.people.tess.actor,
    )  # fmt: skip
    assert (the(moved).due_at, the(moved).moved_reason) == (later, "The bank is closed.")
    told = (await house.told(moved))[-1]
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
async def test_one_that_cannot_be_kept_is_not_made(clock, house, words):
    card = await house.open(by=KEPT)
    with pytest.raises(BadInput):
        await house.do(make_promise, card, by=KEPT, **words)
    seen = await house.see(card)
    assert not seen.promises
    assert seen.version == card.version
    assert len(await house.told(card)) == 1


async def test_it_is_never_moved_without_a_reason_or_into_the_past(house, promised):
    words = {"due_at": datetime(2030, 1, 1, tzinfo=UTC), "reason": " "}
    with pytest.raises(BadInput):
        await house.do(move_promise, promised, the(promised).id, by=KEPT, **words)
    words = {"due_at": datetime(2020, 1, 1, tzinfo=UTC), "reason": "Why not."}
    with pytest.raises(BadInput):
        await house.do(move_promise, promised, the(promised).id, by=KEPT, **words)
    assert the(await house.see(promised)).due_at == the(promised).due_at


async def test_a_promise_of_another_request_is_not_found(house, promised):
    other = await house.open(by=KEPT)
    with pytest.raises(NotFound):
        await house.do(keep_promise, other, the(promised).id, by=KEPT)


async def test_it_may_have_an_owner_of_its_own(house, promised):
    with_pia = await house.do(
        make_promise, promised, text="A new card.", due_at=the(promised).due_at,
        owner="Pia@acme.example", by=KEPT,
    )  # fmt: skip
    assert [one.owner_id for one in with_pia.promises] == [
        house.people.tess.id, house.people.pia.id,
    ]  # fmt: skip


async def test_when_its_owner_leaves_somebody_else_owns_it(house, promised):
    await house.hear(disable_staff, email="tess@acme.example", by=KEPT)
    assert the(await house.see(promised)).owner_id == house.people.tom.id


async def test_a_request_that_is_cancelled_has_missed_it(house, promised):
    ended = await house.do(cancel, promised, reason="Enough.", by=KEPT)
    assert the(ended).state(datetime.now(UTC)) == PromiseState.MISSED
    assert [one.kind for one in await house.events(ended)].count(EventKind.PROMISE_MISSED) == 1
    with pytest.raises(Conflict):
        await house.do(
            make_promise, promised, text="A call.", due_at=datetime.now(UTC) + SOON, by=KEPT
        )


@pytest.fixture
def quietly(house):
    """Makes a promise that the customer does not know of."""

    async def make(request, **words):
        due_at = datetime.now(UTC) + SOON
        return await house.do(
            make_promise, request, text="Ask the bank", due_at=due_at, tell=False,
            by=house.people.tess.actor, **words,
        )  # fmt: skip

    return make


async def test_one_that_only_we_know_of_is_moved_without_a_word(clock, house, martins, quietly):
    """And nothing of it shows on the customer's page, which does not move."""
    promise = the(await quietly(martins))
    moved = await house.do(
        move_promise, martins, promise.id, due_at=promise.due_at + SOON, reason="Closed today.",
        by=house.people.tess.actor,
    )  # fmt: skip
    assert the(moved).due_at == promise.due_at + SOON
    assert len(await house.told(martins)) == 1
    assert moved.page_version == martins.page_version
    made = [one for one in await house.events(martins) if one.kind.value.startswith("promise")]
    assert not any(one.visible for one in made)


async def test_what_we_write_that_we_will_do_is_promised_by_the_same_words(clock, house, martins):
    """For the time that was named, by whoever wrote; the words themselves tell the customer."""
    said = await house.do(
        write_to_customer, martins, "Thank you, Martin. I'll call you tomorrow at 3.",
        by=house.people.tom.actor,
    )  # fmt: skip
    promise = the(said)
    assert (promise.kind, promise.text, promise.owner_id) == (
        PromiseKind.CALL, "I'll call you", house.people.tom.id,
    )  # fmt: skip
    assert promise.due_at == datetime(2025, 6, 4, 19, tzinfo=UTC)
    assert promise.is_told
    assert [one.kind for one in await house.told(said)][1:] == [MessageKind.STAFF]
    called = await house.do(
        log_contact, said, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        by=house.people.tom.actor,
    )  # fmt: skip
    assert the(called).kept_at


async def test_without_a_time_it_is_for_when_the_department_answers(clock, house, martins):
    """A key writes: then it is the promise of whoever has the request."""
    said = await house.do(write_to_customer, martins, "I'll get right back to you.", by=KEPT)
    assert the(said).due_at == datetime.now(UTC) + timedelta(hours=2)
    assert (the(said).kind, the(said).owner_id) == (PromiseKind.ANSWER, house.people.tess.id)


async def test_our_next_words_keep_it_and_a_later_one_still_stands(clock, house, martins):
    by = house.people.tess.actor
    await house.do(write_to_customer, martins, "I'll write to you about the fee on Friday.", by=by)
    await house.do(write_to_customer, martins, "I'll get back to you in an hour.", by=by)
    answered = await house.do(write_to_customer, martins, "Your limit is 500 dollars.", by=by)
    assert [one.kept_at is None for one in answered.promises].count(False) == 2


async def test_thanks_close_no_promise(clock, house, martins, texts):
    """The customer's "thanks" is kind; what was promised is still to be done."""
    await house.do(
        write_to_customer, martins, "I'll call you tomorrow at 3.", by=house.people.tess.actor
    )
    await texts("Thanks!")
    seen = await house.see(martins)
    assert the(seen).state(datetime.now(UTC)) == PromiseState.OPEN
    assert seen.unanswered_since is None


async def test_what_was_none_is_taken_back_and_counts_for_nothing(clock, house, martins):
    by = house.people.tess.actor
    await house.do(write_to_customer, martins, "I'll call you tomorrow at 3.", by=by)
    words = {"reason": "It was a quotation.", "by": by}
    taken = await house.do(withdraw_promise, martins, the(await house.see(martins)).id, **words)
    clock.shift(timedelta(days=9))
    assert the(taken).state(datetime.now(UTC)) == PromiseState.WITHDRAWN
    with pytest.raises(Conflict, match="closed already"):
        await house.do(keep_promise, martins, the(taken).id, by=by)
    assert (await house.events(martins))[-1].kind == EventKind.PROMISE_WITHDRAWN


async def test_a_promise_that_the_customer_was_given_is_not_taken_back(house, promised, quietly):
    """It is kept, or moved with a reason. One that they do not know of may go, with a reason."""
    with pytest.raises(Conflict, match="Martin was told of this promise"):
        await house.do(withdraw_promise, promised, the(promised).id, reason="Busy.", by=KEPT)
    made = (await quietly(promised)).promises[-1]
    with pytest.raises(BadInput):
        await house.do(withdraw_promise, promised, made.id, reason=" ", by=KEPT)
    taken = await house.do(withdraw_promise, promised, made.id, reason="Not needed.", by=KEPT)
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


async def test_a_request_that_is_declined_has_missed_it(clock, house, texts):
    """Also where the customer's own word ends it: each way of ending says so in the timeline."""
    by = house.people.ben.actor
    repair = await house.open("repair", by=by)
    due_at = datetime.now(UTC) + SOON
    await house.do(make_promise, repair, text="A call", due_at=due_at, by=by)
    await house.do(advance, repair, by=by)
    await house.do(ask_what_is_due, repair, by=KEPT)
    await texts("NO")
    seen = await house.see(repair)
    assert seen.status == "declined"
    assert the(seen).state(due_at) == PromiseState.MISSED
    assert [one.kind for one in await house.events(repair)].count(EventKind.PROMISE_MISSED) == 1


async def test_a_request_that_is_completed_still_owes_it(clock, house, promised, texts):
    """What was promised is done or late also after all the rest is done."""
    people = house.people
    await house.do(advance, promised, by=people.tess.actor)
    for person, last in ((people.uma, False), (people.pia, False), (people.carl, True)):
        await house.do(accept, promised, by=person.actor)
        await house.do(advance, promised, by=person.actor)
        if last:
            await house.do(advance, promised, by=person.actor)
    await house.do(ask_what_is_due, promised, by=KEPT)
    await texts("YES")
    seen = await house.see(promised)
    assert seen.status == "completed"
    assert the(seen).state(the(seen).due_at) == PromiseState.OPEN
    kept = await house.do(keep_promise, promised, the(promised).id, by=people.tess.actor)
    assert the(kept).kept_at
