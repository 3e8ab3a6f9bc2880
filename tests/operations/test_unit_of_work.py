"""One turn is one transaction: two versions, two colleagues at once, and nothing said twice."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from portal.errors import NotFound, PortalError, Stale
from portal.models import (
    KEPT,
    THE_CUSTOMER,
    ContactChannel,
    ContactReason,
    Event,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.operations import (
    accept,
    advance,
    assign,
    hold,
    log_contact,
    receive_text,
    receive_web_message,
    write_to_customer,
)
from tests.support.factories import MARTIN


async def test_a_change_made_from_an_old_page_is_refused_and_changes_nothing(house, martins):
    moved = await house.do(advance, martins, by=KEPT, version=martins.version)
    with pytest.raises(Stale, match="has changed since you looked at it"):
        await house.do(hold, martins, reason="Wait.", by=KEPT, version=martins.version)
    seen = await house.see(martins)
    assert (seen.version, seen.status) == (moved.version, moved.status)


async def test_a_customers_message_does_not_make_a_colleagues_click_stale(house, martins):
    await house.do(receive_web_message, martins, "Where is my card?", by=THE_CUSTOMER)
    words = {"sender": MARTIN.phone, "to": "+15005550006"}
    await house.hear(receive_text, sid="SM1", body="Hello?", by=THE_CUSTOMER, **words)
    await house.do(write_to_customer, martins, "On its way.", by=house.people.tess.actor)
    await house.do(
        log_contact, martins, channel=ContactChannel.CALL, reason=ContactReason.OTHER, by=KEPT
    )
    moved = await house.do(advance, martins, by=KEPT, version=martins.version)
    assert moved.version > martins.version


async def test_a_change_of_rules_makes_it_stale(house, martins):
    await house.do(assign, martins, owner="tom@acme.example", by=house.people.mona.actor)
    with pytest.raises(Stale):
        await house.do(advance, martins, by=KEPT, version=martins.version)


@pytest.mark.parametrize("times", [1, 3])
async def test_the_page_moves_once_for_one_turn_however_much_happens(house, martins, times):
    async with house.relay.turn(THE_CUSTOMER) as turn:
        held = await turn.lock(martins.reference)
        for _ in range(times):
            await receive_web_message(turn, held, "Where is it?")
            await advance(turn, held) if times == 1 else None
    assert (await house.see(martins)).page_version == martins.page_version + 1


async def test_what_only_staff_see_does_not_move_the_customers_page(house, martins):
    logged = await house.do(
        log_contact, martins, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        note="He asked for the date.", by=house.people.tess.actor,
    )  # fmt: skip
    assert logged.page_version == martins.page_version


async def test_of_two_colleagues_who_click_at_once_one_wins_and_the_other_is_told(house, martins):
    async def click(person):
        return await house.do(advance, martins, by=person.actor, version=martins.version)

    people = house.people
    ends = await asyncio.gather(click(people.tess), click(people.tom), return_exceptions=True)
    assert sorted(type(end) for end in ends if isinstance(end, Exception)) == [Stale]
    seen = await house.see(martins)
    assert [run.stage_key for run in seen.runs] == ["received", "decision"]


async def test_many_customers_words_at_once_are_all_kept(house, martins):
    async def write(number):
        await house.do(receive_web_message, martins, f"Question {number}", by=THE_CUSTOMER)

    await asyncio.gather(*(write(number) for number in range(6)))
    seen = await house.see(martins)
    assert seen.page_version == martins.page_version + 6
    assert len(seen.promises) == 1


async def test_the_same_text_delivered_twice_at_once_is_heard_once(house, martins):
    words = {"sid": "SM7", "sender": MARTIN.phone, "to": "+15005550006", "body": "Hello?"}

    async def hear():
        await house.hear(receive_text, by=THE_CUSTOMER, **words)

    ends = await asyncio.gather(hear(), hear(), hear(), return_exceptions=True)
    assert all(end is None or isinstance(end, IntegrityError) for end in ends)
    await hear()
    texts = [one for one in await house.messages() if one.provider_sid == "SM7"]
    assert len(texts) == 1
    seen = await house.see(martins)
    assert len(seen.promises) == 1


async def test_text_and_click_at_once_both_count(house, martins):
    """The text reads the request before it holds it: what came between must not be lost."""
    words = {"sender": MARTIN.phone, "to": "+15005550006", "body": "Where is my card?"}
    await asyncio.gather(
        house.hear(receive_text, sid="SM1", by=THE_CUSTOMER, **words),
        house.do(advance, martins, by=KEPT),
        house.hear(receive_text, sid="SM2", by=THE_CUSTOMER, **words),
        house.do(write_to_customer, martins, "Soon.", by=house.people.tess.actor),
    )
    seen = await house.see(martins)
    assert seen.page_version == martins.page_version + 4
    assert [run.stage_key for run in seen.open_runs] == ["decision"]


async def test_a_turn_that_fails_leaves_nothing(house, martins):
    before = await house.messages()

    async def fail() -> None:
        async with house.relay.turn(KEPT) as turn:
            held = await turn.lock(martins.reference)
            await advance(turn, held)
            await write_to_customer(turn, held, "Soon.")
            raise PortalError("after all not")

    with pytest.raises(PortalError, match="after all not"):
        await fail()
    seen = await house.see(martins)
    assert (seen.version, seen.page_version) == (martins.version, martins.page_version)
    assert len(await house.messages()) == len(before)


async def test_one_cause_speaks_once_by_each_kind_and_channel(house, martins, database):
    [told] = await house.told(martins)

    async def say_again() -> None:
        async with database.transaction() as session:
            session.add(
                Message(
                    **told.model_dump(
                        include={"cause", "kind", "channel", "body", "created_at", "due_at"}
                    )
                )
            )

    with pytest.raises(IntegrityError):
        await say_again()
    assert len(await house.told(martins)) == 1


async def test_every_milestone_passed_has_one_message(house, martins):
    people = house.people
    for taker in (people.uma, people.pia, people.carl):
        await house.do(advance, martins, by=KEPT)
        await house.do(accept, martins, by=taker.actor)
    told = [one for one in await house.told(martins) if one.kind == MessageKind.MILESTONE]
    reached = [one for one in await house.events(martins) if one.kind == "stage_reached"]
    assert [one.event_id for one in told] == [one.id for one in reached]
    assert len(told) == 4


@pytest.mark.parametrize("reference", ["CARD-2222-222", "", "\x00", "CARD-\x00", "é", "x" * 9_000])
async def test_an_unknown_reference_is_not_found(house, relay, reference):
    with pytest.raises(NotFound):
        await house.see(reference)
    with pytest.raises(NotFound):
        await house.do(advance, reference, by=KEPT)


async def test_a_reference_may_be_typed_in_small_letters_with_spaces_around(house, martins):
    seen = await house.see(f"  {martins.reference.lower()} ")
    assert seen.id == martins.id


async def test_events_are_numbered_in_the_order_in_which_they_happened(house, martins, database):
    await house.do(advance, martins, by=KEPT)
    async with database.reading() as session:
        events = (await session.exec(select(Event).order_by(col(Event.id)))).all()
        requests = (await session.exec(select(ServiceRequest.id))).all()
    assert [one.kind.value for one in events] == [
        "opened", "stage_reached", "stage_completed", "handoff_sent",
    ]  # fmt: skip
    assert {one.request_id for one in events} == set(requests)
