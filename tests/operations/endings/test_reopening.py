"""A closed request is reopened and continues."""

from datetime import timedelta

import pytest

from portal.errors import BadInput, Conflict
from portal.models import SYSTEM_ACTOR, Answer, RunState
from portal.operations import accept, advance, cancel, disable_staff, hold, reopen, send_back
from tests.operations.endings.steps import asked, say

pytestmark = pytest.mark.either_database


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


async def test_reopened_request_continues_where_it_stopped(organisation, card_request):
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


async def test_reopening_a_completed_request_repeats_the_last_stage(organisation, delivered):
    await asked(organisation, delivered)
    await say(organisation, delivered, Answer.YES)
    again = await organisation.run(
        reopen, delivered, reason="It broke.", by=organisation.people.carl.actor
    )
    assert [run.stage_key for run in again.open_runs] == ["delivered"]
    assert [r.state for r in again.runs if r.stage_key == "delivered"] == [
        RunState.SUPERSEDED, RunState.OPEN,
    ]  # fmt: skip


async def test_second_reopening_continues_where_the_request_last_stopped(
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


async def test_request_reopened_after_its_owner_left_has_an_owner(organisation):
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    await organisation.run(advance, permit, by=organisation.people.cora.actor)
    await organisation.run(cancel, permit, reason="Enough.", by=organisation.people.cora.actor)
    await organisation.run_unbound(disable_staff, email="cora@acme.example", by=SYSTEM_ACTOR)
    again = await organisation.run(reopen, permit, reason="They are back.", by=SYSTEM_ACTOR)
    assert len(again.open_runs) == 3
    assert again.owner_id == organisation.people.mona.id


async def test_open_request_cannot_be_reopened(organisation, card_request):
    with pytest.raises(Conflict, match="is not closed"):
        await organisation.run(reopen, card_request, reason="Why not.", by=SYSTEM_ACTOR)
    with pytest.raises(BadInput):
        await organisation.run(reopen, card_request, reason="", by=SYSTEM_ACTOR)
