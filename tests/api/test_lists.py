"""Lists: what fits, in pages by key, with a fixed number of looks at the database."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from portal.models import BallKind, DroppedBall
from portal.operations import CustomerDetails, accept, advance, cancel
from tests.support.factories import MARTHA, MARTIN, House


async def found(api: httpx2.AsyncClient, **query: Any) -> list[str]:
    answer = await api.get("/requests", params=query)
    assert answer.status_code == 200, answer.text
    return [item["reference"] for item in answer.json()["items"]]


@pytest.fixture
async def five(house: House) -> dict[str, str]:
    """Requests by what is particular about them, oldest first."""
    by = house.people.tess.actor
    fresh = await house.open(by=by, external_id="crm-1")
    waiting = await house.do(advance, await house.open(customer=MARTHA, by=by), by=by)
    taken = await house.do(advance, await house.open(by=by), by=by)
    taken = await house.do(accept, taken, by=house.people.uma.actor)
    ended = await house.open(customer=CustomerDetails("Percy 100%", email="p@x.org"), by=by)
    ended = await house.do(cancel, ended, by=by, reason="No longer wanted.")
    fork = await house.do(advance, await house.open("permit", by=by), by=by)
    return {
        "fresh": fresh.reference,
        "waiting": waiting.reference,
        "taken": taken.reference,
        "ended": ended.reference,
        "fork": fork.reference,
    }


async def test_requests_are_listed_newest_first(
    api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    assert await found(api) == list(reversed(five.values()))


FITTING = [
    ({"status": "cancelled"}, ["ended"]),
    ({"status": "open"}, ["fork", "taken", "waiting", "fresh"]),
    ({"department": "underwriting"}, ["taken"]),
    ({"department": "telesales", "status": "open"}, ["waiting", "fresh"]),
    ({"department": "zoning"}, ["fork"]),
    ({"stage": "decision"}, ["taken", "waiting"]),
    ({"stage": "plans"}, ["fork"]),
    ({"owner": "UMA@acme.example"}, ["taken"]),
    ({"owner": "pia@acme.example"}, []),
    ({"q": "crm-1"}, ["fresh"]),
    ({"q": "martha"}, ["waiting"]),
    ({"q": "percy 100%"}, ["ended"]),
    ({"q": "%"}, []),
    ({"q": "P@x.org"}, ["ended"]),
    ({"q": "+1 (415) 555-0132", "stage": "plans"}, ["fork"]),
    ({"q": "nobody"}, []),
    ({"status": "open", "owner": "tess@acme.example", "stage": "received"}, ["fresh"]),
]


async def test_a_list_holds_what_fits_and_nothing_else(
    api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    for query, names in FITTING:
        assert await found(api, **query) == [five[name] for name in names], query


async def test_a_reference_is_found_however_it_is_cased(
    api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    assert await found(api, q=five["taken"].lower()) == [five["taken"]]


MEANINGLESS = [
    {"department": "nowhere"},
    {"stage": "nothing"},
    {"status": "lost"},
    {"owner": "nobody@acme.example"},
    {"limit": "0"},
    {"limit": "201"},
    {"limit": "many"},
    {"cursor": "!!!"},
    {"cursor": "é"},
    {"cursor": "QUJD"},
    {"departement": "telesales"},
    {"q": "a\x00b"},
    {"q": "x" * 300},
]


async def test_a_question_that_means_nothing_is_refused_by_name(
    api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    for query in MEANINGLESS:
        answer = await api.get("/requests", params=query)
        assert answer.status_code == 422, answer.text
        assert [one["field"] for one in answer.json()["errors"]] == list(query), query


async def test_a_question_left_empty_is_not_asked(
    api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    empty = "/requests?department=&stage=&status=&owner=&q=&cursor=&limit="
    assert (await api.get(empty)).json() == (await api.get("/requests")).json()


async def test_pages_follow_one_another_and_miss_nothing(
    api: httpx2.AsyncClient, five: dict[str, str], house: House
) -> None:
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/requests", params=query)).json()
        seen += [item["reference"] for item in page["items"]]
        cursor = page["next_cursor"]
        # What is opened meanwhile neither shifts a page nor comes twice.
        await house.open(customer=MARTIN, by=house.people.tess.actor)
    assert seen == list(reversed(five.values()))
    assert cursor is None


async def test_the_records_of_a_request_page_oldest_first(
    api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    path = f"/requests/{five['taken']}/timeline"
    whole = (await api.get(path)).json()
    assert whole["next_cursor"] is None
    ids = [item["id"] for item in whole["items"]]
    assert ids == sorted(ids)
    first = (await api.get(path, params={"limit": 2})).json()
    rest = (await api.get(path, params={"cursor": first["next_cursor"]})).json()
    assert first["items"] + rest["items"] == whole["items"]
    for part in ("messages", "promises", "follow-ups"):
        answer = await api.get(f"/requests/{five['taken']}/{part}")
        assert answer.status_code == 200
        assert set(answer.json()) == {"items", "next_cursor"}


async def test_a_longer_page_costs_no_more_looks_at_the_database(
    app: Starlette, api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    """No query for each row: the count is the same for one request and for five."""
    looks: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        looks.append(statement)

    engine = app.state.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", count)
    counts = []
    for limit in (1, 5):
        looks.clear()
        await found(api, limit=limit)
        counts.append(len(looks))
    sa.event.remove(engine, "before_cursor_execute", count)
    assert counts[0] == counts[1]
    assert counts[0] < 20


async def test_dropped_balls_have_an_owner_and_a_reference(
    api: httpx2.AsyncClient, house: House, five: dict[str, str]
) -> None:
    waiting = await house.see(five["waiting"])
    raised = datetime(2026, 11, 1, tzinfo=UTC)
    async with house.database.transaction() as session:
        session.add_all(
            [
                DroppedBall(
                    kind=BallKind.HANDOFF_UNACCEPTED, subject="handoff:1", detail="Not taken up.",
                    request_id=waiting.id, owner_id=waiting.owner_id, slipped_at=raised,
                    raised_at=raised,
                ),
                DroppedBall(
                    kind=BallKind.UNKNOWN_SENDER, subject="message:9", detail="Who is this?",
                    slipped_at=raised, raised_at=raised, resolved_at=raised,
                ),
            ]
        )  # fmt: skip
    still_open = (await api.get("/dropped-balls", params={"open": "true"})).json()["items"]
    assert [(one["kind"], one["reference"], one["owner"]["name"]) for one in still_open] == [
        ("handoff_unaccepted", five["waiting"], "Tess Sales")
    ]
    resolved = (await api.get("/dropped-balls", params={"open": "false"})).json()["items"]
    assert [(one["reference"], one["owner"]) for one in resolved] == [(None, None)]
    assert len((await api.get("/dropped-balls")).json()["items"]) == 2
    assert (await api.get("/dropped-balls", params={"open": "perhaps"})).status_code == 422
