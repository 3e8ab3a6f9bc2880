"""A unit of work is one transaction: versions, concurrent colleagues, and one message for each cause."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from portal.errors import NotFound, PortalError, VersionConflict
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    ContactChannel,
    ContactReason,
    Event,
    EventKind,
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
from portal.rules.stages.stage_flow import StageFlow
from tests.support.factories import MARTHA, MARTIN


async def test_change_from_a_stale_page_is_rejected_and_changes_nothing(organisation, card_request):
    moved = await organisation.run(
        advance, card_request, by=SYSTEM_ACTOR, version=card_request.version
    )
    with pytest.raises(VersionConflict, match="has changed since you looked at it"):
        await organisation.run(
            hold, card_request, reason="Wait.", by=SYSTEM_ACTOR, version=card_request.version
        )
    seen = await organisation.reload(card_request)
    assert (seen.version, seen.status) == (moved.version, moved.status)


async def test_customer_message_does_not_make_a_staff_form_stale(organisation, card_request):
    await organisation.run(
        receive_web_message, card_request, "Where is my card?", by=CUSTOMER_ACTOR
    )
    words = {"sender": MARTIN.phone, "to": "+15005550006"}
    await organisation.run_unbound(
        receive_text, sid="SM1", body="Hello?", by=CUSTOMER_ACTOR, **words
    )
    await organisation.run(
        write_to_customer, card_request, "On its way.", by=organisation.people.tess.actor
    )
    await organisation.run(
        log_contact,
        card_request,
        channel=ContactChannel.CALL,
        reason=ContactReason.OTHER,
        by=SYSTEM_ACTOR,
    )
    moved = await organisation.run(
        advance, card_request, by=SYSTEM_ACTOR, version=card_request.version
    )
    assert moved.version > card_request.version


async def test_reassignment_makes_a_form_stale(organisation, card_request):
    await organisation.run(
        assign, card_request, owner="tom@acme.example", by=organisation.people.mona.actor
    )
    with pytest.raises(VersionConflict):
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR, version=card_request.version)


@pytest.mark.parametrize("times", [1, 3])
async def test_page_version_increments_once_per_unit_of_work(organisation, card_request, times):
    async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
        held = await uow.lock(card_request.reference)
        for _ in range(times):
            await receive_web_message(uow, held, "Where is it?")
            await advance(uow, held) if times == 1 else None
    assert (await organisation.reload(card_request)).page_version == card_request.page_version + 1


async def test_internal_change_keeps_the_page_version(organisation, card_request):
    logged = await organisation.run(
        log_contact, card_request, channel=ContactChannel.CALL, reason=ContactReason.OTHER,
        note="He asked for the date.", by=organisation.people.tess.actor,
    )  # fmt: skip
    assert logged.page_version == card_request.page_version


async def test_of_two_concurrent_clicks_one_applies_and_one_is_stale(organisation, card_request):
    async def click(person):
        return await organisation.run(
            advance, card_request, by=person.actor, version=card_request.version
        )

    people = organisation.people
    ends = await asyncio.gather(click(people.tess), click(people.tom), return_exceptions=True)
    assert sorted(type(end) for end in ends if isinstance(end, Exception)) == [VersionConflict]
    seen = await organisation.reload(card_request)
    assert [run.stage_key for run in seen.runs] == ["received", "decision"]


async def test_concurrent_customer_messages_are_all_stored(organisation, card_request):
    async def write(number):
        await organisation.run(
            receive_web_message, card_request, f"Question {number}", by=CUSTOMER_ACTOR
        )

    await asyncio.gather(*(write(number) for number in range(6)))
    seen = await organisation.reload(card_request)
    assert seen.page_version == card_request.page_version + 6
    assert len(seen.promises) == 1


async def test_concurrent_duplicate_texts_are_processed_once(organisation, card_request):
    words = {"sid": "SM7", "sender": MARTIN.phone, "to": "+15005550006", "body": "Hello?"}

    async def hear():
        await organisation.run_unbound(receive_text, by=CUSTOMER_ACTOR, **words)

    ends = await asyncio.gather(hear(), hear(), hear(), return_exceptions=True)
    assert all(end is None or isinstance(end, IntegrityError) for end in ends)
    await hear()
    texts = [message for message in await organisation.messages() if message.provider_sid == "SM7"]
    assert len(texts) == 1
    seen = await organisation.reload(card_request)
    assert len(seen.promises) == 1


async def test_concurrent_text_and_click_both_apply(organisation, card_request):
    """The text reads the request before it holds it: what came between must not be lost."""
    words = {"sender": MARTIN.phone, "to": "+15005550006", "body": "Where is my card?"}
    await asyncio.gather(
        organisation.run_unbound(receive_text, sid="SM1", by=CUSTOMER_ACTOR, **words),
        organisation.run(advance, card_request, by=SYSTEM_ACTOR),
        organisation.run_unbound(receive_text, sid="SM2", by=CUSTOMER_ACTOR, **words),
        organisation.run(
            write_to_customer, card_request, "Soon.", by=organisation.people.tess.actor
        ),
    )
    seen = await organisation.reload(card_request)
    assert seen.page_version == card_request.page_version + 4
    assert [run.stage_key for run in seen.open_runs] == ["decision"]


async def test_failed_unit_of_work_leaves_nothing(organisation, card_request):
    before = await organisation.messages()

    async def fail() -> None:
        async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
            held = await uow.lock(card_request.reference)
            await advance(uow, held)
            await write_to_customer(uow, held, "Soon.")
            raise PortalError("after all not")

    with pytest.raises(PortalError, match="after all not"):
        await fail()
    seen = await organisation.reload(card_request)
    assert (seen.version, seen.page_version) == (card_request.version, card_request.page_version)
    assert len(await organisation.messages()) == len(before)


async def test_one_message_per_cause_kind_and_channel(organisation, card_request, database):
    [told] = await organisation.outbound_messages(card_request)

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
    assert len(await organisation.outbound_messages(card_request)) == 1


async def test_every_milestone_passed_has_one_message(organisation, card_request):
    people = organisation.people
    for taker in (people.uma, people.pia, people.carl):
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
        await organisation.run(accept, card_request, by=taker.actor)
    told = [
        message
        for message in await organisation.outbound_messages(card_request)
        if message.kind == MessageKind.MILESTONE
    ]
    reached = [
        event for event in await organisation.events(card_request) if event.kind == "stage_reached"
    ]
    assert [message.event_id for message in told] == [event.id for event in reached]
    assert len(told) == 4


@pytest.mark.parametrize("reference", ["CARD-2222-222", "", "\x00", "CARD-\x00", "é", "x" * 9_000])
async def test_unknown_reference_is_not_found(organisation, operations, reference):
    with pytest.raises(NotFound):
        await organisation.reload(reference)
    with pytest.raises(NotFound):
        await organisation.run(advance, reference, by=SYSTEM_ACTOR)


async def test_reference_ignores_case_and_surrounding_spaces(organisation, card_request):
    seen = await organisation.reload(f"  {card_request.reference.lower()} ")
    assert seen.id == card_request.id


async def test_events_are_numbered_in_order(organisation, card_request, database):
    await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
    async with database.reading() as session:
        events = (await session.exec(select(Event).order_by(col(Event.id)))).all()
        requests = (await session.exec(select(ServiceRequest.id))).all()
    assert [event.kind.value for event in events] == [
        "opened", "stage_reached", "stage_completed", "handoff_sent",
    ]  # fmt: skip
    assert {event.request_id for event in events} == set(requests)


async def test_event_recorded_before_a_flush_reaches_finish(organisation, card_request):
    async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
        held = await uow.lock(card_request.reference)
        event = held.record(EventKind.MESSAGE_IN, uow.actor, uow.now)
        await uow.session.flush()
        assert await uow.finish(held) == [event]
        assert await uow.finish(held) == []


async def test_thanks_refresh_the_boards_of_the_departments(organisation, card_request):
    async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
        await receive_text(
            uow, sid="SM1", sender=MARTIN.phone, to="+15005550006", body="Thank you!"
        )
        assert card_request.department_id in uow.changed_departments


async def test_each_request_in_a_transaction_finishes_its_own_events(organisation, card_request):
    other = await organisation.open("card", MARTHA, by=SYSTEM_ACTOR)
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        first, second = await uow.lock(card_request.reference), await uow.lock(other.reference)
        StageFlow(await uow.facts(second)).advance(None, "", None)
        assert await uow.finish(first) == []
        assert {event.kind for event in await uow.finish(second)} >= {EventKind.STAGE_COMPLETED}


async def test_operation_without_finish_is_rolled_back(organisation, card_request):
    async def forget() -> None:
        async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
            held = await uow.lock(card_request.reference)
            held.record(EventKind.MESSAGE_IN, uow.actor, uow.now)

    with pytest.raises(RuntimeError, match=f"not finished: {card_request.reference}"):
        await forget()
    assert (await organisation.reload(card_request)).version == card_request.version
