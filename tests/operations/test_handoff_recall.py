"""Handing over: taken back by the sender, counted when returned, and warm: with the story."""

from datetime import timedelta

import pytest

from portal.errors import BadInput, Conflict, NotAllowed
from portal.models import (
    KEPT,
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
    answer,
    ask_what_is_due,
    assign,
    hold,
    log_contact,
    make_promise,
    note_minds,
    recall,
    receive_web_message,
    refuse,
    reopen,
    resume,
    send_back,
    write_to_customer,
)
from portal.queries.desk.handover_summary import read_story

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
async def handed_off(clock, house, martins):
    """Tess has finished after an hour; Underwriting has not taken it up yet."""
    clock.shift(timedelta(hours=1))
    return await house.do(advance, martins, by=house.people.tess.actor)


async def test_taken_back_it_is_as_if_it_had_never_been_passed_on(
    clock, house, martins, handed_off
):
    """The very passage goes on, with its old clock; the receiver's is void."""
    [before] = martins.open_runs
    clock.shift(timedelta(hours=1))
    recalled = await house.do(recall, handed_off, by=house.people.tess.actor)
    [run] = recalled.open_runs
    assert (run.id, run.stage_key, run.passage) == (before.id, "received", 1)
    assert (run.due_at, run.late_at) == (before.due_at, before.late_at)
    assert (run.completed_at, run.took_seconds, run.returned_by_id) == (None, None, None)
    assert recalled.owner_id == house.people.tess.id
    assert recalled.department_id == run.department_id
    [handoff] = recalled.handoffs
    assert handoff.recalled_at == handoff.sent_at + timedelta(hours=1)
    assert not handoff.waits
    assert recalled.runs[1].state == RunState.SUPERSEDED


async def test_the_customer_is_told_nothing_and_their_page_is_true_again(house, handed_off):
    told = await house.told(handed_off)
    recalled = await house.do(recall, handed_off, by=house.people.tess.actor)
    assert await house.told(recalled) == told
    last = (await house.events(recalled))[-1]
    assert (last.kind, last.visible) == (EventKind.HANDOFF_RECALLED, False)
    assert recalled.page_version == handed_off.page_version + 1


async def test_passed_on_again_it_is_told_as_new(house, handed_off):
    await house.do(recall, handed_off, by=house.people.tess.actor)
    await house.do(advance, handed_off, by=house.people.tess.actor)
    accepted = await house.do(accept, handed_off, by=house.people.uma.actor)
    last = (await house.told(accepted))[-1]
    assert last.kind == MessageKind.MILESTONE
    assert "again" not in last.body


async def test_once_it_is_taken_up_it_cannot_be_taken_back(house, handed_off):
    await house.do(accept, handed_off, by=house.people.uma.actor)
    with pytest.raises(Conflict, match="waits to be taken up"):
        await house.do(recall, handed_off, by=house.people.tess.actor)


@pytest.mark.parametrize("name", ["uma", "tom", "pia"])
async def test_nobody_else_takes_it_back(house, handed_off, name):
    with pytest.raises(NotAllowed, match="Tess Sales has passed it on"):
        await house.do(recall, handed_off, by=getattr(house.people, name).actor)
    assert (await house.see(handed_off)).version == handed_off.version


@pytest.mark.parametrize("name", ["tess", "mona", None])
async def test_the_lead_a_manager_and_another_system_may(house, martins, name):
    people = house.people
    await house.do(assign, martins, owner="tom@acme.example", by=people.mona.actor)
    await house.do(advance, martins, by=people.tom.actor)
    by = getattr(people, name).actor if name else KEPT
    recalled = await house.do(recall, martins, by=by)
    assert recalled.owner_id == people.tom.id


async def test_whoever_passed_it_on_for_a_colleague_may_take_it_back(house, martins):
    await house.do(advance, martins, by=house.people.tom.actor)
    recalled = await house.do(recall, martins, by=house.people.tom.actor)
    assert recalled.owner_id == house.people.tess.id


async def test_side_by_side_it_comes_back_only_while_no_part_has_begun(house):
    """Plans and Zoning have it at once, so that Fire alone cannot be taken back."""
    opened = await house.open("permit", by=KEPT)
    await house.do(advance, opened, by=KEPT)
    with pytest.raises(Conflict, match="has begun its part already"):
        await house.do(recall, opened, by=KEPT)


