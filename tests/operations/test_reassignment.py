"""Who is away is given nothing, and what they have goes to whoever stands in."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Department,
    DroppedBall,
    DroppedBallKind,
    EscalationLevel,
    EventKind,
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
    mark_returned,
    reassign_all,
    reassignment,
    receive_web_message,
    reopen,
    set_department_lead,
)
from portal.operations.staff import parse_day
from portal.queries.roster import load_full_roster
from portal.rules.roster import Roster
from tests.support.desk_client import HTMX, hidden_fields, visible_text
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


def taker(organisation, named=None):
    return organisation.assignee(
        organisation.department("press"), organisation.person(named) if named else None
    )


def test_substitute_order_is_deputy_lead_colleagues():
    away, lead, other = person(1, away=True, deputy=3), person(2), person(3)
    organisation = roster(away, lead, other, members=[1, 2, 3], lead=2)
    assert taker(organisation, named=1) == 3
    away.deputy_id = None
    assert taker(organisation, named=1) == 2


def test_a_lead_who_is_away_is_replaced_by_their_deputy_then_by_colleagues():
    lead, deputy, other = person(1, away=True, deputy=9), person(9), person(2)
    organisation = roster(lead, deputy, other, members=[1, 2], lead=1)
    assert taker(organisation) == 9
    deputy.absent_from = NOW
    assert taker(organisation) == 2


def test_a_deputy_who_is_away_has_a_deputy_too_and_circles_end():
    people = person(1, away=True, deputy=2), person(2, away=True, deputy=3), person(3)
    assert roster(*people).find_deputy(1) == 3
    people[1].deputy_id = 1
    assert roster(*people).find_deputy(1) is None
    people[0].deputy_id = 1
    assert roster(*people).find_deputy(1) is None


def test_with_everybody_away_it_stays_with_whoever_has_it():
    people = person(1, away=True), person(2, away=True), person(7, Role.MANAGER, away=True)
    organisation = roster(*people, members=[1, 2], lead=1)
    assert organisation.substitute_or_self(2, 1) == 2
    assert taker(organisation) == 1
    people[2].absent_from = None
    assert (
        organisation.substitute_or_self(2, 1)
        == taker(organisation)
        == organisation.default_manager()
        == 7
    )


@pytest.mark.parametrize(
    ("now", "is_away"),
    [(-1, False), (0, True), (3599, True), (3600, False)],
)
def test_an_absence_has_its_first_and_its_last_moment(now, is_away):
    away = person(1)
    away.set_absence(NOW, NOW + timedelta(hours=1), None)
    assert away.is_away(NOW + timedelta(seconds=now)) is is_away


def test_an_absence_is_said_as_people_say_it():
    away = person(1)
    away.set_absence(NOW, TUESDAY, None)
    assert away.describe_absence(NOW, "America/New_York") == "away until Tue 10 Jun"
    assert (
        away.describe_absence(NOW - timedelta(days=2), "UTC")
        == "away from Tue 3 Jun until Tue 10 Jun"
    )
    assert away.describe_absence(TUESDAY - timedelta(hours=1), "UTC") == "away until 4 am"
    away.set_absence(NOW, None, None)
    assert away.describe_absence(NOW, "UTC") == "away"


@pytest.mark.parametrize("words", ["soon", "2025-13-01", "0001-01-01", "9999-12-31", "\x00"])
def test_impossible_date_is_rejected(words):
    with pytest.raises(BadInput):
        parse_day(words, "America/New_York")


def test_a_day_begins_at_midnight_where_the_person_works():
    assert parse_day("2025-06-10", "America/New_York") == TUESDAY
    assert parse_day("2025-06-10T04:00Z", "Asia/Tokyo") == TUESDAY
    assert parse_day(" ", "UTC") is None


# Going away


@pytest.fixture
async def away(clock, organisation):
    """Mark somebody of the cast as away; nobody has to stand in."""

    async def away(name, **words):
        await organisation.run_unbound(
            mark_absent, email=f"{name}@acme.example", by=SYSTEM_ACTOR, **words
        )

    return away


async def lines(organisation, request):
    """Who was given it, and why, as the timeline has it."""
    return [
        (event.data["to"], event.data.get("reason"), event.visible)
        for event in await organisation.events(request)
        if event.kind == EventKind.ASSIGNED
    ]


async def test_who_goes_away_passes_on_requests_stages_and_promises_to_their_deputy(
    organisation, away, clock, card_request
):
    due = NOW + timedelta(days=1)
    promised = await organisation.run(
        make_promise, card_request, text="A call.", due_at=due, by=SYSTEM_ACTOR
    )
    await away("tess", until=TUESDAY, deputy="pia@acme.example")
    seen = await organisation.reload(card_request)
    assert seen.owner_id == seen.open_runs[0].assignee_id == organisation.people.pia.id
    assert seen.promises[0].owner_id == organisation.people.pia.id
    assert seen.version > promised.version
    assert seen.page_version > promised.page_version, "the page says who keeps the promise"
    assert await lines(organisation, seen) == [
        ("Pia Press", "Tess Sales is away until Tue 10 Jun", False)
    ]


async def test_without_a_deputy_the_lead_has_it_and_a_lead_leaves_it_to_colleagues(
    organisation, away, card_request
):
    await organisation.run(assign, card_request, owner="tom@acme.example", by=SYSTEM_ACTOR)
    await away("tom")
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id
    await away("tess")
    assert (await organisation.reload(card_request)).owner_id == organisation.people.mona.id


async def test_a_waiting_handoff_goes_to_colleagues_of_the_sender(organisation, away, card_request):
    """The sender owns it until it is accepted, so the sender's side stands in."""
    await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
    await away("tess")
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tom.id


