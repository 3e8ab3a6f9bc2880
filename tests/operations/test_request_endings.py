"""How a request ends: the customer says so, a person gives it up, or it is opened once more."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Answer,
    Channel,
    EventKind,
    FollowUpState,
    MessageKind,
    RequestStatus,
    RunState,
)
from portal.operations import (
    accept,
    advance,
    answer_follow_up,
    cancel,
    disable_staff,
    hold,
    make_promise,
    reopen,
    run_due_follow_ups,
    send_back,
)

pytestmark = pytest.mark.either_database

FAR = timedelta(days=400)


@pytest.fixture
async def delivered(clock, organisation):
    """Martin's card is with him, says the courier."""
    card = await organisation.open(by=organisation.people.tess.actor)
    for taker in (organisation.people.uma, organisation.people.pia, organisation.people.carl):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
        await organisation.run(accept, card, by=taker.actor)
    await organisation.run(advance, card, by=organisation.people.carl.actor)
    return await organisation.run(advance, card, by=organisation.people.carl.actor)


@pytest.fixture
async def quoted(clock, organisation):
    """The repair has its price; the customer is asked."""
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await organisation.run(advance, repair, by=organisation.people.ben.actor)
    return await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)


async def say(organisation, request, given, via=Channel.WEB):
    async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
        held = await uow.lock(request.reference)
        question = held.open_question or held.follow_ups[-1]
        await answer_follow_up(uow, held, question, given, text=given.value, via=via)
    return await organisation.reload(request)


async def asked(organisation, delivered):
    return await organisation.run(run_due_follow_ups, delivered, by=SYSTEM_ACTOR)


async def kinds(organisation, request):
    return [event.kind for event in await organisation.events(request)]


async def test_with_the_work_done_it_awaits_the_customers_word(organisation, delivered):
    assert delivered.status == RequestStatus.AWAITING_CONFIRMATION
    assert not delivered.open_runs
    assert delivered.owner_id == organisation.people.carl.id


async def test_the_question_is_asked_once(organisation, delivered):
    await asked(organisation, delivered)
    await asked(organisation, delivered)
    texts = [
        text
        for text in await organisation.outbound_messages(delivered)
        if text.kind == MessageKind.FOLLOW_UP
    ]
    assert len(texts) == 1
    assert "Has your card arrived? Reply YES or NO." in texts[0].body


async def test_yes_completes_it(organisation, delivered):
    await asked(organisation, delivered)
    done = await say(organisation, delivered, Answer.YES, via=Channel.SMS)
    assert done.status == RequestStatus.COMPLETED
    assert done.closed_at is not None
    [question] = done.follow_ups
    assert (question.state, question.answer) == (FollowUpState.ANSWERED, Answer.YES)
    assert "thank you for telling us" in (await organisation.outbound_messages(done))[-1].body


async def test_no_sends_it_back_to_a_named_owner(organisation, delivered):
    await asked(organisation, delivered)
    back = await say(organisation, delivered, Answer.NO, via=Channel.SMS)
    assert back.status == RequestStatus.OPEN
    [run] = back.open_runs
    assert (run.stage_key, run.passage) == ("courier", 2)
    assert back.owner_id == run.assignee_id == organisation.people.carl.id
    assert [one.passage for one in back.runs if one.stage_key == "delivered"] == [1]
    assert (
        "once more: Your card is on its way to you"
        in (await organisation.outbound_messages(back))[-1].body
    )


async def test_delivered_again_it_is_asked_again(organisation, delivered):
    await asked(organisation, delivered)
    await say(organisation, delivered, Answer.NO)
    await organisation.run(advance, delivered, by=organisation.people.carl.actor)
    again = await organisation.run(advance, delivered, by=organisation.people.carl.actor)
    assert again.status == RequestStatus.AWAITING_CONFIRMATION
    again = await asked(organisation, again)
    assert again.open_question is not None
    assert (await say(organisation, again, Answer.YES)).status == RequestStatus.COMPLETED


async def test_a_question_is_answered_once(organisation, delivered):
    await asked(organisation, delivered)
    await say(organisation, delivered, Answer.YES)
    with pytest.raises(Conflict, match="answered already"):
        await say(organisation, delivered, Answer.NO)
    assert (await organisation.reload(delivered)).status == RequestStatus.COMPLETED