async def test_what_was_sent_side_by_side_comes_back_together(house):
    forks = ACCEPTS_IN_HOURS.format(key="fork") + (
        '[[stages]]\nkey = "filed"\ndepartment = "back"\ntitle = "It is filed"\n'
        'expected = "2d"\nafter = ["intake"]\n'
    )
    await house.load(forks)
    opened = await house.open("fork", by=KEPT)
    passed = await house.do(advance, opened, by=KEPT)
    assert len(passed.open_runs) == 2
    recalled = await house.do(recall, passed, by=KEPT)
    assert [run.stage_key for run in recalled.open_runs] == ["intake"]
    assert recalled.coordinator_id is None
    assert not any(handoff.waits for handoff in recalled.handoffs)


async def test_a_sending_back_is_taken_back_too(house, handed_off):
    people = house.people
    await house.do(accept, handed_off, by=people.uma.actor)
    await house.do(advance, handed_off, by=people.uma.actor)
    before = await house.do(accept, handed_off, by=people.paul.actor)
    await house.do(send_back, handed_off, stage="decision", reason="Look.", by=people.paul.actor)
    recalled = await house.do(recall, handed_off, by=people.paul.actor)
    [run] = recalled.open_runs
    assert run.id == before.open_runs[0].id
    assert run.due_at == before.open_runs[0].due_at
    done = {one.stage_key for one in recalled.runs if one.state == RunState.COMPLETED}
    assert done == {"received", "decision"}
    assert not any(one.returned_by_id for one in recalled.runs)


async def test_what_the_customer_decided_is_not_ours_to_take_back(house):
    asks = ACCEPTS_IN_HOURS.format(key="quote").replace(
        'title = "We have it"', 'title = "We have it"\nquestion = "Shall we? Reply YES or NO."'
    )
    await house.load(asks)
    opened = await house.open("quote", by=KEPT)
    await house.do(ask_what_is_due, opened, by=KEPT)
    async with house.relay.turn(KEPT) as turn:
        held = await turn.lock(opened.reference)
        await answer(turn, held, held.follow_ups[0], Answer.YES)
    with pytest.raises(Conflict, match="The customer's answer has sent it there"):
        await house.do(recall, opened, by=KEPT)


async def test_a_question_that_was_open_is_open_again_and_is_not_asked_twice(clock, house):
    asks = ACCEPTS_IN_HOURS.format(key="quote").replace(
        'title = "We have it"', 'title = "We have it"\nquestion = "Shall we? Reply YES or NO."'
    )
    await house.load(asks)
    opened = await house.open("quote", by=KEPT)
    asked = await house.do(ask_what_is_due, opened, by=KEPT)
    clock.shift(timedelta(hours=1))
    await house.do(advance, opened, by=KEPT)
    clock.shift(timedelta(hours=1))
    recalled = await house.do(recall, opened, by=KEPT)
    [question] = recalled.follow_ups
    assert question.state == FollowUpState.ASKED
    assert question.next_at == asked.follow_ups[0].next_at
    assert recalled.open_runs[0].waits_on_customer
    told = await house.told(await house.do(ask_what_is_due, opened, by=KEPT))
    assert [one.kind for one in told].count(MessageKind.FOLLOW_UP) == 1


async def test_what_is_given_back_says_by_which_department(house, handed_off):
    people = house.people
    refused = await house.do(refuse, handed_off, reason="No income.", by=people.uma.actor)
    under = refused.handoffs[0].to_department_id
    assert [run.returned_by_id for run in refused.runs] == [None, None, under]
    await house.do(advance, handed_off, by=people.tess.actor)
    await house.do(accept, handed_off, by=people.uma.actor)
    sent = await house.do(
        send_back, handed_off, stage="received", reason="Which address?", by=people.uma.actor
    )
    assert sent.runs[-1].returned_by_id == under
    async with house.database.reading() as session:
        story = await read_story(session, sent)
    assert [one.reason for one in story.returns] == ["No income.", "Which address?"]


async def test_reopening_and_moves_within_a_department_are_no_returns(house, martins):
    people = house.people
    for taker in (people.uma, people.paul, people.carl):
        await house.do(advance, martins, by=KEPT)
        await house.do(accept, martins, by=taker.actor)
    await house.do(advance, martins, by=people.carl.actor)
    await house.do(send_back, martins, stage="courier", reason="Gone.", by=people.carl.actor)
    await house.do(advance, martins, by=people.carl.actor)
    await house.do(advance, martins, by=people.carl.actor)
    await house.do(advance, martins, note="He told us on the phone.", by=people.carl.actor)
    opened = await house.do(reopen, martins, reason="Lost.", stage="made", by=people.mona.actor)
    assert not any(run.returned_by_id for run in opened.runs)


