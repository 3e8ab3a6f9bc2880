"""A promise has an owner and a due time; the customer gets it and each change of it."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict, NotFound
from portal.models import (
    SYSTEM_ACTOR,
    ContactChannel,
    ContactReason,
    MessageKind,
    PromiseKind,
    PromiseState,
)
from portal.operations import (
    disable_staff,
    keep_promise,
    log_contact,
    make_promise,
    move_promise,
    write_to_customer,
)
from tests.operations.promises import SOON, the
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


async def test_promise_has_owner_and_due_time_and_is_sent_to_the_customer(organisation, promised):
    assert the(promised).owner_id == organisation.people.tess.id
    told = (await organisation.outbound_messages(promised))[-1]
    assert told.kind == MessageKind.PROMISE
    assert "Tess at Telesales: I will call you about the limit. By Tue 3 Jun, 1 pm." in told.body


@pytest.mark.parametrize(
    "later",
    ["I will call you tomorrow at 5:30 pm instead.", "I will call you tomorrow at 5:30 pm."],
)
async def test_second_call_of_the_same_person_moves_the_first(
    clock, organisation, card_request, client, later
):
    tess, tom = organisation.people.tess.actor, organisation.people.tom.actor
    await organisation.run(
        write_to_customer, card_request, "I will call you tomorrow at 3.", by=tess
    )
    clock.shift(timedelta(minutes=5))
    moved = await organisation.run(write_to_customer, card_request, later, by=tess)
    calls = [promise for promise in moved.promises if promise.kind == PromiseKind.CALL]
    assert [call.due_at for call in calls] == [datetime(2025, 6, 4, 21, 30, tzinfo=UTC)]
    words = read(await client.get(link(card_request))).partition("Conversation")[0]
    assert words.count("I will call you") == 1
    assert "5:30 pm" in words
    beside = await organisation.run(
        write_to_customer, card_request, "I will call you tomorrow at 4.", by=tom
    )
    assert len([each for each in beside.promises if each.kind == PromiseKind.CALL]) == 2


async def test_promise_state_follows_time(promised):
    promise, due = the(promised), the(promised).due_at
    assert promise.state(due) == PromiseState.OPEN
    assert promise.state(due + timedelta(seconds=1)) == PromiseState.LATE


async def test_promise_is_fulfilled_once(organisation, promised):
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
    assert "Now by Wed 4 Jun, 1 pm" in told.body


@pytest.mark.parametrize(
    "words",
    [
        {"text": "", "due_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"text": "A call.", "due_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"text": "x" * 100_000, "due_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"text": "A call.", "due_at": datetime(2030, 1, 1, tzinfo=UTC), "owner": "who@x.example"},
    ],
)
async def test_impossible_promise_is_rejected(clock, organisation, words):
    card = await organisation.open(by=SYSTEM_ACTOR)
    with pytest.raises(BadInput):
        await organisation.run(make_promise, card, by=SYSTEM_ACTOR, **words)
    seen = await organisation.reload(card)
    assert not seen.promises
    assert seen.version == card.version
    assert len(await organisation.outbound_messages(card)) == 1


async def test_rescheduling_needs_a_reason_and_a_future_time(organisation, promised):
    words = {"due_at": datetime(2030, 1, 1, tzinfo=UTC), "reason": " "}
    with pytest.raises(BadInput):
        await organisation.run(move_promise, promised, the(promised).id, by=SYSTEM_ACTOR, **words)
    words = {"due_at": datetime(2020, 1, 1, tzinfo=UTC), "reason": "Why not."}
    with pytest.raises(BadInput):
        await organisation.run(move_promise, promised, the(promised).id, by=SYSTEM_ACTOR, **words)
    assert the(await organisation.reload(promised)).due_at == the(promised).due_at


async def test_promise_of_another_request_is_not_found(organisation, promised):
    other = await organisation.open(by=SYSTEM_ACTOR)
    with pytest.raises(NotFound):
        await organisation.run(keep_promise, other, the(promised).id, by=SYSTEM_ACTOR)


async def test_promise_may_have_its_own_owner(organisation, promised):
    with_pia = await organisation.run(
        make_promise, promised, text="A new card.", due_at=the(promised).due_at,
        owner="Pia@acme.example", by=SYSTEM_ACTOR,
    )  # fmt: skip
    assert [promise.owner_id for promise in with_pia.promises] == [
        organisation.people.tess.id, organisation.people.pia.id,
    ]  # fmt: skip


async def test_promise_of_a_disabled_owner_gets_another_owner(organisation, promised):
    await organisation.run_unbound(disable_staff, email="tess@acme.example", by=SYSTEM_ACTOR)
    assert the(await organisation.reload(promised)).owner_id == organisation.people.tom.id


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
        event
        for event in await organisation.events(card_request)
        if event.kind.value.startswith("promise")
    ]
    assert not any(event.visible for event in made)


async def test_commitment_in_a_reply_becomes_a_promise_with_the_same_text(
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
    assert [message.kind for message in await organisation.outbound_messages(said)][1:] == [
        MessageKind.STAFF
    ]
    called = await organisation.run(
        log_contact, said, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        by=organisation.people.tom.actor,
    )  # fmt: skip
    assert the(called).kept_at


async def test_promise_without_a_time_uses_the_departments_answer_time(
    clock, organisation, card_request
):
    """A key writes: then it is the promise of whoever has the request."""
    said = await organisation.run(
        write_to_customer, card_request, "I'll get right back to you.", by=SYSTEM_ACTOR
    )
    assert the(said).due_at == datetime.now(UTC) + timedelta(hours=2)
    assert (the(said).kind, the(said).owner_id) == (PromiseKind.ANSWER, organisation.people.tess.id)
