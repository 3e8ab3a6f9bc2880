"""A handoff: the sender owns the request until acceptance, and the customer is not informed before."""

from datetime import timedelta

import pytest

from portal.errors import BadInput, Conflict, NotAllowed
from portal.models import SYSTEM_ACTOR, Actor, ActorKind, EventKind, MessageKind, RunState
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
async def handed_off(organisation, card_request):
    """Tess has finished; Underwriting has not taken it up yet."""
    return await organisation.run(advance, card_request, by=organisation.people.tess.actor)


async def test_sender_owns_the_handoff_until_acceptance(organisation, handed_off):
    [run] = handed_off.open_runs
    assert run.stage_key == "decision"
    assert run.reached_at is None
    assert handed_off.owner_id == run.assignee_id == organisation.people.tess.id
    telesales = handed_off.runs[0].department_id
    assert handed_off.department_id == telesales


async def test_acceptance_clock_runs_from_the_opening_of_the_stage(clock, organisation):
    opened = await organisation.open(by=SYSTEM_ACTOR)
    handed_off = await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    [run] = handed_off.open_runs
    assert run.due_at == run.opened_at + timedelta(days=1)
    assert run.overdue_at == run.due_at + timedelta(hours=4)
    [handoff] = handed_off.handoffs
    assert handoff.accept_by == handoff.sent_at + timedelta(hours=4)
    clock.shift(timedelta(hours=3))
    accepted = await organisation.run(accept, opened, by=organisation.people.uma.actor)
    assert accepted.open_runs[0].due_at == run.due_at


async def test_handoff_is_announced_only_after_acceptance(organisation, handed_off):
    before = await organisation.outbound_messages(handed_off)
    accepted = await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    after = await organisation.outbound_messages(accepted)
    assert len(before) == 1
    assert [text.kind for text in after] == [MessageKind.MILESTONE] * 2
    assert "is being checked" in after[1].body
    assert accepted.open_runs[0].reached_at is not None


async def test_acceptor_becomes_owner(organisation, handed_off):
    accepted = await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    assert accepted.owner_id == organisation.people.uma.id
    assert accepted.department_id == accepted.open_runs[0].department_id


async def test_manager_may_accept_for_any_department(organisation, handed_off):
    accepted = await organisation.run(accept, handed_off, by=organisation.people.mona.actor)
    assert accepted.owner_id == organisation.people.mona.id


@pytest.mark.parametrize("verb", [accept, refuse])
async def test_staff_of_another_department_may_not_accept(organisation, handed_off, verb):
    words = {"reason": "Not ours."} if verb is refuse else {}
    with pytest.raises(NotAllowed, match="Pia Press does not work in Underwriting"):
        await organisation.run(verb, handed_off, by=organisation.people.pia.actor, **words)
    seen = await organisation.reload(handed_off)
    assert seen.version == handed_off.version
    assert seen.open_runs[0].reached_at is None


async def test_handoff_accepted_by_api_goes_to_the_departments_lead(organisation, handed_off):
    accepted = await organisation.run(accept, handed_off, by=CRM)
    assert accepted.owner_id == organisation.people.uma.id
    event = (await organisation.events(accepted))[-2]
    assert (event.kind, event.actor_name) == (EventKind.HANDOFF_ACCEPTED, "crm")


async def test_handoff_is_accepted_once(organisation, handed_off):
    await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    with pytest.raises(Conflict, match="waits to be taken up"):
        await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    assert len(await organisation.outbound_messages(handed_off)) == 2


async def test_waiting_handoff_cannot_be_advanced(organisation, handed_off):
    with pytest.raises(Conflict, match="Underwriting has not taken it up yet"):
        await organisation.run(advance, handed_off, by=organisation.people.tess.actor)


async def test_unknown_stage_is_rejected_by_name(organisation, handed_off):
    with pytest.raises(BadInput, match="has no stage 'moon'"):
        await organisation.run(accept, handed_off, stage="moon", by=organisation.people.uma.actor)