async def test_while_it_is_held_the_time_to_take_it_up_stands_still(clock, house):
    """By the receiver's hours: sent Tuesday 14:00 UTC, to be taken up by Wednesday 10:00."""
    await house.load(ACCEPTS_IN_HOURS.format(key="loan"))
    opened = await house.open("loan", by=KEPT)
    sent = await house.do(advance, opened, by=KEPT)
    by = sent.handoffs[0].accept_by
    await house.do(hold, opened, reason="We wait for a form.", by=KEPT)
    clock.shift(timedelta(days=1))
    resumed = await house.do(resume, opened, by=KEPT)
    assert resumed.handoffs[0].accept_by == by + timedelta(days=1)


async def test_the_story_goes_with_it(clock, house, martins):
    """What was promised and said, why they came, what they mind about, and the sender's words."""
    tess, due_at = house.people.tess.actor, martins.opened_at + timedelta(hours=30)
    async with house.database.reading() as session:
        assert (await read_story(session, martins)).is_blank
    await house.do(make_promise, martins, text="Call about the limit", due_at=due_at, by=tess)
    await house.do(receive_web_message, martins, "Is 5000 possible?", by=KEPT)
    await house.do(write_to_customer, martins, "We ask Underwriting.", by=tess)
    for reason in (ContactReason.WHERE_IS_IT, ContactReason.COMPLAINT, ContactReason.WHERE_IS_IT):
        await house.do(log_contact, martins, channel=ContactChannel.CALL, reason=reason, by=tess)
    await house.do(note_minds, martins, "Works nights:\ncall after 4 pm", by=tess)
    await house.do(advance, martins, handover="He hopes for 5000.", by=tess)
    passed = await house.do(
        assign, martins, owner="pia@acme.example", note="You know him.", by=house.people.mona.actor
    )
    assert passed.owner_id == house.people.pia.id
    assert passed.handoffs[0].note == "He hopes for 5000."
    async with house.database.reading() as session:
        story = await read_story(session, passed)
    assert story.minds_about == "Works nights: call after 4 pm"
    assert "Call about the limit" in [one.text for one in story.promises]
    assert (story.they_said.body, story.we_said.body) == (
        "Is 5000 possible?", "We ask Underwriting.",
    )  # fmt: skip
    assert story.contacts[0] == (ContactReason.WHERE_IS_IT, 2)
    assert [(one.words, one.by) for one in story.handovers] == [
        ("You know him.", "Mona Manager"), ("He hopes for 5000.", "Tess Sales"),
    ]  # fmt: skip


async def test_no_customer_reads_what_colleagues_tell_each_other(client, house, martins):
    await house.do(note_minds, martins, "secret one", by=house.people.tess.actor)
    await house.do(advance, martins, handover="secret two", by=house.people.tess.actor)
    sent = await house.do(
        assign, martins, owner="tom@acme.example", note="secret three", by=house.people.mona.actor
    )
    page = (await client.get(f"/r/{sent.live_link.token}")).text
    assert "Underwriting" in page
    assert "secret" not in page
    assert not any("secret" in one.body for one in await house.told(sent))


async def test_noting_what_they_mind_about_makes_no_click_stale(house, martins):
    noted = await house.do(note_minds, martins, "Dogs", by=house.people.tess.actor)
    assert (noted.version, noted.page_version) == (martins.version, martins.page_version)
    with pytest.raises(BadInput, match="one line"):
        await house.do(note_minds, martins, "x" * 301, by=house.people.tess.actor)


async def test_by_name_only_those_move_it_who_have_to_do_with_it(api, house, handed_off):
    """The sender's and the receiver's people, whoever was given it by name, and the key itself."""
    path = f"/requests/{handed_off.reference}"

    async def move(verb, by, **body):
        body |= {"by": f"{by}@acme.example"} if by else {}
        return (await api.post(f"{path}/{verb}", json=body)).status_code

    await house.do(accept, handed_off, by=house.people.uma.actor)
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


async def test_another_system_reads_the_story(api, house, handed_off):
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
