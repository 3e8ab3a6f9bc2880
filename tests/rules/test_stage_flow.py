"""Parallel stages: a join waits for every branch, and sending back repeats only what follows."""

import pytest

from portal.errors import BadInput, Conflict
from portal.models import SYSTEM_ACTOR, EventKind, RequestStatus, RunState
from portal.operations import accept, advance, cancel, refuse, reopen, send_back

pytestmark = pytest.mark.either_database


@pytest.fixture
async def forked(organisation):
    """A permit under three reviews at once; Fire has taken it up."""
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    await organisation.run(advance, permit, by=organisation.people.cora.actor)
    return await organisation.run(accept, permit, by=organisation.people.finn.actor)


async def finish(organisation, permit, *stages):
    for stage in stages:
        permit = await organisation.run(
            advance, permit, stage=stage, by=organisation.people.mona.actor
        )
    return permit


def states(permit):
    return {(run.stage_key, run.passage): run.state.value for run in permit.runs}


async def test_fork_opens_every_branch(organisation, forked):
    assert {run.stage_key for run in forked.open_runs} == {"fire", "plans", "zoning"}


async def test_owner_at_the_fork_owns_the_request_until_the_join(organisation, forked):
    people = organisation.people
    assert forked.owner_id == forked.coordinator_id == people.cora.id
    assignees = {run.stage_key: run.assignee_id for run in forked.open_runs}
    assert assignees == {"fire": people.finn.id, "plans": people.pat.id, "zoning": people.zoe.id}
    one_left = await finish(organisation, forked, "fire", "plans")
    assert one_left.owner_id == people.zoe.id
    assert one_left.coordinator_id is None


async def test_stage_must_be_named_where_several_are_open(organisation, forked):
    with pytest.raises(BadInput, match="Several stages are open: fire, plans, zoning") as refusal:
        await organisation.run(advance, forked, by=organisation.people.mona.actor)
    assert "stage" in refusal.value.fields


async def test_join_waits_for_every_branch(organisation, forked):
    waiting = await finish(organisation, forked, "zoning", "fire")
    assert [run.stage_key for run in waiting.open_runs] == ["plans"]
    joined = await finish(organisation, waiting, "plans")
    assert [run.stage_key for run in joined.open_runs] == ["decision"]
    assert joined.owner_id == organisation.people.cora.id


async def test_last_finisher_is_the_sender_at_the_join(organisation):
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
    await organisation.load(text)
    review = await organisation.open("review", by=SYSTEM_ACTOR)
    review = await finish(organisation, review, "zoning", "plans")
    [handoff] = review.handoffs
    assert handoff.sender_id == review.owner_id == organisation.people.pat.id
    refused = await organisation.run(
        refuse, review, reason="Not whole.", by=organisation.people.finn.actor
    )
    assert [run.stage_key for run in refused.open_runs] == ["plans"]
    again = await finish(organisation, refused, "plans")
    assert [run.stage_key for run in again.open_runs] == ["fire"]


async def test_sending_back_keeps_sibling_branches(organisation, forked):
    await finish(organisation, forked, "plans")
    sent = await organisation.run(
        send_back, forked, stage="plans", reason="A page misses.", by=organisation.people.cora.actor
    )
    assert states(sent) == {
        ("intake", 1): "completed",
        ("fire", 1): "open",
        ("plans", 1): "superseded",
        ("zoning", 1): "open",
        ("plans", 2): "open",
    }


async def test_sending_back_after_the_join_repeats_one_branch_and_the_join(organisation, forked):
    await finish(organisation, forked, "fire", "plans", "zoning")
    sent = await organisation.run(
        send_back, forked, stage="zoning", reason="Wrong map.", by=organisation.people.cora.actor
    )
    assert [run.stage_key for run in sent.open_runs] == ["zoning"]
    assert states(sent)["decision", 1] == "superseded"
    assert states(sent)["fire", 1] == "completed"
    joined = await finish(organisation, sent, "zoning")
    assert [(run.stage_key, run.passage) for run in joined.open_runs] == [("decision", 2)]