async def test_refused_handoff_returns_to_the_sender_without_a_message(organisation, handed_off):
    refused = await organisation.run(
        refuse, handed_off, reason="No income is given.", by=organisation.people.uma.actor
    )
    [run] = refused.open_runs
    assert (run.stage_key, run.passage) == ("received", 2)
    assert refused.owner_id == run.assignee_id == organisation.people.tess.id
    assert refused.handoffs[0].refused_reason == "No income is given."
    assert len(await organisation.outbound_messages(refused)) == 1


async def test_refusal_needs_a_reason(organisation, handed_off):
    with pytest.raises(BadInput):
        await organisation.run(
            refuse, handed_off, reason=" \x00 ", by=organisation.people.uma.actor
        )


async def test_handoff_sent_again_after_a_refusal_is_announced_as_new(organisation, handed_off):
    await organisation.run(refuse, handed_off, reason="Not yet.", by=organisation.people.uma.actor)
    await organisation.run(advance, handed_off, by=organisation.people.tess.actor)
    await organisation.run(accept, handed_off, by=organisation.people.uma.actor)
    last = (await organisation.outbound_messages(handed_off))[-1]
    assert "again" not in last.body
    assert "is being checked" in last.body


async def test_refused_handoff_of_a_disabled_sender_goes_to_a_colleague(organisation, handed_off):
    await organisation.run_unbound(disable_staff, email="tess@acme.example", by=SYSTEM_ACTOR)
    waiting = await organisation.reload(handed_off)
    assert waiting.owner_id == organisation.people.tom.id
    refused = await organisation.run(
        refuse, handed_off, reason="No.", by=organisation.people.uma.actor
    )
    assert refused.owner_id == organisation.people.tom.id


async def test_waiting_handoff_can_be_assigned_to_another_sender(organisation, handed_off):
    await organisation.run(
        assign, handed_off, owner="tom@acme.example", by=organisation.people.mona.actor
    )
    refused = await organisation.run(
        refuse, handed_off, reason="No.", by=organisation.people.uma.actor
    )
    assert refused.owner_id == organisation.people.tom.id


async def test_move_within_a_department_is_no_handoff(organisation, card_request):
    people = organisation.people
    for taker in (people.uma, people.paul, people.carl):
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
        await organisation.run(accept, card_request, by=taker.actor)
    delivered = await organisation.run(advance, card_request, by=people.carl.actor)
    [run] = delivered.open_runs
    assert run.stage_key == "delivered"
    assert run.reached_at is not None
    assert run.assignee_id == people.carl.id
    assert len(delivered.handoffs) == 3


async def test_department_without_acceptance_owns_the_stage_at_once(organisation):
    opened = await organisation.open("permit", by=SYSTEM_ACTOR)
    forked = await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    reached = {run.stage_key: run.reached_at is not None for run in forked.open_runs}
    assert reached == {"fire": False, "plans": True, "zoning": True}


async def test_refused_send_back_changes_no_completed_stage(organisation, handed_off):
    """Card Processing asks Underwriting to look again; it will not; Processing has it still."""
    people = organisation.people
    await organisation.run(accept, handed_off, by=people.uma.actor)
    await organisation.run(advance, handed_off, by=people.uma.actor)
    await organisation.run(accept, handed_off, by=people.paul.actor)
    sent = await organisation.run(
        send_back, handed_off, stage="decision", reason="The limit misses.", by=people.paul.actor
    )
    assert sent.owner_id == people.paul.id
    refused = await organisation.run(refuse, handed_off, reason="It is there.", by=people.uma.actor)
    [run] = refused.open_runs
    assert (run.stage_key, run.assignee_id) == ("made", people.paul.id)
    done = {run.stage_key for run in refused.runs if run.state == RunState.COMPLETED}
    assert done == {"received", "decision"}


async def test_department_keeps_staff_and_hours_when_a_file_names_it_again(
    organisation, operations
):
    other = CARD.replace('key = "card"', 'key = "loan"').replace(
        'accept_within = "4h"', 'accept_within = "1h"'
    )
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await load_workflow(uow, read_workflow(other))
        roster = await load_full_roster(uow.session)
    assert roster.department("underwriting").accept_within == "4h"