async def test_coordinator_and_branch_each_go_where_they_belong(organisation, away):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    await away("pat", deputy="zoe@acme.example")
    await away("cora", deputy="ben@acme.example")
    seen = await organisation.reload(permit)
    assert seen.owner_id == seen.coordinator_id == organisation.people.ben.id
    runs = {run.stage_key: run.assignee_id for run in seen.open_runs}
    assert runs == {
        "plans": organisation.people.zoe.id, "zoning": organisation.people.zoe.id, "fire": organisation.people.ben.id,
    }  # fmt: skip
    assert [line[0] for line in await lines(organisation, seen)] == ["Zoe Zoning", "Ben Bench"]


async def test_dropped_balls_are_reassigned_too(organisation, away, card_request):
    ada, mona, tess = (
        organisation.people.ada.id,
        organisation.people.mona.id,
        organisation.people.tess.id,
    )
    kinds = DroppedBallKind.MESSAGE_UNDELIVERED, DroppedBallKind.SENDING_LIMIT
    async with organisation.database.transaction() as session:
        for kind, subject, request_id, owner in (
            (kinds[0], "message:1", card_request.id, tess),
            (kinds[1], "month:2025-06", None, mona),
        ):
            session.add(
                DroppedBall(
                    kind=kind, subject=subject, request_id=request_id, owner_id=owner,
                    escalated_to_id=mona if request_id else None, level=EscalationLevel.MANAGER,
                    dropped_at=NOW, raised_at=NOW,
                )
            )  # fmt: skip
    await away("mona")
    await away("tess", deputy="pia@acme.example")
    query = select(DroppedBall).where(col(DroppedBall.kind).in_(kinds)).order_by(DroppedBall.id)
    async with organisation.database.reading() as session:
        about_message, ceiling = (await session.exec(query)).all()
    assert (about_message.owner_id, about_message.escalated_to_id) == (
        organisation.people.pia.id,
        ada,
    )
    assert ceiling.owner_id == ada
    assert [line[0] for line in await lines(organisation, card_request)] == [
        "Ada Admin",
        "Pia Press",
    ]


async def test_nobody_away_is_given_what_is_new(organisation, away):
    await away("tess", deputy="pia@acme.example")
    assert (await organisation.open(by=SYSTEM_ACTOR)).owner_id == organisation.people.pia.id
    await away("pia")
    opened = await organisation.open(by=SYSTEM_ACTOR)
    assert opened.owner_id == organisation.people.tom.id
    await organisation.run(advance, opened, by=SYSTEM_ACTOR)
    await away("uma")
    taken = await organisation.run(accept, opened, by=organisation.people.uma.actor)
    assert taken.owner_id == organisation.people.mona.id, "marked as away, whatever they click"


async def test_what_is_opened_again_goes_to_whoever_stands_in(organisation, away):
    permit = await organisation.open("permit", by=SYSTEM_ACTOR)
    await organisation.run(advance, permit, by=SYSTEM_ACTOR)
    await organisation.run(cancel, permit, reason="Too dear.", by=SYSTEM_ACTOR)
    await away("cora", deputy="ben@acme.example")
    assert (await organisation.reload(permit)).owner_id == organisation.people.cora.id, (
        "it has ended"
    )
    again = await organisation.run(reopen, permit, reason="Not too dear.", by=SYSTEM_ACTOR)
    assert again.owner_id == again.coordinator_id == organisation.people.ben.id


