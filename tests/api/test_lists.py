"""Lists of the API: filters, pages, and a fixed number of queries."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from portal.models import DroppedBall, DroppedBallKind
from portal.operations import CustomerDetails, accept, advance, cancel
from tests.support.factories import MARTHA, MARTIN, Organisation


async def found(api: httpx2.AsyncClient, **query: Any) -> list[str]:
    answer = await api.get("/requests", params=query)
    assert answer.status_code == 200, answer.text
    return [item["reference"] for item in answer.json()["items"]]


@pytest.fixture
async def five(organisation: Organisation) -> dict[str, str]:
    """Requests by what is particular about them, oldest first."""
    by = organisation.people.tess.actor
    fresh = await organisation.open(by=by, external_id="crm-1")
    waiting = await organisation.run(
        advance, await organisation.open(customer=MARTHA, by=by), by=by
    )
    taken = await organisation.run(advance, await organisation.open(by=by), by=by)
    taken = await organisation.run(accept, taken, by=organisation.people.uma.actor)
    ended = await organisation.open(customer=CustomerDetails("Percy 100%", email="p@x.org"), by=by)
    ended = await organisation.run(cancel, ended, by=by, reason="No longer wanted.")
    fork = await organisation.open("permit", by=by)
    fork = await organisation.run(advance, fork, by=organisation.people.cora.actor)
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


async def test_filters_return_only_matching_requests(
    api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    for query, names in FITTING:
        assert await found(api, **query) == [five[name] for name in names], query


async def test_reference_filter_ignores_case(api: httpx2.AsyncClient, five: dict[str, str]) -> None:
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


async def test_invalid_filter_value_is_rejected_by_name(
    api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    for query in MEANINGLESS:
        answer = await api.get("/requests", params=query)
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == list(query), query


async def test_empty_filter_is_ignored(api: httpx2.AsyncClient, five: dict[str, str]) -> None:
    empty = "/requests?department=&stage=&status=&owner=&q=&cursor=&limit="
    assert (await api.get(empty)).json() == (await api.get("/requests")).json()


async def test_pagination_misses_nothing(
    api: httpx2.AsyncClient, five: dict[str, str], organisation: Organisation
) -> None:
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/requests", params=query)).json()
        seen += [item["reference"] for item in page["items"]]
        cursor = page["next_cursor"]
        # What is opened meanwhile neither shifts a page nor comes twice.
        await organisation.open(customer=MARTIN, by=organisation.people.tess.actor)
    assert seen == list(reversed(five.values()))
    assert cursor is None


async def test_records_are_paged_oldest_first(
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


async def test_query_count_does_not_grow_with_page_size(
    app: Starlette, api: httpx2.AsyncClient, five: dict[str, str]
) -> None:
    """No query for each row: the count is the same for one request and for five."""
    looks: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        looks.append(statement)

    engine = app.state.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", count)
    await found(api)  # The first call of an hour writes that the key is used.
    counts = []
    for limit in (1, 5):
        looks.clear()
        await found(api, limit=limit)
        counts.append(len(looks))
    sa.event.remove(engine, "before_cursor_execute", count)
    assert counts[0] == counts[1]
    assert counts[0] < 20


async def test_dropped_balls_have_an_owner_and_a_reference(
    api: httpx2.AsyncClient, organisation: Organisation, five: dict[str, str]
) -> None:
    waiting = await organisation.reload(five["waiting"])
    raised = datetime(2026, 11, 1, tzinfo=UTC)
    async with organisation.database.transaction() as session:
        session.add_all(
            [
                DroppedBall(
                    kind=DroppedBallKind.HANDOFF_UNACCEPTED, subject="handoff:1", detail="Not taken up.",
                    request_id=waiting.id, owner_id=waiting.owner_id, dropped_at=raised,
                    raised_at=raised,
                ),
                DroppedBall(
                    kind=DroppedBallKind.UNKNOWN_SENDER, subject="message:9", detail="Who is this?",
                    dropped_at=raised, raised_at=raised, resolved_at=raised,
                ),
            ]
        )  # fmt: skip
    still_open = (await api.get("/dropped-balls", params={"open": "true"})).json()["items"]
    assert [(ball["kind"], ball["reference"], ball["owner"]["name"]) for ball in still_open] == [
        ("handoff_unaccepted", five["waiting"], "Tess Sales")
    ]
    resolved = (await api.get("/dropped-balls", params={"open": "false"})).json()["items"]
    assert [(ball["reference"], ball["owner"]) for ball in resolved] == [(None, None)]
    assert len((await api.get("/dropped-balls")).json()["items"]) == 2
    assert (await api.get("/dropped-balls", params={"open": "perhaps"})).status_code == 422
