"""Every request has an assignee: who is chosen, and who replaces staff that leave."""

import pytest

from portal.errors import BadInput, Conflict, NotFound
from portal.models import SYSTEM_ACTOR, Department, EventKind, Role, StaffMember
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


def test_named_person_is_assigned():
    organisation = roster(person(1), person(2), members=[1, 2], lead=1)
    assert organisation.assignee(PRESS, named=organisation.person(2)) == 2


def test_default_assignee_is_lead():
    organisation = roster(person(1), person(2), members=[1, 2], lead=2, open_runs={2: 99})
    assert organisation.assignee(PRESS) == 2


def test_least_loaded_agent_follows_the_lead():
    people = [person(number) for number in (1, 2, 3)]
    assert roster(*people, members=[1, 2, 3], open_runs={1: 2, 2: 1, 3: 1}).assignee(PRESS) == 2


def test_manager_then_admin_are_the_last_resort():
    people = person(7, Role.ADMIN), person(8, Role.MANAGER)
    assert roster(*people).assignee(PRESS) == 8
    assert roster(people[0]).assignee(PRESS) == 7


def test_disabled_person_is_never_assigned():
    people = person(1, left=True), person(2, left=True), person(3)
    assert roster(*people, members=[1, 2, 3], lead=1).assignee(PRESS) == 3


def test_request_without_any_assignee_is_rejected_with_a_remedy():
    with pytest.raises(Conflict, match="Add a person with `kept staff add`"):
        roster(person(1, left=True), members=[1]).assignee(PRESS)


async def test_active_lead_is_preferred_over_a_disabled_one(organisation, operations):
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await add_staff(
            uow, email="zed@acme.example", name="Zed", departments=["telesales"], lead=True
        )
    await organisation.run_unbound(disable_staff, email="zed@acme.example", by=SYSTEM_ACTOR)
    opened = await organisation.open(by=SYSTEM_ACTOR)
    assert opened.owner_id == organisation.people.tess.id


async def test_assign_sets_the_owner(organisation, card_request):
    given = await organisation.run(
        assign, card_request, owner=" TOM@acme.example", by=organisation.people.mona.actor
    )
    assert given.owner_id == given.open_runs[0].assignee_id == organisation.people.tom.id
    assert (await organisation.events(given))[-1].kind == EventKind.ASSIGNED


@pytest.mark.parametrize("owner", ["who@acme.example", "", "\x00", "tess"])
async def test_assign_to_unknown_email_is_rejected(organisation, card_request, owner):
    with pytest.raises(BadInput, match="Nobody at the desk"):
        await organisation.run(assign, card_request, owner=owner, by=SYSTEM_ACTOR)
    assert (await organisation.reload(card_request)).version == card_request.version


async def test_parallel_request_or_one_branch_is_assigned(organisation):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    whole = await organisation.run(assign, permit, owner="mona@acme.example", by=SYSTEM_ACTOR)
    assert whole.owner_id == whole.coordinator_id == organisation.people.mona.id
    branch = await organisation.run(
        assign, permit, owner="ada@acme.example", stage="plans", by=SYSTEM_ACTOR
    )
    assert branch.owner_id == organisation.people.mona.id
    assert {run.stage_key: run.assignee_id for run in branch.open_runs}["plans"] == (
        organisation.people.ada.id
    )


async def test_disabled_person_hands_over_all_work(organisation, card_request):
    await organisation.run_unbound(
        disable_staff, email="tess@acme.example", by=organisation.people.ada.actor
    )
    seen = await organisation.reload(card_request)
    assert seen.owner_id == seen.open_runs[0].assignee_id == organisation.people.tom.id
    last = (await organisation.events(seen))[-1]
    assert (last.kind, last.visible, last.data["reason"]) == (
        EventKind.ASSIGNED, False, "Tess Sales has left",
    )  # fmt: skip


async def test_disabled_coordinator_hands_over_the_request(organisation):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    await organisation.run(accept, permit, by=organisation.people.finn.actor)
    await organisation.run_unbound(disable_staff, email="cora@acme.example", by=SYSTEM_ACTOR)
    seen = await organisation.reload(permit)
    assert seen.owner_id == seen.coordinator_id == organisation.people.mona.id
    assert {run.assignee_id for run in seen.open_runs} == {
        organisation.people.finn.id, organisation.people.pat.id, organisation.people.zoe.id,
    }  # fmt: skip


async def test_disabled_owner_hands_over_requests_awaiting_confirmation(organisation):
    card = await organisation.open(by=SYSTEM_ACTOR)
    for taker in (organisation.people.uma, organisation.people.pia, organisation.people.carl):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
        await organisation.run(accept, card, by=taker.actor)
    for _ in range(2):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
    await organisation.run_unbound(disable_staff, email="carl@acme.example", by=SYSTEM_ACTOR)
    assert (await organisation.reload(card)).owner_id == organisation.people.mona.id


async def test_last_person_with_open_work_cannot_be_disabled(organisation, card_request):
    for key in ("tom", "mona", "ada"):
        await organisation.run_unbound(disable_staff, email=f"{key}@acme.example", by=SYSTEM_ACTOR)
    with pytest.raises(Conflict, match="Nobody works in Telesales"):
        await organisation.run_unbound(disable_staff, email="tess@acme.example", by=SYSTEM_ACTOR)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        roster = await load_full_roster(uow.session)
    assert roster.by_email("tess@acme.example").disabled_at is None


async def test_disabling_twice_conflicts_and_unknown_is_not_found(organisation):
    await organisation.run_unbound(disable_staff, email="Tom@acme.example ", by=SYSTEM_ACTOR)
    with pytest.raises(Conflict, match="disabled already"):
        await organisation.run_unbound(disable_staff, email="tom@acme.example", by=SYSTEM_ACTOR)
    for nobody in ("who@acme.example", "\x00"):
        with pytest.raises(NotFound):
            await organisation.run_unbound(disable_staff, email=nobody, by=SYSTEM_ACTOR)


async def test_re_added_person_keeps_the_account_with_a_new_invitation(organisation):
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        tess, secret = await add_staff(uow, email="TESS@acme.example", name="Tess Seller")
    assert tess.id == organisation.people.tess.id
    assert tess.invitation_hash != organisation.people.tess.invitation_hash
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
async def test_invalid_staff_details_are_rejected(organisation, words):
    with pytest.raises(BadInput):
        await organisation.run_unbound(add_staff, by=SYSTEM_ACTOR, **words)
