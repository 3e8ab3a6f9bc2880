"""A promise is a row with an owner and a time; the customer hears of it and of every change."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict, NotFound
from portal.models import KEPT, EventKind, MessageKind, Promise, PromiseState
from portal.relay import cancel, disable_staff, keep_promise, make_promise, move_promise

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
