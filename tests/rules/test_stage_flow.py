"""Stages side by side: a join waits for all of them, and a step back touches only what follows."""

import pytest

from portal.errors import BadInput, Conflict
from portal.models import KEPT, EventKind, RequestStatus, RunState
from portal.operations import accept, advance, cancel, refuse, reopen, send_back

pytestmark = pytest.mark.either_database


@pytest.fixture
async def forked(house):
    """A permit under three reviews at once; Fire has taken it up."""
    permit = await house.open("permit", by=house.people.cora.actor)
    await house.do(advance, permit, by=house.people.cora.actor)
    return await house.do(accept, permit, by=house.people.finn.actor)


async def finish(house, permit, *stages):
    for stage in stages:
        permit = await house.do(advance, permit, stage=stage, by=house.people.mona.actor)
    return permit


def states(permit):
    return {(run.stage_key, run.passage): run.state.value for run in permit.runs}


async def test_a_fork_opens_all_its_branches(house, forked):
    assert {run.stage_key for run in forked.open_runs} == {"fire", "plans", "zoning"}


async def test_whoever_owned_it_at_the_fork_owns_it_until_it_joins(house, forked):
    people = house.people
    assert forked.owner_id == forked.coordinator_id == people.cora.id
    assignees = {run.stage_key: run.assignee_id for run in forked.open_runs}
    assert assignees == {"fire": people.finn.id, "plans": people.pat.id, "zoning": people.zoe.id}
    one_left = await finish(house, forked, "fire", "plans")
    assert one_left.owner_id == people.zoe.id
    assert one_left.coordinator_id is None


async def test_where_several_are_open_one_must_be_named(house, forked):
    with pytest.raises(BadInput, match="Several stages are open: fire, plans, zoning") as refusal:
        await house.do(advance, forked, by=house.people.mona.actor)
    assert "stage" in refusal.value.fields


async def test_a_join_waits_for_all_of_its_branches(house, forked):
    waiting = await finish(house, forked, "zoning", "fire")
    assert [run.stage_key for run in waiting.open_runs] == ["plans"]
    joined = await finish(house, waiting, "plans")
    assert [run.stage_key for run in joined.open_runs] == ["decision"]
    assert joined.owner_id == house.people.cora.id


async def test_the_last_to_finish_is_the_joins_sender(house):
    text = """
    key = "review"
    name = "Review"
    [[stages]]
    key = "plans"
    department = "plans"
    title = "Plans"
    expected = "1d"
    [[stages]]
    key = "zoning"
    department = "zoning"
    title = "Zoning"
    expected = "1d"
    after = []
    [[stages]]
    key = "fire"
    department = "fire"
    title = "Fire"
    expected = "1d"
    after = ["plans", "zoning"]
    """
    await house.load(text)
    review = await house.open("review", by=KEPT)
    review = await finish(house, review, "zoning", "plans")
    [handoff] = review.handoffs
    assert handoff.sender_id == review.owner_id == house.people.pat.id
    refused = await house.do(refuse, review, reason="Not whole.", by=house.people.finn.actor)
    assert [run.stage_key for run in refused.open_runs] == ["plans"]
    again = await finish(house, refused, "plans")
    assert [run.stage_key for run in again.open_runs] == ["fire"]


async def test_sending_back_keeps_sibling_branches(house, forked):
    await finish(house, forked, "plans")
    sent = await house.do(
        send_back, forked, stage="plans", reason="A page misses.", by=house.people.cora.actor
    )
    assert states(sent) == {
        ("intake", 1): "completed",
        ("fire", 1): "open",
        ("plans", 1): "superseded",
        ("zoning", 1): "open",
        ("plans", 2): "open",
    }


async def test_sending_back_from_beyond_the_join_runs_only_that_branch_and_the_join_again(
    house, forked
):
    await finish(house, forked, "fire", "plans", "zoning")
    sent = await house.do(
        send_back, forked, stage="zoning", reason="Wrong map.", by=house.people.cora.actor
    )
    assert [run.stage_key for run in sent.open_runs] == ["zoning"]
    assert states(sent)["decision", 1] == "superseded"
    assert states(sent)["fire", 1] == "completed"
    joined = await finish(house, sent, "zoning")
    assert [(run.stage_key, run.passage) for run in joined.open_runs] == [("decision", 2)]


