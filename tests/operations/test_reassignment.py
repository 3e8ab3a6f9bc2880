"""Who is away is given nothing, and what they have goes to whoever stands in."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.models import (
    KEPT,
    THE_CUSTOMER,
    BallKind,
    Department,
    DroppedBall,
    EventKind,
    Level,
    Role,
    StaffMember,
)
from portal.operations import (
    accept,
    add_staff,
    advance,
    assign,
    cancel,
    disable_staff,
    make_promise,
    mark_absent,
    mark_back,
    name_lead,
    reassignment,
    receive_web_message,
    reopen,
    take_over_everything,
)
from portal.operations.staff import read_day
from portal.queries.roster import load_full_roster
from portal.rules.roster import Roster
from tests.support.desk_client import HTMX, hidden_fields, read
from workers.sweep import Sweep

pytestmark = pytest.mark.either_database

NOW = datetime(2025, 6, 3, 14, tzinfo=UTC)
TUESDAY = datetime(2025, 6, 10, 4, tzinfo=UTC)
"""The day they are back: midnight in New York."""


# Who stands in: the rule by itself


def roster(*people, lead=None, members=()):
    return Roster(
        departments={"press": Department(id=1, key="press", name="Press")},
        staff={person.id: person for person in people},
        members={1: list(members)},
        leads={1: lead} if lead else {},
        now=NOW,
    )


def person(number, role=Role.AGENT, *, away=False, deputy=None):
    return StaffMember(
        id=number, email=f"{number}@x.example", name=f"P{number}", role=role, deputy_id=deputy,
        absent_from=NOW - timedelta(days=1) if away else None,
    )  # fmt: skip


def taker(house, named=None):
    return house.assignee(house.department("press"), house.person(named) if named else None)


def test_a_deputy_stands_in_before_the_lead_and_the_lead_before_the_others():
    away, lead, other = person(1, away=True, deputy=3), person(2), person(3)
    house = roster(away, lead, other, members=[1, 2, 3], lead=2)
    assert taker(house, named=1) == 3
    away.deputy_id = None
    assert taker(house, named=1) == 2


def test_a_lead_who_is_away_is_replaced_by_their_deputy_then_by_colleagues():
    lead, deputy, other = person(1, away=True, deputy=9), person(9), person(2)
    house = roster(lead, deputy, other, members=[1, 2], lead=1)
    assert taker(house) == 9
    deputy.absent_from = NOW
    assert taker(house) == 2


def test_a_deputy_who_is_away_has_a_deputy_too_and_circles_end():
    people = person(1, away=True, deputy=2), person(2, away=True, deputy=3), person(3)
    assert roster(*people).stand_in(1) == 3
    people[1].deputy_id = 1
    assert roster(*people).stand_in(1) is None
    people[0].deputy_id = 1
    assert roster(*people).stand_in(1) is None


def test_with_everybody_away_it_stays_with_whoever_has_it():
    people = person(1, away=True), person(2, away=True), person(7, Role.MANAGER, away=True)
    house = roster(*people, members=[1, 2], lead=1)
    assert house.heir(2, 1) == 2
    assert taker(house) == 1
    people[2].absent_from = None
    assert house.heir(2, 1) == taker(house) == house.overseer() == 7


@pytest.mark.parametrize(
    ("now", "is_away"),
    [(-1, False), (0, True), (3599, True), (3600, False)],
)
def test_an_absence_has_its_first_and_its_last_moment(now, is_away):
    away = person(1)
    away.go_away(NOW, NOW + timedelta(hours=1), None)
    assert away.is_away(NOW + timedelta(seconds=now)) is is_away


def test_an_absence_is_said_as_people_say_it():
    away = person(1)
    away.go_away(NOW, TUESDAY, None)
    assert away.away_words(NOW, "America/New_York") == "away until Tue 10 Jun"
    assert away.away_words(NOW - timedelta(days=2), "UTC") == "away from Tue 3 Jun until Tue 10 Jun"
    assert away.away_words(TUESDAY - timedelta(hours=1), "UTC") == "away until 4 am"
    away.go_away(NOW, None, None)
    assert away.away_words(NOW, "UTC") == "away"


@pytest.mark.parametrize("words", ["soon", "2025-13-01", "0001-01-01", "9999-12-31", "\x00"])
def test_a_day_that_is_none_is_refused(words):
    with pytest.raises(BadInput):
        read_day(words, "America/New_York")


def test_a_day_begins_at_midnight_where_the_person_works():
    assert read_day("2025-06-10", "America/New_York") == TUESDAY
    assert read_day("2025-06-10T04:00Z", "Asia/Tokyo") == TUESDAY
    assert read_day(" ", "UTC") is None


# Going away


@pytest.fixture
async def away(clock, house):
    """Mark somebody of the cast as away; nobody has to stand in."""

    async def away(name, **words):
        await house.hear(mark_absent, email=f"{name}@acme.example", by=KEPT, **words)

    return away


async def lines(house, request):
    """Who was given it, and why, as the timeline has it."""
    return [
        (event.data["to"], event.data.get("reason"), event.visible)
        for event in await house.events(request)
        if event.kind == EventKind.ASSIGNED
    ]


async def test_who_goes_away_passes_on_requests_stages_and_promises_to_their_deputy(
    house, away, clock, martins
):
    due = NOW + timedelta(days=1)
    promised = await house.do(make_promise, martins, text="A call.", due_at=due, by=KEPT)
    await away("tess", until=TUESDAY, deputy="pia@acme.example")
    seen = await house.see(martins)
    assert seen.owner_id == seen.open_runs[0].assignee_id == house.people.pia.id
    assert seen.promises[0].owner_id == house.people.pia.id
    assert seen.version > promised.version
    assert seen.page_version > promised.page_version, "the page says who keeps the promise"
    assert await lines(house, seen) == [("Pia Press", "Tess Sales is away until Tue 10 Jun", False)]


async def test_without_a_deputy_the_lead_has_it_and_a_lead_leaves_it_to_colleagues(
    house, away, martins
):
    await house.do(assign, martins, owner="tom@acme.example", by=KEPT)
    await away("tom")
    assert (await house.see(martins)).owner_id == house.people.tess.id
    await away("tess")
    assert (await house.see(martins)).owner_id == house.people.mona.id


async def test_a_waiting_handoff_goes_to_colleagues_of_the_sender(house, away, martins):
    """The sender owns it until it is accepted, so the sender's side stands in."""
    await house.do(advance, martins, by=KEPT)
    await away("tess")
    assert (await house.see(martins)).owner_id == house.people.tom.id


