"""A handoff: until it is accepted the sender owns the request, and nobody is told otherwise."""

from datetime import timedelta

import pytest

from portal.errors import BadInput, Conflict, NotAllowed
from portal.models import KEPT, Actor, ActorKind, EventKind, MessageKind, RunState
from portal.operations import (
    accept,
    advance,
    assign,
    disable_staff,
    load_workflow,
    refuse,
    send_back,
)
from portal.queries.roster import load_full_roster
from portal.workflows import read_workflow
from tests.support.factories import CARD

pytestmark = pytest.mark.either_database

CRM = Actor(ActorKind.API, "crm")


@pytest.fixture
async def handed_off(house, martins):
    """Tess has finished; Underwriting has not taken it up yet."""
    return await house.do(advance, martins, by=house.people.tess.actor)


async def test_the_sender_owns_it_until_it_is_accepted(house, handed_off):
    [run] = handed_off.open_runs
    assert run.stage_key == "decision"
    assert run.reached_at is None
    assert handed_off.owner_id == run.assignee_id == house.people.tess.id
    telesales = handed_off.runs[0].department_id
    assert handed_off.department_id == telesales


async def test_the_receivers_clock_runs_from_the_opening(clock, house):
    opened = await house.open(by=KEPT)
    handed_off = await house.do(advance, opened, by=KEPT)
    [run] = handed_off.open_runs
    assert run.due_at == run.opened_at + timedelta(days=1)
    assert run.late_at == run.due_at + timedelta(hours=4)
    [handoff] = handed_off.handoffs
    assert handoff.accept_by == handoff.sent_at + timedelta(hours=4)
    clock.shift(timedelta(hours=3))
    accepted = await house.do(accept, opened, by=house.people.uma.actor)
    assert accepted.open_runs[0].due_at == run.due_at


async def test_the_customer_is_told_only_when_it_is_accepted(house, handed_off):
    before = await house.told(handed_off)
    accepted = await house.do(accept, handed_off, by=house.people.uma.actor)
    after = await house.told(accepted)
    assert len(before) == 1
    assert [text.kind for text in after] == [MessageKind.MILESTONE] * 2
    assert "is being checked" in after[1].body
    assert accepted.open_runs[0].reached_at is not None


async def test_who_accepts_has_it(house, handed_off):
    accepted = await house.do(accept, handed_off, by=house.people.uma.actor)
    assert accepted.owner_id == house.people.uma.id
    assert accepted.department_id == accepted.open_runs[0].department_id


async def test_a_manager_may_accept_for_any_department(house, handed_off):
    accepted = await house.do(accept, handed_off, by=house.people.mona.actor)
    assert accepted.owner_id == house.people.mona.id


@pytest.mark.parametrize("verb", [accept, refuse])
async def test_somebody_of_another_department_may_not(house, handed_off, verb):
    words = {"reason": "Not ours."} if verb is refuse else {}
    with pytest.raises(NotAllowed, match="Pia Press does not work in Underwriting"):
        await house.do(verb, handed_off, by=house.people.pia.actor, **words)
    seen = await house.see(handed_off)
    assert seen.version == handed_off.version
    assert seen.open_runs[0].reached_at is None


async def test_accepted_by_another_system_it_goes_to_the_departments_lead(house, handed_off):
    accepted = await house.do(accept, handed_off, by=CRM)
    assert accepted.owner_id == house.people.uma.id
    event = (await house.events(accepted))[-2]
    assert (event.kind, event.actor_name) == (EventKind.HANDOFF_ACCEPTED, "crm")


async def test_it_can_be_accepted_once(house, handed_off):
    await house.do(accept, handed_off, by=house.people.uma.actor)
    with pytest.raises(Conflict, match="waits to be taken up"):
        await house.do(accept, handed_off, by=house.people.uma.actor)
    assert len(await house.told(handed_off)) == 2


async def test_it_cannot_be_passed_on_before_it_is_accepted(house, handed_off):
    with pytest.raises(Conflict, match="Underwriting has not taken it up yet"):
        await house.do(advance, handed_off, by=house.people.tess.actor)


async def test_an_unknown_stage_is_named_as_such(house, handed_off):
    with pytest.raises(BadInput, match="has no stage 'moon'"):
        await house.do(accept, handed_off, stage="moon", by=house.people.uma.actor)


