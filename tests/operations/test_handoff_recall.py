"""A handoff is recalled by its sender before it is accepted."""

from datetime import timedelta

import pytest

from portal.errors import Conflict, NotAllowed
from portal.models import SYSTEM_ACTOR, Answer, EventKind, FollowUpState, MessageKind, RunState
from portal.operations import (
    accept,
    advance,
    answer_follow_up,
    assign,
    hold,
    recall,
    resume,
    run_due_follow_ups,
    send_back,
)

pytestmark = pytest.mark.either_database


ACCEPTS_IN_HOURS = """
key = "{key}"
name = "Loan"
prefix = "BANK"

[departments.front]
name = "Front"

[departments.back]
name = "Back Office"
hours = "Mon-Fri 09:00-17:00"
accept_within = "4bh"

[[stages]]
key = "intake"
department = "front"
title = "We have it"
expected = "1d"

[[stages]]
key = "checked"
department = "back"
title = "It is being checked"
expected = "2d"
"""


async def test_recalled_handoff_restores_the_previous_state(
    clock, organisation, card_request, handed_off
):
    """The very passage goes on, with its old clock; the receiver's is void."""
    [before] = card_request.open_runs
    clock.shift(timedelta(hours=1))
    recalled = await organisation.run(recall, handed_off, by=organisation.people.tess.actor)
    [run] = recalled.open_runs
    assert (run.id, run.stage_key, run.passage) == (before.id, "received", 1)
    assert (run.due_at, run.overdue_at) == (before.due_at, before.overdue_at)
    assert (run.completed_at, run.duration_seconds, run.returned_by_id) == (None, None, None)
    assert recalled.owner_id == organisation.people.tess.id
    assert recalled.department_id == run.department_id
    [handoff] = recalled.handoffs
    assert handoff.recalled_at == handoff.sent_at + timedelta(hours=1)
    assert not handoff.is_pending
    assert recalled.runs[1].state == RunState.SUPERSEDED


async def test_recall_sends_no_message_and_corrects_the_page(organisation, handed_off):
    told = await organisation.outbound_messages(handed_off)
    recalled = await organisation.run(recall, handed_off, by=organisation.people.tess.actor)
    assert await organisation.outbound_messages(recalled) == told
    last = (await organisation.events(recalled))[-1]
    assert (last.kind, last.visible) == (EventKind.HANDOFF_RECALLED, False)
    assert recalled.page_version == handed_off.page_version + 1


async def test_handoff_after_recall_is_announced(organisation, handed_off):
    await organisation.run(recall, handed_off, by=organisation.people.tess.actor)
    await organisation.run(advance, handed_off, by=organisation.people.tess.actor)
    accepted = await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    last = (await organisation.outbound_messages(accepted))[-1]
    assert last.kind == MessageKind.MILESTONE
    assert "again" not in last.body


async def test_accepted_handoff_cannot_be_recalled(organisation, handed_off):
    await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    with pytest.raises(Conflict, match="waits to be taken up"):
        await organisation.run(recall, handed_off, by=organisation.people.tess.actor)


@pytest.mark.parametrize("name", ["uma", "tom", "pia"])
async def test_only_the_sender_can_recall(organisation, handed_off, name):
    with pytest.raises(NotAllowed, match="Telesales has passed it on"):
        await organisation.run(recall, handed_off, by=getattr(organisation.people, name).actor)
    assert (await organisation.reload(handed_off)).version == handed_off.version


@pytest.mark.parametrize("name", ["tess", "mona", None])
async def test_lead_manager_and_api_can_recall(organisation, card_request, name):
    people = organisation.people
    await organisation.run(assign, card_request, owner="tom@acme.example", by=people.mona.actor)
    await organisation.run(advance, card_request, by=people.tom.actor)
    by = getattr(people, name).actor if name else SYSTEM_ACTOR
    recalled = await organisation.run(recall, card_request, by=by)
    assert recalled.owner_id == people.tom.id


async def test_sender_acting_for_a_colleague_can_recall(organisation, card_request):
    await organisation.run(advance, card_request, by=organisation.people.tom.actor)
    recalled = await organisation.run(recall, card_request, by=organisation.people.tom.actor)
    assert recalled.owner_id == organisation.people.tess.id


