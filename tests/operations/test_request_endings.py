"""How a request ends: the customer says so, a person gives it up, or it is opened once more."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict
from portal.models import (
    KEPT,
    THE_CUSTOMER,
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
    answer,
    ask_what_is_due,
    cancel,
    disable_staff,
    hold,
    make_promise,
    reopen,
    send_back,
)

pytestmark = pytest.mark.either_database

FAR = timedelta(days=400)


@pytest.fixture
async def delivered(clock, house):
    """Martin's card is with him, says the courier."""
    card = await house.open(by=house.people.tess.actor)
    for taker in (house.people.uma, house.people.pia, house.people.carl):
        await house.do(advance, card, by=KEPT)
        await house.do(accept, card, by=taker.actor)
    await house.do(advance, card, by=house.people.carl.actor)
    return await house.do(advance, card, by=house.people.carl.actor)


@pytest.fixture
async def quoted(clock, house):
    """The repair has its price; the customer is asked."""
    repair = await house.open("repair", by=house.people.ben.actor)
    await house.do(advance, repair, by=house.people.ben.actor)
    return await house.do(ask_what_is_due, repair, by=KEPT)


async def say(house, request, given, via=Channel.WEB):
    async with house.relay.turn(THE_CUSTOMER) as turn:
        held = await turn.lock(request.reference)
        question = held.asked or held.follow_ups[-1]
        await answer(turn, held, question, given, words=given.value, via=via)
    return await house.see(request)


async def asked(house, delivered):
    return await house.do(ask_what_is_due, delivered, by=KEPT)


async def kinds(house, request):
    return [event.kind for event in await house.events(request)]


async def test_with_the_work_done_it_awaits_the_customers_word(house, delivered):
    assert delivered.status == RequestStatus.AWAITING_CONFIRMATION
    assert not delivered.open_runs
    assert delivered.owner_id == house.people.carl.id


async def test_the_question_is_asked_once(house, delivered):
    await asked(house, delivered)
    await asked(house, delivered)
    texts = [text for text in await house.told(delivered) if text.kind == MessageKind.FOLLOW_UP]
    assert len(texts) == 1
    assert "Has your card arrived? Reply YES or NO." in texts[0].body


async def test_yes_completes_it(house, delivered):
    await asked(house, delivered)
    done = await say(house, delivered, Answer.YES, via=Channel.SMS)
    assert done.status == RequestStatus.COMPLETED
    assert done.closed_at is not None
    [question] = done.follow_ups
    assert (question.state, question.answer) == (FollowUpState.ANSWERED, Answer.YES)
    assert "thank you for telling us" in (await house.told(done))[-1].body


async def test_no_sends_it_back_to_a_named_owner(house, delivered):
    await asked(house, delivered)
    back = await say(house, delivered, Answer.NO, via=Channel.SMS)
    assert back.status == RequestStatus.OPEN
    [run] = back.open_runs
    assert (run.stage_key, run.passage) == ("courier", 2)
    assert back.owner_id == run.assignee_id == house.people.carl.id
    assert [one.passage for one in back.runs if one.stage_key == "delivered"] == [1]
    assert "once more: Your card is on its way to you" in (await house.told(back))[-1].body


async def test_delivered_again_it_is_asked_again(house, delivered):
    await asked(house, delivered)
    await say(house, delivered, Answer.NO)
    await house.do(advance, delivered, by=house.people.carl.actor)
    again = await house.do(advance, delivered, by=house.people.carl.actor)
    assert again.status == RequestStatus.AWAITING_CONFIRMATION
    again = await asked(house, again)
    assert again.asked is not None
    assert (await say(house, again, Answer.YES)).status == RequestStatus.COMPLETED


async def test_a_question_is_answered_once(house, delivered):
    await asked(house, delivered)
    await say(house, delivered, Answer.YES)
    with pytest.raises(Conflict, match="answered already"):
        await say(house, delivered, Answer.NO)
    assert (await house.see(delivered)).status == RequestStatus.COMPLETED


