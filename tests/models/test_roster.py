"""Somebody named always has the work: who takes it, who follows, and that nobody leaves with it."""

import pytest

from portal.errors import BadInput, Conflict, NotFound
from portal.models import KEPT, Department, EventKind, Role, StaffMember
from portal.operations import accept, add_staff, advance, assign, disable_staff
from portal.queries.roster import load_full_roster
from portal.rules.roster import Roster

pytestmark = pytest.mark.either_database

PRESS = Department(id=1, key="press", name="Press")


def roster(*people, lead=None, members=(), open_runs=None):
    return Roster(
        departments={"press": PRESS},
        staff={person.id: person for person in people},
        members={1: list(members)},
        leads={1: lead} if lead else {},
        open_runs=open_runs or {},
    )


def person(number, role=Role.AGENT, *, left=False):
    return StaffMember(
        id=number, email=f"{number}@x.example", name=f"P{number}", role=role,
        disabled_at="left" if left else None,
    )  # fmt: skip


def test_the_one_named_takes_it():
    house = roster(person(1), person(2), members=[1, 2], lead=1)
    assert house.assignee(PRESS, named=house.person(2)) == 2


def test_else_the_lead():
    house = roster(person(1), person(2), members=[1, 2], lead=2, open_runs={2: 99})
    assert house.assignee(PRESS) == 2


def test_else_the_agent_with_the_fewest_open_stages():
    people = [person(number) for number in (1, 2, 3)]
    assert roster(*people, members=[1, 2, 3], open_runs={1: 2, 2: 1, 3: 1}).assignee(PRESS) == 2


def test_else_any_manager_then_any_admin():
    people = person(7, Role.ADMIN), person(8, Role.MANAGER)
    assert roster(*people).assignee(PRESS) == 8
    assert roster(people[0]).assignee(PRESS) == 7


def test_nobody_who_has_left_takes_anything():
    people = person(1, left=True), person(2, left=True), person(3)
    assert roster(*people, members=[1, 2, 3], lead=1).assignee(PRESS) == 3


def test_with_nobody_at_all_it_is_refused_with_a_remedy():
    with pytest.raises(Conflict, match="Add a person with `kept staff add`"):
        roster(person(1, left=True), members=[1]).assignee(PRESS)


async def test_of_two_leads_the_one_who_is_still_here_takes_it(house, relay):
    async with relay.turn(KEPT) as turn:
        await add_staff(
            turn, email="zed@acme.example", name="Zed", departments=["telesales"], lead=True
        )
    await house.hear(disable_staff, email="zed@acme.example", by=KEPT)
    opened = await house.open(by=KEPT)
    assert opened.owner_id == house.people.tess.id


async def test_assigned_by_name_they_have_it(house, martins):
    given = await house.do(assign, martins, owner=" TOM@acme.example", by=house.people.mona.actor)
    assert given.owner_id == given.open_runs[0].assignee_id == house.people.tom.id
    assert (await house.events(given))[-1].kind == EventKind.ASSIGNED


@pytest.mark.parametrize("owner", ["who@acme.example", "", "\x00", "tess"])
async def test_nobody_of_that_address_is_a_clear_refusal(house, martins, owner):
    with pytest.raises(BadInput, match="Nobody at the desk"):
        await house.do(assign, martins, owner=owner, by=KEPT)
    assert (await house.see(martins)).version == martins.version


async def test_of_a_fork_the_whole_or_one_branch_is_assigned(house):
    permit = await house.open("permit", by=KEPT)
    await house.do(advance, permit, by=KEPT)
    whole = await house.do(assign, permit, owner="mona@acme.example", by=KEPT)
    assert whole.owner_id == whole.coordinator_id == house.people.mona.id
    branch = await house.do(assign, permit, owner="ada@acme.example", stage="plans", by=KEPT)
    assert branch.owner_id == house.people.mona.id
    assert {run.stage_key: run.assignee_id for run in branch.open_runs}["plans"] == (
        house.people.ada.id
    )


async def test_who_leaves_passes_on_all_their_work(house, martins):
    await house.hear(disable_staff, email="tess@acme.example", by=house.people.ada.actor)
    seen = await house.see(martins)
    assert seen.owner_id == seen.open_runs[0].assignee_id == house.people.tom.id
    last = (await house.events(seen))[-1]
    assert (last.kind, last.visible, last.data["reason"]) == (
        EventKind.ASSIGNED, False, "Tess Sales has left",
    )  # fmt: skip


async def test_a_coordinator_who_leaves_passes_on_the_whole(house):
    permit = await house.open("permit", by=KEPT)
    await house.do(advance, permit, by=KEPT)
    await house.do(accept, permit, by=house.people.finn.actor)
    await house.hear(disable_staff, email="cora@acme.example", by=KEPT)
    seen = await house.see(permit)
    assert seen.owner_id == seen.coordinator_id == house.people.mona.id
    assert {run.assignee_id for run in seen.open_runs} == {
        house.people.finn.id, house.people.pat.id, house.people.zoe.id,
    }  # fmt: skip


async def test_who_leaves_while_all_await_the_customer_passes_that_on_too(house):
    card = await house.open(by=KEPT)
    for taker in (house.people.uma, house.people.pia, house.people.carl):
        await house.do(advance, card, by=KEPT)
        await house.do(accept, card, by=taker.actor)
    for _ in range(2):
        await house.do(advance, card, by=KEPT)
    await house.hear(disable_staff, email="carl@acme.example", by=KEPT)
    assert (await house.see(card)).owner_id == house.people.mona.id


async def test_the_last_person_cannot_leave_with_work_in_hand(house, martins):
    for key in ("tom", "mona", "ada"):
        await house.hear(disable_staff, email=f"{key}@acme.example", by=KEPT)
    with pytest.raises(Conflict, match="Nobody works in Telesales"):
        await house.hear(disable_staff, email="tess@acme.example", by=KEPT)
    assert (await house.see(martins)).owner_id == house.people.tess.id
    async with house.relay.turn(KEPT) as turn:
        roster = await load_full_roster(turn.session)
    assert roster.by_email("tess@acme.example").disabled_at is None


async def test_one_leaves_once_and_a_stranger_never(house):
    await house.hear(disable_staff, email="Tom@acme.example ", by=KEPT)
    with pytest.raises(Conflict, match="disabled already"):
        await house.hear(disable_staff, email="tom@acme.example", by=KEPT)
    for nobody in ("who@acme.example", "\x00"):
        with pytest.raises(NotFound):
            await house.hear(disable_staff, email=nobody, by=KEPT)


async def test_who_is_added_again_is_the_same_person_with_a_new_invitation(house):
    async with house.relay.turn(KEPT) as turn:
        tess, secret = await add_staff(turn, email="TESS@acme.example", name="Tess Seller")
    assert tess.id == house.people.tess.id
    assert tess.invitation_hash != house.people.tess.invitation_hash
    assert secret not in tess.model_dump_json()


@pytest.mark.parametrize(
    "words",
    [
        {"email": "no address", "name": "X"},
        {"email": "x@acme.example", "name": "  "},
        {"email": "x@acme.example", "name": "\x00"},
        {"email": "x@acme.example", "name": "X", "departments": ["moon"]},
        {"email": "x@acme.example", "name": "X" * 9_000},
    ],
)
async def test_a_person_who_cannot_be_added_is_refused(house, words):
    with pytest.raises(BadInput):
        await house.hear(add_staff, by=KEPT, **words)
