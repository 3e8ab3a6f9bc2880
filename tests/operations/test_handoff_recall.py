"""Handing over: taken back by the sender, counted when returned, and warm: with the story."""

from datetime import timedelta

import pytest

from portal.errors import BadInput, Conflict, NotAllowed
from portal.models import (
    SYSTEM_ACTOR,
    Answer,
    ContactChannel,
    ContactReason,
    EventKind,
    FollowUpState,
    MessageKind,
    RunState,
)
from portal.operations import (
    accept,
    advance,
    answer_follow_up,
    assign,
    hold,
    log_contact,
    make_promise,
    recall,
    receive_web_message,
    refuse,
    reopen,
    resume,
    run_due_follow_ups,
    send_back,
    set_customer_note,
    write_to_customer,
)
from portal.queries.desk.handover_summary import load_handover_summary

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


@pytest.fixture
async def handed_off(clock, organisation, card_request):
    """Tess has finished after an hour; Underwriting has not taken it up yet."""
    clock.shift(timedelta(hours=1))
    return await organisation.run(advance, card_request, by=organisation.people.tess.actor)


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
    done = {one.stage_key for one in recalled.runs if one.state == RunState.COMPLETED}
    assert done == {"received", "decision"}
    assert not any(one.returned_by_id for one in recalled.runs)


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
    assert [one.kind for one in told].count(MessageKind.FOLLOW_UP) == 1


async def test_return_records_the_department(organisation, handed_off):
    people = organisation.people
    refused = await organisation.run(refuse, handed_off, reason="No income.", by=people.uma.actor)
    under = refused.handoffs[0].to_department_id
    assert [run.returned_by_id for run in refused.runs] == [None, None, under]
    await organisation.run(advance, handed_off, by=people.tess.actor)
    await organisation.run(accept, handed_off, by=people.uma.actor)
    sent = await organisation.run(
        send_back, handed_off, stage="received", reason="Which address?", by=people.uma.actor
    )
    assert sent.runs[-1].returned_by_id == under
    async with organisation.database.reading() as session:
        story = await load_handover_summary(session, sent)
    assert [one.reason for one in story.returns] == ["No income.", "Which address?"]


async def test_reopening_and_moves_within_a_department_are_no_returns(organisation, card_request):
    people = organisation.people
    for taker in (people.uma, people.paul, people.carl):
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
        await organisation.run(accept, card_request, by=taker.actor)
    await organisation.run(advance, card_request, by=people.carl.actor)
    await organisation.run(
        send_back, card_request, stage="courier", reason="Gone.", by=people.carl.actor
    )
    await organisation.run(advance, card_request, by=people.carl.actor)
    await organisation.run(advance, card_request, by=people.carl.actor)
    await organisation.run(
        advance, card_request, note="He told us on the phone.", by=people.carl.actor
    )
    opened = await organisation.run(
        reopen, card_request, reason="Lost.", stage="made", by=people.mona.actor
    )
    assert not any(run.returned_by_id for run in opened.runs)


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


async def test_handoff_includes_the_summary(clock, organisation, card_request):
    """What was promised and said, why they came, what they mind about, and the sender's words."""
    tess, due_at = organisation.people.tess.actor, card_request.opened_at + timedelta(hours=30)
    async with organisation.database.reading() as session:
        assert (await load_handover_summary(session, card_request)).is_empty
    await organisation.run(
        make_promise, card_request, text="Call about the limit", due_at=due_at, by=tess
    )
    await organisation.run(receive_web_message, card_request, "Is 5000 possible?", by=SYSTEM_ACTOR)
    await organisation.run(write_to_customer, card_request, "We ask Underwriting.", by=tess)
    for reason in (ContactReason.WHERE_IS_IT, ContactReason.COMPLAINT, ContactReason.WHERE_IS_IT):
        await organisation.run(
            log_contact, card_request, channel=ContactChannel.CALL, reason=reason, by=tess
        )
    await organisation.run(
        set_customer_note, card_request, "Works nights:\ncall after 4 pm", by=tess
    )
    await organisation.run(advance, card_request, handover="He hopes for 5000.", by=tess)
    passed = await organisation.run(
        assign,
        card_request,
        owner="pia@acme.example",
        note="You know him.",
        by=organisation.people.mona.actor,
    )
    assert passed.owner_id == organisation.people.pia.id
    assert passed.handoffs[0].note == "He hopes for 5000."
    async with organisation.database.reading() as session:
        story = await load_handover_summary(session, passed)
    assert story.customer_note == "Works nights: call after 4 pm"
    assert "Call about the limit" in [one.text for one in story.promises]
    assert (story.last_customer_message.body, story.last_reply.body) == (
        "Is 5000 possible?", "We ask Underwriting.",
    )  # fmt: skip
    assert story.contacts[0] == (ContactReason.WHERE_IS_IT, 2)
    assert [(one.words, one.by) for one in story.handovers] == [
        ("You know him.", "Mona Manager"), ("He hopes for 5000.", "Tess Sales"),
    ]  # fmt: skip