async def test_silence_is_reminded_once_and_at_last_closed_as_unconfirmed(clock, house, delivered):
    await asked(house, delivered)
    clock.shift(timedelta(days=2))
    await asked(house, delivered)
    await asked(house, delivered)
    reminders = [one for one in await house.told(delivered) if one.kind == MessageKind.REMINDER]
    assert len(reminders) == 1
    # Both are counted from the question: 30 days in all.
    clock.shift(timedelta(days=27))
    assert (await asked(house, delivered)).status == RequestStatus.AWAITING_CONFIRMATION
    clock.shift(timedelta(days=1))
    closed = await asked(house, delivered)
    assert closed.status == RequestStatus.COMPLETED
    assert closed.close_reason == "unconfirmed"
    [question] = closed.follow_ups
    assert (question.state, question.answer) == (FollowUpState.UNCONFIRMED, None)
    assert "we have closed your request" in (await house.told(closed))[-1].body


async def test_staff_cannot_say_yes_for_the_customer_without_a_word_of_how_they_know(
    house, delivered
):
    with pytest.raises(Conflict, match="Only the customer can say"):
        await house.do(advance, delivered, by=house.people.carl.actor)
    done = await house.do(advance, delivered, note="He called at 3 pm.", by=house.people.carl.actor)
    assert done.status == RequestStatus.COMPLETED
    assert done.close_reason == "He called at 3 pm."


async def test_sent_back_before_the_answer_the_question_is_withdrawn(house, delivered):
    await asked(house, delivered)
    back = await house.do(
        send_back, delivered, stage="courier", reason="It came back.", by=house.people.carl.actor
    )
    assert back.follow_ups[0].state == FollowUpState.WITHDRAWN
    assert back.asked is None


async def test_a_quote_is_asked_when_its_stage_is_reached_and_waits_on_the_customer(house, quoted):
    assert quoted.status == RequestStatus.WAITING_ON_CUSTOMER
    assert quoted.asked is not None
    assert quoted.open_runs[0].is_paused
    [*_, text] = await house.told(quoted)
    assert text.kind == MessageKind.FOLLOW_UP
    assert "80 dollars" in text.body


async def test_yes_to_a_quote_completes_its_stage(house, quoted):
    going = await say(house, quoted, Answer.YES)
    assert going.status == RequestStatus.OPEN
    assert [run.stage_key for run in going.open_runs] == ["mended"]


async def test_no_to_a_quote_declines_the_request(house, quoted):
    declined = await say(house, quoted, Answer.NO)
    assert declined.status == RequestStatus.DECLINED
    assert not declined.open_runs
    assert (await kinds(house, declined))[-1] == EventKind.DECLINED


async def test_a_quote_that_nobody_answers_goes_back_to_its_owner_with_a_running_clock(
    clock, house, quoted
):
    for _ in range(4):
        clock.shift(timedelta(days=3))
        quoted = await house.do(ask_what_is_due, quoted, by=KEPT)
    assert quoted.follow_ups[0].state == FollowUpState.UNCONFIRMED
    assert quoted.status == RequestStatus.OPEN
    assert not quoted.open_runs[0].is_paused
    assert quoted.owner_id == house.people.ben.id


async def test_a_quote_settled_by_staff_is_withdrawn(house, quoted):
    moved = await house.do(advance, quoted, note="By phone.", by=house.people.ben.actor)
    assert moved.follow_ups[0].state == FollowUpState.WITHDRAWN


async def test_cancelled_nothing_stays_open_behind_it(clock, house, quoted):
    due = datetime.now(UTC) + timedelta(days=1)
    await house.do(make_promise, quoted, text="A call.", due_at=due, by=house.people.ben.actor)
    ended = await house.do(cancel, quoted, reason="They bought one.", by=house.people.ben.actor)
    assert ended.status == RequestStatus.CANCELLED
    assert ended.close_reason == "They bought one."
    assert not ended.open_runs
    assert not any(question.is_pending for question in ended.follow_ups)
    assert all(promise.closed_at for promise in ended.promises)
    assert EventKind.PROMISE_MISSED in await kinds(house, ended)
    assert (await house.told(ended))[-1].kind == MessageKind.CANCELLED
    clock.shift(FAR)
    before = len(await house.events(ended))
    await house.do(ask_what_is_due, ended, by=KEPT)
    assert len(await house.events(ended)) == before