async def test_what_is_promised_after_the_end_is_promised_by_whoever_stands_in(
    organisation, away, card_request
):
    await organisation.run(cancel, card_request, reason="Too dear.", by=SYSTEM_ACTOR)
    await away("tess")
    words = "I do not understand why you have ended this."
    seen = await organisation.run(receive_web_message, card_request, words, by=CUSTOMER_ACTOR)
    assert [one.owner_id for one in seen.promises] == [organisation.people.tom.id]


async def test_naming_somebody_away_is_refused_until_when_and_with_who_stands_in(
    organisation, away, card_request
):
    await away("pia", until=TUESDAY, deputy="paul@acme.example")
    words = "Pia Press is away until Tue 10 Jun. Paul Press stands in."
    promised = {"text": "A call.", "due_at": NOW + timedelta(days=1)}
    with pytest.raises(Conflict, match=words):
        await organisation.run(assign, card_request, owner="pia@acme.example", by=SYSTEM_ACTOR)
    with pytest.raises(Conflict, match=words):
        await organisation.run(
            make_promise, card_request, **promised, owner="pia@acme.example", by=SYSTEM_ACTOR
        )
    assert (await organisation.reload(card_request)).version == card_request.version


async def test_returning_staff_does_not_get_work_back(organisation, away, card_request):
    await away("tess")
    await organisation.run_unbound(mark_returned, email="tess@acme.example", by=SYSTEM_ACTOR)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tom.id
    assert (await organisation.open(by=SYSTEM_ACTOR)).owner_id == organisation.people.tess.id


async def test_an_absence_that_is_over_is_over_by_itself(organisation, away, clock):
    await away("tess", until=NOW + timedelta(hours=1))
    clock.shift(timedelta(hours=1))
    assert (await organisation.open(by=SYSTEM_ACTOR)).owner_id == organisation.people.tess.id
    with pytest.raises(Conflict, match="not marked as away"):
        await organisation.run_unbound(mark_returned, email="tess@acme.example", by=SYSTEM_ACTOR)


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
    organisation, away, card_request, words, refusal
):
    await away("uma")
    await organisation.run_unbound(disable_staff, email="carl@acme.example", by=SYSTEM_ACTOR)
    with pytest.raises(refusal):
        await organisation.run_unbound(
            mark_absent, by=SYSTEM_ACTOR, **{"email": "tess@acme.example"} | words
        )
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id


# What begins later, is very much, or was left over


async def sweep(organisation):
    await Sweep(organisation.operations, lambda: None, "test").once()


async def test_an_absence_to_come_begins_when_it_begins(organisation, away, card_request, clock):
    await away("tess", from_=NOW + timedelta(hours=2), until=TUESDAY)
    await sweep(organisation)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id
    clock.shift(timedelta(hours=2))
    await sweep(organisation)
    seen = await organisation.reload(card_request)
    assert seen.owner_id == seen.open_runs[0].assignee_id == organisation.people.tom.id
    await sweep(organisation)
    assert await lines(organisation, seen) == [
        ("Tom Sales", "Tess Sales is away until Tue 10 Jun", False)
    ]


async def test_what_is_left_over_of_much_work_is_passed_on_after(
    organisation, away, card_request, monkeypatch
):
    """The absence and its first part are one transaction, the rest follows request by request."""
    monkeypatch.setattr(reassignment, "BATCH_SIZE", 1)
    requests = [card_request, *[await organisation.open(by=SYSTEM_ACTOR) for _ in range(2)]]
    await away("tess")
    owners = [(await organisation.reload(one)).owner_id for one in requests]
    assert sorted(owners) == sorted(
        [organisation.people.tom.id, *[organisation.people.tess.id] * 2]
    )
    await reassign_all(organisation.operations, SYSTEM_ACTOR)
    assert {(await organisation.reload(one)).owner_id for one in requests} == {
        organisation.people.tom.id
    }


async def test_work_that_nobody_could_take_moves_as_soon_as_somebody_can(
    organisation, away, card_request
):
    for name in ("tom", "mona", "ada", "tess"):
        await away(name)
    await sweep(organisation)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id
    assert await lines(organisation, card_request) == []
    await organisation.run_unbound(mark_returned, email="mona@acme.example", by=SYSTEM_ACTOR)
    await sweep(organisation)
    assert (await organisation.reload(card_request)).owner_id == organisation.people.mona.id


async def test_disabled_staff_keeps_no_work(organisation, away, card_request):
    for name in ("tom", "mona", "ada"):
        await away(name)
    await organisation.run_unbound(disable_staff, email="tess@acme.example", by=SYSTEM_ACTOR)
    seen = await organisation.reload(card_request)
    assert seen.owner_id == organisation.people.tom.id
    assert await lines(organisation, seen) == [("Tom Sales", "Tess Sales has left", False)]