async def test_unanswered_confirmation_is_reminded_then_closed_unconfirmed(
    clock, organisation, delivered
):
    await asked(organisation, delivered)
    clock.shift(timedelta(days=2))
    await asked(organisation, delivered)
    await asked(organisation, delivered)
    reminders = [
        one
        for one in await organisation.outbound_messages(delivered)
        if one.kind == MessageKind.REMINDER
    ]
    assert len(reminders) == 1
    # Both are counted from the question: 30 days in all.
    clock.shift(timedelta(days=27))
    assert (await asked(organisation, delivered)).status == RequestStatus.AWAITING_CONFIRMATION
    clock.shift(timedelta(days=1))
    closed = await asked(organisation, delivered)
    assert closed.status == RequestStatus.COMPLETED
    assert (closed.closed_unconfirmed, closed.close_reason) == (True, "")
    [question] = closed.follow_ups
    assert (question.state, question.answer) == (FollowUpState.UNCONFIRMED, None)
    assert "we have closed your request" in (await organisation.outbound_messages(closed))[-1].body


async def test_staff_cannot_say_yes_for_the_customer_without_a_word_of_how_they_know(
    organisation, delivered
):
    with pytest.raises(Conflict, match="Only the customer can say"):
        await organisation.run(advance, delivered, by=organisation.people.carl.actor)
    done = await organisation.run(
        advance, delivered, note="He called at 3 pm.", by=organisation.people.carl.actor
    )
    assert done.status == RequestStatus.COMPLETED
    assert done.close_reason == "He called at 3 pm."


async def test_sent_back_before_the_answer_the_question_is_withdrawn(organisation, delivered):
    await asked(organisation, delivered)
    back = await organisation.run(
        send_back,
        delivered,
        stage="courier",
        reason="It came back.",
        by=organisation.people.carl.actor,
    )
    assert back.follow_ups[0].state == FollowUpState.WITHDRAWN
    assert back.open_question is None


async def test_a_quote_is_asked_when_its_stage_is_reached_and_waits_on_the_customer(
    organisation, quoted
):
    assert quoted.status == RequestStatus.WAITING_ON_CUSTOMER
    assert quoted.open_question is not None
    assert quoted.open_runs[0].is_paused
    [*_, text] = await organisation.outbound_messages(quoted)
    assert text.kind == MessageKind.FOLLOW_UP
    assert "80 dollars" in text.body


async def test_yes_to_a_quote_completes_its_stage(organisation, quoted):
    going = await say(organisation, quoted, Answer.YES)
    assert going.status == RequestStatus.OPEN
    assert [run.stage_key for run in going.open_runs] == ["mended"]


async def test_no_to_a_quote_declines_the_request(organisation, quoted):
    declined = await say(organisation, quoted, Answer.NO)
    assert declined.status == RequestStatus.DECLINED
    assert not declined.open_runs
    assert (await kinds(organisation, declined))[-1] == EventKind.DECLINED


async def test_a_quote_that_nobody_answers_goes_back_to_its_owner_with_a_running_clock(
    clock, organisation, quoted
):
    for _ in range(4):
        clock.shift(timedelta(days=3))
        quoted = await organisation.run(run_due_follow_ups, quoted, by=SYSTEM_ACTOR)
    assert quoted.follow_ups[0].state == FollowUpState.UNCONFIRMED
    assert quoted.status == RequestStatus.OPEN
    assert not quoted.open_runs[0].is_paused
    assert quoted.owner_id == organisation.people.ben.id


async def test_a_quote_settled_by_staff_is_withdrawn(organisation, quoted):
    moved = await organisation.run(
        advance, quoted, note="By phone.", by=organisation.people.ben.actor
    )
    assert moved.follow_ups[0].state == FollowUpState.WITHDRAWN


async def test_cancelled_nothing_stays_open_behind_it(clock, organisation, quoted):
    due = datetime.now(UTC) + timedelta(days=1)
    await organisation.run(
        make_promise, quoted, text="A call.", due_at=due, by=organisation.people.ben.actor
    )
    ended = await organisation.run(
        cancel, quoted, reason="They bought one.", by=organisation.people.ben.actor
    )
    assert ended.status == RequestStatus.CANCELLED
    assert ended.close_reason == "They bought one."
    assert not ended.open_runs
    assert not any(question.is_pending for question in ended.follow_ups)
    assert all(promise.closed_at for promise in ended.promises)
    assert EventKind.PROMISE_MISSED in await kinds(organisation, ended)
    assert (await organisation.outbound_messages(ended))[-1].kind == MessageKind.CANCELLED
    clock.shift(FAR)
    before = len(await organisation.events(ended))
    await organisation.run(run_due_follow_ups, ended, by=SYSTEM_ACTOR)
    assert len(await organisation.events(ended)) == before