async def test_cancelled_while_it_is_handed_off_the_handoff_is_void(house, martins):
    await house.do(advance, martins, by=KEPT)
    ended = await house.do(cancel, martins, reason="Enough.", by=KEPT)
    assert not any(handoff.waits for handoff in ended.handoffs)
    with pytest.raises(Conflict):
        await house.do(accept, martins, by=house.people.uma.actor)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (advance, {}),
        (hold, {"reason": "Wait."}),
        (cancel, {"reason": "Enough."}),
        (send_back, {"stage": "received", "reason": "Again."}),
    ],
)
async def test_what_has_ended_is_moved_only_by_reopening(house, martins, verb, words):
    ended = await house.do(cancel, martins, reason="Enough.", by=KEPT)
    with pytest.raises(Conflict, match="Reopen it first"):
        await house.do(verb, martins, by=KEPT, **words)
    assert (await house.see(martins)).version == ended.version


async def test_reopened_it_goes_on_where_it_stopped(house, martins):
    await house.do(advance, martins, by=KEPT)
    await house.do(accept, martins, by=house.people.uma.actor)
    await house.do(cancel, martins, reason="Enough.", by=KEPT)
    again = await house.do(reopen, martins, reason="A mistake.", by=house.people.uma.actor)
    [run] = again.open_runs
    assert (run.stage_key, run.passage) == ("decision", 2)
    assert again.owner_id == house.people.uma.id
    assert (again.closed_at, again.close_reason) == (None, "")


async def test_reopened_after_its_completion_the_last_stage_runs_again(house, delivered):
    await asked(house, delivered)
    await say(house, delivered, Answer.YES)
    again = await house.do(reopen, delivered, reason="It broke.", by=house.people.carl.actor)
    assert [run.stage_key for run in again.open_runs] == ["delivered"]
    assert [r.state for r in again.runs if r.stage_key == "delivered"] == [
        RunState.SUPERSEDED, RunState.OPEN,
    ]  # fmt: skip


async def test_reopened_a_second_time_it_goes_on_where_it_stopped_last(clock, house, delivered):
    """What an earlier end had cut off is long done."""
    await house.do(send_back, delivered, stage="made", reason="Wrong name.", by=KEPT)
    await house.do(cancel, delivered, reason="Enough.", by=KEPT)
    clock.shift(timedelta(hours=1))
    await house.do(reopen, delivered, reason="A mistake.", by=house.people.pia.actor)
    await house.do(advance, delivered, by=house.people.pia.actor)
    await house.do(accept, delivered, by=house.people.carl.actor)
    await house.do(advance, delivered, by=house.people.carl.actor)
    await house.do(advance, delivered, by=house.people.carl.actor)
    await house.do(cancel, delivered, reason="Enough.", by=house.people.carl.actor)
    again = await house.do(reopen, delivered, reason="No.", by=house.people.carl.actor)
    assert [run.stage_key for run in again.open_runs] == ["delivered"]


async def test_reopened_after_its_owner_has_left_it_has_an_owner(house):
    permit = await house.open("permit", by=house.people.cora.actor)
    await house.do(advance, permit, by=house.people.cora.actor)
    await house.do(cancel, permit, reason="Enough.", by=house.people.cora.actor)
    await house.hear(disable_staff, email="cora@acme.example", by=KEPT)
    again = await house.do(reopen, permit, reason="They are back.", by=KEPT)
    assert len(again.open_runs) == 3
    assert again.owner_id == house.people.mona.id


async def test_what_is_open_cannot_be_reopened(house, martins):
    with pytest.raises(Conflict, match="is not closed"):
        await house.do(reopen, martins, reason="Why not.", by=KEPT)
    with pytest.raises(BadInput):
        await house.do(reopen, martins, reason="", by=KEPT)