# Leads


async def test_a_lead_is_named_in_place_of_the_one_before(organisation):
    await organisation.run_unbound(
        set_department_lead, email="tom@acme.example", department="telesales", by=SYSTEM_ACTOR
    )
    assert (await organisation.open(by=SYSTEM_ACTOR)).owner_id == organisation.people.tom.id
    async with organisation.database.reading() as session:
        leads = (await load_full_roster(session)).leads
    assert list(leads.values()).count(organisation.people.tom.id) == 1
    with pytest.raises(BadInput, match="There is no department 'moon'"):
        await organisation.run_unbound(
            set_department_lead, email="tom@acme.example", department="moon", by=SYSTEM_ACTOR
        )


async def test_who_is_added_again_is_here_again(organisation, away):
    await away("tom")
    await organisation.run_unbound(disable_staff, email="tom@acme.example", by=SYSTEM_ACTOR)
    await organisation.run_unbound(
        add_staff, email="tom@acme.example", name="Tom Sales", by=SYSTEM_ACTOR
    )
    async with organisation.database.reading() as session:
        assert (await load_full_roster(session)).is_available(organisation.people.tom.id)


# By API


async def test_another_system_marks_people_absent_and_sees_who_stands_in(
    organisation, api, card_request, clock
):
    told = {"until": "2025-06-10T04:00:00Z", "deputy": "pia@acme.example", "by": "ada@acme.example"}
    answer = (await api.post("/staff/Tess@acme.example/absence", json=told)).json()
    assert (answer["is_away"], answer["absent_until"]) == (True, "2025-06-10T04:00:00Z")
    assert answer["deputy"] == answer["stands_in"] == {
        "email": "pia@acme.example", "name": "Pia Press",
    }  # fmt: skip
    assert (await organisation.reload(card_request)).owner_id == organisation.people.pia.id
    assert (await organisation.events(card_request))[-1].actor_name == "Ada Admin"
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
@pytest.mark.usefixtures("organisation")
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
    organisation, desk_clients, clock, card_request
):
    tess = await desk_clients("tess")
    page = visible_text((await tess.get("/desk/people")).text)
    assert "You are available." in page
    assert "Tom Sales available" in page
    assert "Pia Press available" not in page, "of another department"
    answer = await note(
        tess, organisation.people.tess.id, "absent", until="2025-06-10", deputy="pia@acme.example",
        **{"from": ""},
    )  # fmt: skip
    assert answer.status_code == 303
    page = visible_text((await tess.get(answer.headers["location"])).text)
    assert "Saved." in page
    assert "You are away until Tue 10 Jun; cover: Pia Press." in page
    assert (await organisation.reload(card_request)).owner_id == organisation.people.pia.id
    back = await note(tess, organisation.people.tess.id, "back", htmx=True)
    assert "You are available." in visible_text(back.text)


async def test_a_lead_notes_it_for_their_people_and_a_manager_for_everybody(
    organisation, desk_clients, clock
):
    tom, pia = organisation.people.tom.id, organisation.people.pia.id
    tess, mona, toms = (
        await desk_clients("tess"),
        await desk_clients("mona"),
        await desk_clients("tom"),
    )
    assert (await note(tess, tom, "absent")).status_code == 303
    assert "Tom Sales is away; cover: Tess Sales." in visible_text(
        (await mona.get(f"/desk/people?person={tom}")).text
    )
    assert (await note(mona, pia, "absent")).status_code == 303
    assert (await tess.get(f"/desk/people?person={pia}")).status_code == 403
    token = hidden_fields((await toms.get("/desk/people")).text, f"/desk/people/{tom}/absent")
    refused = await toms.client.post(f"/desk/people/{pia}/back", data=token)
    assert refused.status_code == 403
    async with organisation.database.reading() as session:
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
    organisation, away, desk_clients, typed, words
):
    await away("uma")
    tess, number = await desk_clients("tess"), organisation.people.tess.id
    refused = await note(tess, number, "absent", **{"from": "2025-06-02"} | typed)
    assert refused.status_code == 422
    assert words in visible_text(refused.text)
    assert 'value="2025-06-02"' in refused.text
    assert (await note(tess, number, "back")).status_code == 409
    assert (await note(tess, number, "promote")).status_code == 404
    assert (await tess.get("/desk/people?person=0")).status_code == 404
    assert (await tess.get("/desk/people?person=x")).status_code == 422


async def test_absent_staff_is_not_offered_as_owner(organisation, away, desk_clients, card_request):
    await away("tom")
    page = await (await desk_clients("tess")).page(card_request)
    assert "pia@acme.example" in page
    assert "tom@acme.example" not in page
