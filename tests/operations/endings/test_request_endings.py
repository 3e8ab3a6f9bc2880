"""A request ends by a confirmation, a declined quote or a cancellation."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import Conflict
from portal.models import (
    SYSTEM_ACTOR,
    Answer,
    Channel,
    EventKind,
    FollowUpState,
    MessageKind,
    RequestStatus,
)
from portal.operations import (
    accept,
    advance,
    cancel,
    keep_promise,
    make_promise,
    run_due_follow_ups,
    send_back,
)
from tests.operations.endings.steps import asked, say

pytestmark = pytest.mark.either_database


FAR = timedelta(days=400)


@pytest.fixture
async def quoted(clock, organisation):
    """The repair has its price; the customer is asked."""
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await organisation.run(advance, repair, by=organisation.people.ben.actor)
    return await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)


async def kinds(organisation, request):
    return [event.kind for event in await organisation.events(request)]


async def test_finished_request_awaits_confirmation(organisation, delivered):
    assert delivered.status == RequestStatus.AWAITING_CONFIRMATION
    assert not delivered.open_runs
    assert delivered.owner_id == organisation.people.carl.id


async def test_confirmation_is_asked_once(organisation, delivered):
    await asked(organisation, delivered)
    await asked(organisation, delivered)
    texts = [
        text
        for text in await organisation.outbound_messages(delivered)
        if text.kind == MessageKind.FOLLOW_UP
    ]
    assert len(texts) == 1
    assert "Has your card arrived? Reply YES or NO." in texts[0].body


async def test_yes_completes_the_request(organisation, delivered):
    await asked(organisation, delivered)
    done = await say(organisation, delivered, Answer.YES, via=Channel.SMS)
    assert done.status == RequestStatus.COMPLETED
    assert done.closed_at is not None
    [question] = done.follow_ups
    assert (question.state, question.answer) == (FollowUpState.ANSWERED, Answer.YES)
    assert "thank you for telling us" in (await organisation.outbound_messages(done))[-1].body


async def test_no_sends_the_request_back_to_a_named_owner(organisation, delivered):
    await asked(organisation, delivered)
    back = await say(organisation, delivered, Answer.NO, via=Channel.SMS)
    assert back.status == RequestStatus.OPEN
    [run] = back.open_runs
    assert (run.stage_key, run.passage) == ("courier", 2)
    assert back.owner_id == run.assignee_id == organisation.people.carl.id
    assert [run.passage for run in back.runs if run.stage_key == "delivered"] == [1]
    assert (
        "Carl at Courier Desk is looking for your card"
        in (await organisation.outbound_messages(back))[-1].body
    )


async def test_confirmation_is_asked_again_after_a_second_delivery(organisation, delivered):
    await asked(organisation, delivered)
    await say(organisation, delivered, Answer.NO)
    await organisation.run(advance, delivered, by=organisation.people.carl.actor)
    again = await organisation.run(advance, delivered, by=organisation.people.carl.actor)
    assert again.status == RequestStatus.AWAITING_CONFIRMATION
    for promise in again.promises:
        if promise.is_open:
            await organisation.run(
                keep_promise, again, promise.id, by=organisation.people.carl.actor
            )
    again = await asked(organisation, again)
    assert again.open_question is not None
    assert (await say(organisation, again, Answer.YES)).status == RequestStatus.COMPLETED


async def test_question_is_answered_once(organisation, delivered):
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
        message
        for message in await organisation.outbound_messages(delivered)
        if message.kind == MessageKind.REMINDER
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


async def test_staff_confirm_for_the_customer_only_with_a_note(organisation, delivered):
    with pytest.raises(Conflict, match="Only the customer can say"):
        await organisation.run(advance, delivered, by=organisation.people.carl.actor)
    done = await organisation.run(
        advance, delivered, note="He called at 3 pm.", by=organisation.people.carl.actor
    )
    assert done.status == RequestStatus.COMPLETED
    assert done.close_reason == "He called at 3 pm."


async def test_sending_back_withdraws_the_open_question(organisation, delivered):
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


async def test_quote_is_asked_at_its_stage_and_waits_for_the_customer(organisation, quoted):
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


async def test_unanswered_quote_returns_to_its_owner_and_restarts_the_clock(
    clock, organisation, quoted
):
    for _ in range(4):
        clock.shift(timedelta(days=3))
        quoted = await organisation.run(run_due_follow_ups, quoted, by=SYSTEM_ACTOR)
    assert quoted.follow_ups[0].state == FollowUpState.UNCONFIRMED
    assert quoted.status == RequestStatus.OPEN
    assert not quoted.open_runs[0].is_paused
    assert quoted.owner_id == organisation.people.ben.id


async def test_quote_settled_by_staff_is_withdrawn(organisation, quoted):
    moved = await organisation.run(
        advance, quoted, note="By phone.", by=organisation.people.ben.actor
    )
    assert moved.follow_ups[0].state == FollowUpState.WITHDRAWN


async def test_cancelling_closes_everything_open(clock, organisation, quoted):
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


async def test_cancelling_closes_the_waiting_handoff(organisation, card_request):
    await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
    ended = await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    assert not any(handoff.is_pending for handoff in ended.handoffs)
    with pytest.raises(Conflict):
        await organisation.run(accept, card_request, by=organisation.people.uma.actor)