async def test_coordinator_and_branch_each_go_where_they_belong(house, away):
    permit = await house.open("permit", by=KEPT)
    await house.do(advance, permit, by=KEPT)
    await away("pat", deputy="zoe@acme.example")
    await away("cora", deputy="ben@acme.example")
    seen = await house.see(permit)
    assert seen.owner_id == seen.coordinator_id == house.people.ben.id
    runs = {run.stage_key: run.assignee_id for run in seen.open_runs}
    assert runs == {
        "plans": house.people.zoe.id, "zoning": house.people.zoe.id, "fire": house.people.ben.id,
    }  # fmt: skip
    assert [line[0] for line in await lines(house, seen)] == ["Zoe Zoning", "Ben Bench"]


async def test_what_slipped_goes_along_also_beyond_any_request(house, away, martins):
    ada, mona, tess = house.people.ada.id, house.people.mona.id, house.people.tess.id
    kinds = BallKind.MESSAGE_UNDELIVERED, BallKind.CEILING
    async with house.database.transaction() as session:
        for kind, subject, request_id, owner in (
            (kinds[0], "message:1", martins.id, tess),
            (kinds[1], "month:2025-06", None, mona),
        ):
            session.add(
                DroppedBall(
                    kind=kind, subject=subject, request_id=request_id, owner_id=owner,
                    escalated_to_id=mona if request_id else None, level=Level.MANAGER,
                    slipped_at=NOW, raised_at=NOW,
                )
            )  # fmt: skip
    await away("mona")
    await away("tess", deputy="pia@acme.example")
    query = select(DroppedBall).where(col(DroppedBall.kind).in_(kinds)).order_by(DroppedBall.id)
    async with house.database.reading() as session:
        about_message, ceiling = (await session.exec(query)).all()
    assert (about_message.owner_id, about_message.escalated_to_id) == (house.people.pia.id, ada)
    assert ceiling.owner_id == ada
    assert [line[0] for line in await lines(house, martins)] == ["Ada Admin", "Pia Press"]