async def test_parallel_handoff_is_recalled_only_before_any_branch_starts(organisation):
    """Plans and Zoning have it at once, so that Fire alone cannot be taken back."""
    opened = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    with pytest.raises(Conflict, match="has begun its part already"):
        await organisation.run(recall, opened, by=SYSTEM_ACTOR)


async def test_parallel_handoffs_are_recalled_together(organisation):
    forks = ACCEPTS_IN_HOURS.format(key="fork") + (
        '[[stages]]\nkey = "filed"\ndepartment = "back"\ntitle = "It is filed"\n'
        'expected = "2d"\nafter = ["intake"]\n'
    )
    await organisation.load(forks)
    opened = await organisation.open("fork", by=SYSTEM_ACTOR)
    passed = await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    assert len(passed.open_runs) == 2
    recalled = await organisation.run(recall, passed, by=SYSTEM_ACTOR)
    assert [run.stage_key for run in recalled.open_runs] == ["intake"]
    assert recalled.coordinator_id is None
    assert not any(handoff.is_pending for handoff in recalled.handoffs)


async def test_send_back_can_be_recalled(organisation, handed_off):
    people = organisation.people
    await organisation.run(accept, handed_off, by=people.uma.actor)
    await organisation.run(advance, handed_off, by=people.uma.actor)
    before = await organisation.run(accept, handed_off, by=people.paul.actor)
    await organisation.run(
        send_back, handed_off, stage="decision", reason="Look.", by=people.paul.actor
    )
    recalled = await organisation.run(recall, handed_off, by=people.paul.actor)
    [run] = recalled.open_runs
    assert run.id == before.open_runs[0].id
    assert run.due_at == before.open_runs[0].due_at
    done = {run.stage_key for run in recalled.runs if run.state == RunState.COMPLETED}
    assert done == {"received", "decision"}
    assert not any(run.returned_by_id for run in recalled.runs)


async def test_customer_decision_cannot_be_recalled(organisation):
    asks = ACCEPTS_IN_HOURS.format(key="quote").replace(
        'title = "We have it"', 'title = "We have it"\nquestion = "Shall we? Reply YES or NO."'
    )
    await organisation.load(asks)
    opened = await organisation.open("quote", by=SYSTEM_ACTOR)
    await organisation.run(run_due_follow_ups, opened, by=SYSTEM_ACTOR)
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        held = await uow.lock(opened.reference)
        await answer_follow_up(uow, held, held.follow_ups[0], Answer.YES)
    with pytest.raises(Conflict, match="The customer's answer has sent it there"):
        await organisation.run(recall, opened, by=SYSTEM_ACTOR)


async def test_recall_reopens_the_question_without_asking_again(clock, organisation):
    asks = ACCEPTS_IN_HOURS.format(key="quote").replace(
        'title = "We have it"', 'title = "We have it"\nquestion = "Shall we? Reply YES or NO."'
    )
    await organisation.load(asks)
    opened = await organisation.open("quote", by=SYSTEM_ACTOR)
    asked = await organisation.run(run_due_follow_ups, opened, by=SYSTEM_ACTOR)
    clock.shift(timedelta(hours=1))
    await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    clock.shift(timedelta(hours=1))
    recalled = await organisation.run(recall, opened, by=SYSTEM_ACTOR)
    [question] = recalled.follow_ups
    assert question.state == FollowUpState.ASKED
    assert question.next_at == asked.follow_ups[0].next_at
    assert recalled.open_runs[0].waits_on_customer
    told = await organisation.outbound_messages(
        await organisation.run(run_due_follow_ups, opened, by=SYSTEM_ACTOR)
    )
    assert [message.kind for message in told].count(MessageKind.FOLLOW_UP) == 1


async def test_hold_pauses_the_acceptance_deadline(clock, organisation):
    """By the receiver's hours: sent Tuesday 14:00 UTC, to be taken up by Wednesday 10:00."""
    await organisation.load(ACCEPTS_IN_HOURS.format(key="loan"))
    opened = await organisation.open("loan", by=SYSTEM_ACTOR)
    sent = await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    by = sent.handoffs[0].accept_by
    await organisation.run(hold, opened, reason="We wait for a form.", by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=1))
    resumed = await organisation.run(resume, opened, by=SYSTEM_ACTOR)
    assert resumed.handoffs[0].accept_by == by + timedelta(days=1)