async def test_sending_back_before_the_fork_repeats_every_branch(organisation, forked):
    await finish(organisation, forked, "plans")
    sent = await organisation.run(
        send_back, forked, stage="intake", reason="Start over.", by=organisation.people.cora.actor
    )
    assert [run.stage_key for run in sent.open_runs] == ["intake"]
    assert not sent.coordinator_id
    again = await finish(organisation, sent, "intake")
    assert {(run.stage_key, run.passage) for run in again.open_runs} == {
        ("fire", 2), ("plans", 2), ("zoning", 2),
    }  # fmt: skip


async def test_repeated_stage_is_announced_as_repeated(organisation, forked):
    await finish(organisation, forked, "plans")
    before = len(await organisation.outbound_messages(forked))
    await organisation.run(
        send_back, forked, stage="plans", reason="Oops.", by=organisation.people.cora.actor
    )
    [text] = (await organisation.outbound_messages(forked))[before:]
    assert "Once more: Your plans are being reviewed" in text.body


async def test_only_a_completed_stage_can_be_sent_back_to(organisation, forked):
    with pytest.raises(Conflict, match="is not completed"):
        await organisation.run(
            send_back, forked, stage="decision", reason="No.", by=organisation.people.cora.actor
        )
    with pytest.raises(BadInput, match="has no stage 'roof'"):
        await organisation.run(
            send_back, forked, stage="roof", reason="No.", by=organisation.people.cora.actor
        )


async def test_handoff_of_a_superseded_stage_cannot_be_accepted(organisation):
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    await organisation.run(advance, permit, by=organisation.people.cora.actor)
    await organisation.run(
        send_back, permit, stage="intake", reason="Start over.", by=organisation.people.cora.actor
    )
    with pytest.raises(Conflict, match="waits to be taken up"):
        await organisation.run(accept, permit, by=organisation.people.finn.actor)


async def test_refused_return_before_the_fork_keeps_every_branch_open(organisation):
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
    await organisation.load(text)
    fan = await organisation.open("fan", by=SYSTEM_ACTOR)
    await finish(organisation, fan, "fire", "zoning")
    sent = await organisation.run(
        send_back, fan, stage="fire", reason="Look again.", by=organisation.people.pat.actor
    )
    assert [run.stage_key for run in sent.open_runs] == ["fire"]
    refused = await organisation.run(
        refuse, fan, reason="We did.", by=organisation.people.finn.actor
    )
    assert [run.stage_key for run in refused.open_runs] == ["plans"]
    assert states(refused)["zoning", 1] == "completed"
    joined = await finish(organisation, refused, "plans")
    assert [run.stage_key for run in joined.open_runs] == ["end"]


async def test_reopening_one_branch_resumes_the_interrupted_branches(organisation, forked):
    await finish(organisation, forked, "plans")
    await organisation.run(cancel, forked, reason="Withdrawn.", by=organisation.people.cora.actor)
    opened = await organisation.run(
        reopen, forked, reason="They are back.", stage="fire", by=organisation.people.cora.actor
    )
    assert {run.stage_key for run in opened.open_runs} == {"fire", "zoning"}
    joined = await finish(organisation, opened, "fire", "zoning")
    assert [run.stage_key for run in joined.open_runs] == ["decision"]


async def test_completing_the_last_stage_completes_and_announces_the_request(organisation, forked):
    done = await finish(organisation, forked, "fire", "plans", "zoning", "decision")
    assert done.status == RequestStatus.COMPLETED
    assert all(run.state == RunState.COMPLETED for run in done.runs)
    kinds = [event.kind for event in await organisation.events(done)]
    assert kinds[-1] == EventKind.COMPLETED
    assert "all done" in (await organisation.outbound_messages(done))[-1].body