async def test_nobody_away_is_given_what_is_new(house, away):
    await away("tess", deputy="pia@acme.example")
    assert (await house.open(by=KEPT)).owner_id == house.people.pia.id
    await away("pia")
    opened = await house.open(by=KEPT)
    assert opened.owner_id == house.people.tom.id
    await house.do(advance, opened, by=KEPT)
    await away("uma")
    taken = await house.do(accept, opened, by=house.people.uma.actor)
    assert taken.owner_id == house.people.mona.id, "marked as away, whatever they click"


async def test_what_is_opened_again_goes_to_whoever_stands_in(house, away):
    permit = await house.open("permit", by=KEPT)
    await house.do(advance, permit, by=KEPT)
    await house.do(cancel, permit, reason="Too dear.", by=KEPT)
    await away("cora", deputy="ben@acme.example")
    assert (await house.see(permit)).owner_id == house.people.cora.id, "it has ended"
    again = await house.do(reopen, permit, reason="Not too dear.", by=KEPT)
    assert again.owner_id == again.coordinator_id == house.people.ben.id


async def test_what_is_promised_after_the_end_is_promised_by_whoever_stands_in(
    house, away, martins
):
    await house.do(cancel, martins, reason="Too dear.", by=KEPT)
    await away("tess")
    words = "I do not understand why you have ended this."
    seen = await house.do(receive_web_message, martins, words, by=THE_CUSTOMER)
    assert [one.owner_id for one in seen.promises] == [house.people.tom.id]


async def test_naming_somebody_away_is_refused_until_when_and_with_who_stands_in(
    house, away, martins
):
    await away("pia", until=TUESDAY, deputy="paul@acme.example")
    words = "Pia Press is away until Tue 10 Jun. Paul Press stands in."
    promised = {"text": "A call.", "due_at": NOW + timedelta(days=1)}
    with pytest.raises(Conflict, match=words):
        await house.do(assign, martins, owner="pia@acme.example", by=KEPT)
    with pytest.raises(Conflict, match=words):
        await house.do(make_promise, martins, **promised, owner="pia@acme.example", by=KEPT)
    assert (await house.see(martins)).version == martins.version


async def test_who_comes_back_finds_their_work_where_it_went(house, away, martins):
    await away("tess")
    await house.hear(mark_back, email="tess@acme.example", by=KEPT)
    assert (await house.see(martins)).owner_id == house.people.tom.id
    assert (await house.open(by=KEPT)).owner_id == house.people.tess.id


async def test_an_absence_that_is_over_is_over_by_itself(house, away, clock):
    await away("tess", until=NOW + timedelta(hours=1))
    clock.shift(timedelta(hours=1))
    assert (await house.open(by=KEPT)).owner_id == house.people.tess.id
    with pytest.raises(Conflict, match="not marked as away"):
        await house.hear(mark_back, email="tess@acme.example", by=KEPT)


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ({"until": NOW}, BadInput),
        ({"from_": TUESDAY, "until": TUESDAY}, BadInput),
        ({"deputy": "tess@acme.example"}, BadInput),
        ({"email": "uma@acme.example", "from_": TUESDAY}, Conflict),
        ({"deputy": "who@acme.example"}, BadInput),
        ({"deputy": "uma@acme.example"}, BadInput),
        ({"email": "who@acme.example"}, NotFound),
        ({"email": "carl@acme.example"}, Conflict),
    ],
)
async def test_an_absence_that_cannot_be_is_refused_and_changes_nothing(
    house, away, martins, words, refusal
):
    await away("uma")
    await house.hear(disable_staff, email="carl@acme.example", by=KEPT)
    with pytest.raises(refusal):
        await house.hear(mark_absent, by=KEPT, **{"email": "tess@acme.example"} | words)
    assert (await house.see(martins)).owner_id == house.people.tess.id