async def test_sending_back_before_the_fork_runs_every_branch_again(house, forked):
    await finish(house, forked, "plans")
    sent = await house.do(
        send_back, forked, stage="intake", reason="Start over.", by=house.people.cora.actor
    )
    assert [run.stage_key for run in sent.open_runs] == ["intake"]
    assert not sent.coordinator_id
    again = await finish(house, sent, "intake")
    assert {(run.stage_key, run.passage) for run in again.open_runs} == {
        ("fire", 2), ("plans", 2), ("zoning", 2),
    }  # fmt: skip


async def test_a_stage_run_again_is_told_in_words_that_say_so(house, forked):
    await finish(house, forked, "plans")
    before = len(await house.told(forked))
    await house.do(send_back, forked, stage="plans", reason="Oops.", by=house.people.cora.actor)
    [text] = (await house.told(forked))[before:]
    assert "once more: Your plans are being reviewed" in text.body


async def test_only_what_is_completed_can_be_gone_back_to(house, forked):
    with pytest.raises(Conflict, match="is not completed"):
        await house.do(
            send_back, forked, stage="decision", reason="No.", by=house.people.cora.actor
        )
    with pytest.raises(BadInput, match="has no stage 'roof'"):
        await house.do(send_back, forked, stage="roof", reason="No.", by=house.people.cora.actor)


async def test_a_stage_superseded_while_its_handoff_waits_can_no_longer_be_accepted(house):
    permit = await house.open("permit", by=house.people.cora.actor)
    await house.do(advance, permit, by=house.people.cora.actor)
    await house.do(
        send_back, permit, stage="intake", reason="Start over.", by=house.people.cora.actor
    )
    with pytest.raises(Conflict, match="waits to be taken up"):
        await house.do(accept, permit, by=house.people.finn.actor)


async def test_a_refused_return_to_before_the_fork_leaves_every_branch_under_way(house):
    """Sent back to Fire, which hands on to two; Fire refuses; both go on as they were."""
    text = """
    key = "fan"
    name = "Fan"
    [[stages]]
    key = "fire"
    department = "fire"
    title = "Fire"
    expected = "1d"
    [[stages]]
    key = "plans"
    department = "plans"
    title = "Plans"
    expected = "1d"
    after = ["fire"]
    [[stages]]
    key = "zoning"
    department = "zoning"
    title = "Zoning"
    expected = "1d"
    after = ["fire"]
    [[stages]]
    key = "end"
    department = "plans"
    title = "End"
    expected = "1d"
    after = ["plans", "zoning"]
    """
    await house.load(text)
    fan = await house.open("fan", by=KEPT)
    await finish(house, fan, "fire", "zoning")
    sent = await house.do(
        send_back, fan, stage="fire", reason="Look again.", by=house.people.pat.actor
    )
    assert [run.stage_key for run in sent.open_runs] == ["fire"]
    refused = await house.do(refuse, fan, reason="We did.", by=house.people.finn.actor)
    assert [run.stage_key for run in refused.open_runs] == ["plans"]
    assert states(refused)["zoning", 1] == "completed"
    joined = await finish(house, refused, "plans")
    assert [run.stage_key for run in joined.open_runs] == ["end"]


async def test_reopened_at_one_branch_the_others_that_were_cut_off_go_on_too(house, forked):
    await finish(house, forked, "plans")
    await house.do(cancel, forked, reason="Withdrawn.", by=house.people.cora.actor)
    opened = await house.do(
        reopen, forked, reason="They are back.", stage="fire", by=house.people.cora.actor
    )
    assert {run.stage_key for run in opened.open_runs} == {"fire", "zoning"}
    joined = await finish(house, opened, "fire", "zoning")
    assert [run.stage_key for run in joined.open_runs] == ["decision"]


async def test_the_last_stage_done_it_is_completed_and_told(house, forked):
    done = await finish(house, forked, "fire", "plans", "zoning", "decision")
    assert done.status == RequestStatus.COMPLETED
    assert all(run.state == RunState.COMPLETED for run in done.runs)
    kinds = [event.kind for event in await house.events(done)]
    assert kinds[-1] == EventKind.COMPLETED
    assert "is done" in (await house.told(done))[-1].body