async def test_refused_it_runs_again_with_the_sender_and_the_customer_hears_nothing(
    house, handed_off
):
    refused = await house.do(
        refuse, handed_off, reason="No income is given.", by=house.people.uma.actor
    )
    [run] = refused.open_runs
    assert (run.stage_key, run.passage) == ("received", 2)
    assert refused.owner_id == run.assignee_id == house.people.tess.id
    assert refused.handoffs[0].refused_reason == "No income is given."
    assert len(await house.told(refused)) == 1


async def test_a_refusal_needs_a_reason(house, handed_off):
    with pytest.raises(BadInput):
        await house.do(refuse, handed_off, reason=" \x00 ", by=house.people.uma.actor)


async def test_sent_again_after_a_refusal_it_is_told_as_new_since_it_was_never_told(
    house, handed_off
):
    await house.do(refuse, handed_off, reason="Not yet.", by=house.people.uma.actor)
    await house.do(advance, handed_off, by=house.people.tess.actor)
    await house.do(accept, handed_off, by=house.people.uma.actor)
    last = (await house.told(handed_off))[-1]
    assert "again" not in last.body
    assert "is being checked" in last.body


async def test_refused_after_the_sender_has_left_it_goes_to_a_colleague(house, handed_off):
    await house.hear(disable_staff, email="tess@acme.example", by=KEPT)
    waiting = await house.see(handed_off)
    assert waiting.owner_id == house.people.tom.id
    refused = await house.do(refuse, handed_off, reason="No.", by=house.people.uma.actor)
    assert refused.owner_id == house.people.tom.id


async def test_while_it_waits_the_sender_can_be_somebody_else_by_name(house, handed_off):
    await house.do(assign, handed_off, owner="tom@acme.example", by=house.people.mona.actor)
    refused = await house.do(refuse, handed_off, reason="No.", by=house.people.uma.actor)
    assert refused.owner_id == house.people.tom.id


async def test_within_one_department_nothing_is_handed_off_and_the_person_keeps_it(house, martins):
    people = house.people
    for taker in (people.uma, people.paul, people.carl):
        await house.do(advance, martins, by=KEPT)
        await house.do(accept, martins, by=taker.actor)
    delivered = await house.do(advance, martins, by=people.carl.actor)
    [run] = delivered.open_runs
    assert run.stage_key == "delivered"
    assert run.reached_at is not None
    assert run.assignee_id == people.carl.id
    assert len(delivered.handoffs) == 3


async def test_a_department_that_needs_no_acceptance_has_it_at_once(house):
    opened = await house.open("permit", by=KEPT)
    forked = await house.do(advance, opened, by=KEPT)
    reached = {run.stage_key: run.reached_at is not None for run in forked.open_runs}
    assert reached == {"fire": False, "plans": True, "zoning": True}


async def test_a_sending_back_that_is_refused_undoes_nothing(house, handed_off):
    """Card Processing asks Underwriting to look again; it will not; Processing has it still."""
    people = house.people
    await house.do(accept, handed_off, by=people.uma.actor)
    await house.do(advance, handed_off, by=people.uma.actor)
    await house.do(accept, handed_off, by=people.paul.actor)
    sent = await house.do(
        send_back, handed_off, stage="decision", reason="The limit misses.", by=people.paul.actor
    )
    assert sent.owner_id == people.paul.id
    refused = await house.do(refuse, handed_off, reason="It is there.", by=people.uma.actor)
    [run] = refused.open_runs
    assert (run.stage_key, run.assignee_id) == ("made", people.paul.id)
    done = {one.stage_key for one in refused.runs if one.state == RunState.COMPLETED}
    assert done == {"received", "decision"}


async def test_another_department_keeps_its_people_and_hours_when_a_file_names_it_again(
    house, relay
):
    other = CARD.replace('key = "card"', 'key = "loan"').replace(
        'accept_within = "4h"', 'accept_within = "1h"'
    )
    async with relay.turn(KEPT) as turn:
        await load_workflow(turn, read_workflow(other))
        roster = await load_full_roster(turn.session)
    assert roster.department("underwriting").accept_within == "4h"
