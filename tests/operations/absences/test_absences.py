"""An absence: its limits, what is rejected, and how the API and the desk set it."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.errors import BadInput, Conflict, NotFound
from portal.models import SYSTEM_ACTOR, Role, StaffMember
from portal.operations import add_staff, disable_staff, mark_absent
from portal.operations.staff import parse_day
from portal.queries.roster import load_full_roster
from tests.support.desk_client import HTMX, hidden_fields, visible_text

pytestmark = pytest.mark.either_database


NOW = datetime(2025, 6, 3, 14, tzinfo=UTC)


TUESDAY = datetime(2025, 6, 10, 4, tzinfo=UTC)
"""The day they are back: midnight in New York."""


def person(number, role=Role.AGENT, *, away=False, deputy=None):
    return StaffMember(
        id=number, email=f"{number}@x.example", name=f"P{number}", role=role, deputy_id=deputy,
        absent_from=NOW - timedelta(days=1) if away else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now", "is_away"),
    [(-1, False), (0, True), (3599, True), (3600, False)],
)
def test_absence_includes_its_first_and_last_moment(now, is_away):
    away = person(1)
    away.set_absence(NOW, NOW + timedelta(hours=1), None)
    assert away.is_away(NOW + timedelta(seconds=now)) is is_away


def test_absence_is_formatted_in_plain_words():
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


def test_absence_begins_at_midnight_in_the_departments_time_zone():
    assert parse_day("2025-06-10", "America/New_York") == TUESDAY
    assert parse_day("2025-06-10T04:00Z", "Asia/Tokyo") == TUESDAY
    assert parse_day(" ", "UTC") is None


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
async def test_invalid_absence_is_rejected_and_changes_nothing(
    organisation, away, card_request, words, refusal
):
    await away("uma")
    await organisation.run_unbound(disable_staff, email="carl@acme.example", by=SYSTEM_ACTOR)
    with pytest.raises(refusal):
        await organisation.run_unbound(
            mark_absent, by=SYSTEM_ACTOR, **{"email": "tess@acme.example"} | words
        )
    assert (await organisation.reload(card_request)).owner_id == organisation.people.tess.id


async def test_re_added_person_is_present(organisation, away):
    await away("tom")
    await organisation.run_unbound(disable_staff, email="tom@acme.example", by=SYSTEM_ACTOR)
    await organisation.run_unbound(
        add_staff, email="tom@acme.example", name="Tom Sales", by=SYSTEM_ACTOR
    )
    async with organisation.database.reading() as session:
        assert (await load_full_roster(session)).is_available(organisation.people.tom.id)


async def test_api_sets_an_absence_and_returns_the_substitute(
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
    assert [item["email"] for item in listed if item["is_away"]] == ["tess@acme.example"]
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
async def test_api_rejects_an_invalid_absence(api, email, told, status):
    answer = await api.post(f"/staff/{email}/absence", json=told)
    assert answer.status_code == status
    assert all(not item["is_away"] for item in (await api.get("/staff")).json()["items"])


async def note(desk, number, verb, *, htmx=False, **typed):
    page = (await desk.get(f"/desk/people?person={number}")).text
    url = f"/desk/people/{number}/{verb}"
    told = hidden_fields(page, url) | typed
    return await desk.client.post(url, data=told, headers=HTMX if htmx else {})


async def test_everybody_sees_colleagues_and_sets_their_own_absence(
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


async def test_lead_sets_absences_of_the_department_and_manager_of_everybody(
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
async def test_invalid_absence_form_is_explained_and_keeps_its_input(
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