# What begins later, is very much, or was left over


async def sweep(house):
    await Sweep(house.relay, lambda: None, "test").once()


async def test_an_absence_to_come_begins_when_it_begins(house, away, martins, clock):
    await away("tess", from_=NOW + timedelta(hours=2), until=TUESDAY)
    await sweep(house)
    assert (await house.see(martins)).owner_id == house.people.tess.id
    clock.shift(timedelta(hours=2))
    await sweep(house)
    seen = await house.see(martins)
    assert seen.owner_id == seen.open_runs[0].assignee_id == house.people.tom.id
    await sweep(house)
    assert await lines(house, seen) == [("Tom Sales", "Tess Sales is away until Tue 10 Jun", False)]


async def test_what_is_left_over_of_much_work_is_passed_on_after(house, away, martins, monkeypatch):
    """The absence and its first part are one transaction, the rest follows request by request."""
    monkeypatch.setattr(reassignment, "AT_ONCE", 1)
    requests = [martins, *[await house.open(by=KEPT) for _ in range(2)]]
    await away("tess")
    owners = [(await house.see(one)).owner_id for one in requests]
    assert sorted(owners) == sorted([house.people.tom.id, *[house.people.tess.id] * 2])
    await take_over_everything(house.relay, KEPT)
    assert {(await house.see(one)).owner_id for one in requests} == {house.people.tom.id}


async def test_work_that_nobody_could_take_moves_as_soon_as_somebody_can(house, away, martins):
    for name in ("tom", "mona", "ada", "tess"):
        await away(name)
    await sweep(house)
    assert (await house.see(martins)).owner_id == house.people.tess.id
    assert await lines(house, martins) == []
    await house.hear(mark_back, email="mona@acme.example", by=KEPT)
    await sweep(house)
    assert (await house.see(martins)).owner_id == house.people.mona.id


async def test_who_leaves_keeps_nothing_even_where_everybody_else_is_away(house, away, martins):
    for name in ("tom", "mona", "ada"):
        await away(name)
    await house.hear(disable_staff, email="tess@acme.example", by=KEPT)
    seen = await house.see(martins)
    assert seen.owner_id == house.people.tom.id
    assert await lines(house, seen) == [("Tom Sales", "Tess Sales has left", False)]


# Leads


async def test_a_lead_is_named_in_place_of_the_one_before(house):
    await house.hear(name_lead, email="tom@acme.example", department="telesales", by=KEPT)
    assert (await house.open(by=KEPT)).owner_id == house.people.tom.id
    async with house.database.reading() as session:
        leads = (await load_full_roster(session)).leads
    assert list(leads.values()).count(house.people.tom.id) == 1
    with pytest.raises(BadInput, match="There is no department 'moon'"):
        await house.hear(name_lead, email="tom@acme.example", department="moon", by=KEPT)


async def test_who_is_added_again_is_here_again(house, away):
    await away("tom")
    await house.hear(disable_staff, email="tom@acme.example", by=KEPT)
    await house.hear(add_staff, email="tom@acme.example", name="Tom Sales", by=KEPT)
    async with house.database.reading() as session:
        assert (await load_full_roster(session)).is_here(house.people.tom.id)


# By API


async def test_another_system_marks_people_absent_and_sees_who_stands_in(
    house, api, martins, clock
):
    told = {"until": "2025-06-10T04:00:00Z", "deputy": "pia@acme.example", "by": "ada@acme.example"}
    answer = (await api.post("/staff/Tess@acme.example/absence", json=told)).json()
    assert (answer["is_away"], answer["absent_until"]) == (True, "2025-06-10T04:00:00Z")
    assert answer["deputy"] == answer["stands_in"] == {
        "email": "pia@acme.example", "name": "Pia Press",
    }  # fmt: skip
    assert (await house.see(martins)).owner_id == house.people.pia.id
    assert (await house.events(martins))[-1].actor_name == "Ada Admin"
    listed = (await api.get("/staff")).json()["items"]
    assert [one["email"] for one in listed if one["is_away"]] == ["tess@acme.example"]
    back = (await api.post("/staff/tess@acme.example/back")).json()
    assert (back["is_away"], back["absent_until"], back["stands_in"]) == (False, None, None)