async def test_internal_notes_are_never_shown_to_customers(client, organisation, card_request):
    await organisation.run(
        set_customer_note, card_request, "secret one", by=organisation.people.tess.actor
    )
    await organisation.run(
        advance, card_request, handover="secret two", by=organisation.people.tess.actor
    )
    sent = await organisation.run(
        assign,
        card_request,
        owner="tom@acme.example",
        note="secret three",
        by=organisation.people.mona.actor,
    )
    page = (await client.get(f"/r/{sent.live_link.token}")).text
    assert "Underwriting" in page
    assert "secret" not in page
    assert not any("secret" in one.body for one in await organisation.outbound_messages(sent))


async def test_noting_what_they_mind_about_makes_no_click_stale(organisation, card_request):
    noted = await organisation.run(
        set_customer_note, card_request, "Dogs", by=organisation.people.tess.actor
    )
    assert (noted.version, noted.page_version) == (card_request.version, card_request.page_version)
    with pytest.raises(BadInput, match="one line"):
        await organisation.run(
            set_customer_note, card_request, "x" * 301, by=organisation.people.tess.actor
        )


async def test_only_involved_staff_can_act(api, organisation, handed_off):
    """The sender's and the receiver's people, whoever was given it by name, and the key itself."""
    path = f"/requests/{handed_off.reference}"

    async def move(verb, by, **body):
        body |= {"by": f"{by}@acme.example"} if by else {}
        return (await api.post(f"{path}/{verb}", json=body)).status_code

    await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    for verb, body in (
        ("advance", {}),
        ("hold", {"reason": "Papers."}),
        ("send-back", {"stage": "received", "reason": "No."}),
    ):
        assert await move(verb, "zoe", **body) == 403
    assert await move("hold", "uma", reason="Papers.") == 200
    assert await move("resume", "zoe") == 403
    assert await move("resume", "mona") == 200
    assert await move("assign", "mona", owner="zoe@acme.example", note="You know the bank.") == 200
    assert await move("hold", "zoe", reason="I ask them.") == 200
    assert await move("resume", None) == 200


async def test_api_returns_the_handover_summary(api, organisation, handed_off):
    path = f"/requests/{handed_off.reference}"
    await api.post(f"{path}/minds", json={"text": "His name is pronounced Mar-TEEN."})
    body = {"reason": "No income is given.", "by": "uma@acme.example"}
    await api.post(f"{path}/handoff/refuse", json=body)
    await api.post(f"{path}/advance", json={"handover": "It is on page 2."})
    told = (await api.get(f"{path}/story")).json()
    assert told["minds_about"] == "His name is pronounced Mar-TEEN."
    [back] = told["returns"]
    assert (back["department"], back["reason"]) == ("underwriting", "No income is given.")
    assert told["handovers"][0]["words"] == "It is on page 2."
    request = (await api.get(path)).json()
    assert request["handoffs"][-1]["note"] == "It is on page 2."
    recalled = (await api.post(f"{path}/handoff/recall")).json()
    assert recalled["handoffs"][-1]["state"] == "recalled"
    states = {stage["key"]: stage["state"] for stage in recalled["stages"]}
    assert (states["received"], states["decision"]) == ("open", "upcoming")