async def test_cancelled_while_it_is_handed_off_the_handoff_is_void(organisation, card_request):
    await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
    ended = await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    assert not any(handoff.is_pending for handoff in ended.handoffs)
    with pytest.raises(Conflict):
        await organisation.run(accept, card_request, by=organisation.people.uma.actor)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (advance, {}),
        (hold, {"reason": "Wait."}),
        (cancel, {"reason": "Enough."}),
        (send_back, {"stage": "received", "reason": "Again."}),
    ],
)
async def test_closed_request_moves_only_by_reopening(organisation, card_request, verb, words):
    ended = await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    with pytest.raises(Conflict, match="Reopen it first"):
        await organisation.run(verb, card_request, by=SYSTEM_ACTOR, **words)
    assert (await organisation.reload(card_request)).version == ended.version


async def test_reopened_it_goes_on_where_it_stopped(organisation, card_request):
    await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
    await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    again = await organisation.run(
        reopen, card_request, reason="A mistake.", by=organisation.people.uma.actor
    )
    [run] = again.open_runs
    assert (run.stage_key, run.passage) == ("decision", 2)
    assert again.owner_id == organisation.people.uma.id
    assert (again.closed_at, again.close_reason) == (None, "")


async def test_reopened_after_its_completion_the_last_stage_runs_again(organisation, delivered):
    await asked(organisation, delivered)
    await say(organisation, delivered, Answer.YES)
    again = await organisation.run(
        reopen, delivered, reason="It broke.", by=organisation.people.carl.actor
    )
    assert [run.stage_key for run in again.open_runs] == ["delivered"]
    assert [r.state for r in again.runs if r.stage_key == "delivered"] == [
        RunState.SUPERSEDED, RunState.OPEN,
    ]  # fmt: skip


async def test_reopened_a_second_time_it_goes_on_where_it_stopped_last(
    clock, organisation, delivered
):
    """What an earlier end had cut off is long done."""
    await organisation.run(
        send_back, delivered, stage="made", reason="Wrong name.", by=SYSTEM_ACTOR
    )
    await organisation.run(cancel, delivered, reason="Enough.", by=SYSTEM_ACTOR)
    clock.shift(timedelta(hours=1))
    await organisation.run(reopen, delivered, reason="A mistake.", by=SYSTEM_ACTOR)
    await organisation.run(advance, delivered, by=organisation.people.pia.actor)
    await organisation.run(accept, delivered, by=organisation.people.carl.actor)
    await organisation.run(advance, delivered, by=organisation.people.carl.actor)
    await organisation.run(advance, delivered, by=organisation.people.carl.actor)
    await organisation.run(cancel, delivered, reason="Enough.", by=organisation.people.carl.actor)
    again = await organisation.run(reopen, delivered, reason="No.", by=SYSTEM_ACTOR)
    assert [run.stage_key for run in again.open_runs] == ["delivered"]


async def test_reopened_after_its_owner_has_left_it_has_an_owner(organisation):
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    await organisation.run(advance, permit, by=organisation.people.cora.actor)
    await organisation.run(cancel, permit, reason="Enough.", by=organisation.people.cora.actor)
    await organisation.run_unbound(disable_staff, email="cora@acme.example", by=SYSTEM_ACTOR)
    again = await organisation.run(reopen, permit, reason="They are back.", by=SYSTEM_ACTOR)
    assert len(again.open_runs) == 3
    assert again.owner_id == organisation.people.mona.id


async def test_what_is_open_cannot_be_reopened(organisation, card_request):
    with pytest.raises(Conflict, match="is not closed"):
        await organisation.run(reopen, card_request, reason="Why not.", by=SYSTEM_ACTOR)
    with pytest.raises(BadInput):
        await organisation.run(reopen, card_request, reason="", by=SYSTEM_ACTOR)