@pytest.mark.parametrize(
    ("email", "told", "status"),
    [
        ("who@acme.example", {}, 404),
        ("tess@acme.example", {"deputy": "who@acme.example"}, 422),
        ("tess@acme.example", {"until": "2025-06-03"}, 422),
        ("tess@acme.example", {"till": "2025-06-10T04:00:00Z"}, 422),
    ],
)
@pytest.mark.usefixtures("house")
async def test_an_absence_that_cannot_be_is_refused_by_api_too(api, email, told, status):
    answer = await api.post(f"/staff/{email}/absence", json=told)
    assert answer.status_code == status
    assert all(not one["is_away"] for one in (await api.get("/staff")).json()["items"])


# At the desk


async def note(desk, number, verb, *, htmx=False, **typed):
    page = (await desk.get(f"/desk/people?person={number}")).text
    url = f"/desk/people/{number}/{verb}"
    told = hidden_fields(page, url) | typed
    return await desk.client.post(url, data=told, headers=HTMX if htmx else {})


async def test_everybody_sees_their_colleagues_and_notes_their_own_absence(
    house, desks, clock, martins
):
    tess = await desks("tess")
    page = read((await tess.get("/desk/people")).text)
    assert "You are here." in page
    assert "Tom Sales here" in page
    assert "Pia Press here" not in page, "of another department"
    answer = await note(
        tess, house.people.tess.id, "absent", until="2025-06-10", deputy="pia@acme.example",
        **{"from": ""},
    )  # fmt: skip
    assert answer.status_code == 303
    page = read((await tess.get(answer.headers["location"])).text)
    assert "Noted." in page
    assert "You are away until Tue 10 Jun; Pia Press stands in." in page
    assert (await house.see(martins)).owner_id == house.people.pia.id
    back = await note(tess, house.people.tess.id, "back", htmx=True)
    assert "You are here." in read(back.text)


async def test_a_lead_notes_it_for_their_people_and_a_manager_for_everybody(house, desks, clock):
    tom, pia = house.people.tom.id, house.people.pia.id
    tess, mona, toms = await desks("tess"), await desks("mona"), await desks("tom")
    assert (await note(tess, tom, "absent")).status_code == 303
    assert "Tom Sales is away; Tess Sales stands in." in read(
        (await mona.get(f"/desk/people?person={tom}")).text
    )
    assert (await note(mona, pia, "absent")).status_code == 303
    assert (await tess.get(f"/desk/people?person={pia}")).status_code == 403
    token = hidden_fields((await toms.get("/desk/people")).text, f"/desk/people/{tom}/absent")
    refused = await toms.client.post(f"/desk/people/{pia}/back", data=token)
    assert refused.status_code == 403
    async with house.database.reading() as session:
        assert (await load_full_roster(session)).is_away(pia)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"until": "2025-06-01"}, "They would be back before they are away."),
        ({"until": "soon"}, "is no day. Please write it like 2025-06-03."),
        ({"deputy": "tess@acme.example"}, "cannot stand in for themselves"),
        ({"deputy": "uma@acme.example"}, "Uma Under is away then too."),
    ],
)
async def test_an_absence_that_cannot_be_is_refused_kindly_and_keeps_what_was_typed(
    house, away, desks, typed, words
):
    await away("uma")
    tess, number = await desks("tess"), house.people.tess.id
    refused = await note(tess, number, "absent", **{"from": "2025-06-02"} | typed)
    assert refused.status_code == 422
    assert words in read(refused.text)
    assert 'value="2025-06-02"' in refused.text
    assert (await note(tess, number, "back")).status_code == 409
    assert (await note(tess, number, "promote")).status_code == 404
    assert (await tess.get("/desk/people?person=0")).status_code == 404
    assert (await tess.get("/desk/people?person=x")).status_code == 422


async def test_whoever_is_away_is_not_offered_as_an_owner(house, away, desks, martins):
    await away("tom")
    page = await (await desks("tess")).page(martins)
    assert "pia@acme.example" in page
    assert "tom@acme.example" not in page
