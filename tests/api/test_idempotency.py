"""A repeated API call acts once, also when the repeats are concurrent."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from sqlmodel import select

from portal.api.openapi import IDEMPOTENCY_KEY
from portal.business_time import now
from portal.database import Database
from portal.models import ApiKey, EventKind, ServiceRequest
from tests.support.factories import Organisation

ORDER: dict[str, Any] = {
    "workflow": "card",
    "customer": {"name": "Martin", "phone": "+14155550132"},
}
ONCE = {"Idempotency-Key": "order-1"}


async def requests(organisation: Organisation) -> list[ServiceRequest]:
    async with organisation.database.reading() as session:
        return list((await session.exec(select(ServiceRequest))).all())


async def test_repeated_call_returns_the_same_response_and_acts_once(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    first = await api.post("/requests", json=ORDER, headers=ONCE)
    again = await api.post("/requests", json=ORDER, headers=ONCE)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await requests(organisation)) == 1
    assert len(await organisation.messages()) == 1


@pytest.mark.parametrize(
    "name", ["order-1", "a b", "~", "x" * 255, "x" * 256, "", "\x07", "\xe9", "a\x7f"]
)
async def test_a_key_is_accepted_where_the_description_allows_it(
    api: httpx2.AsyncClient, organisation: Organisation, name: str
) -> None:
    schema = IDEMPOTENCY_KEY["schema"]
    allowed = len(name) <= schema["maxLength"] and re.search(schema["pattern"], name) is not None
    header = {"Idempotency-Key": name.encode("latin-1")}
    answer = await api.post("/requests", json=ORDER, headers=header)
    assert answer.status_code == (201 if allowed else 422)


async def test_field_order_and_whitespace_do_not_change_the_fingerprint(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    await api.post("/requests", json=ORDER, headers=ONCE)
    turned = b'{ "customer": {"phone": "+14155550132", "name": "Martin"},  "workflow": "card" }'
    again = await api.post("/requests", content=turned, headers=ONCE)
    assert again.headers["idempotent-replayed"] == "true"


async def test_same_key_with_other_body_or_path_is_rejected(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    first = (await api.post("/requests", json=ORDER, headers=ONCE)).json()
    other = await api.post("/requests", json=ORDER | {"title": "Other"}, headers=ONCE)
    assert other.status_code == 422
    path = f"/requests/{first['reference']}/advance"
    assert (await api.post(path, json=ORDER, headers=ONCE)).status_code == 422
    assert (await api.post(path, headers=ONCE)).status_code == 422
    assert (await api.get(f"/requests/{first['reference']}")).json() == first


async def test_repeated_advance_advances_once(
    api: httpx2.AsyncClient, card_request: ServiceRequest, organisation: Organisation
) -> None:
    path = f"/requests/{card_request.reference}/advance"
    body = {"note": "Done.", "version": card_request.version}
    first = await api.post(path, json=body, headers=ONCE)
    again = await api.post(path, json=body, headers=ONCE)
    assert again.content == first.content, "not refused as stale: it is the same call"
    kinds = [event.kind for event in await organisation.events(card_request)]
    assert kinds.count(EventKind.STAGE_COMPLETED) == 1


async def test_concurrent_repeats_open_one_request(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """The lock is the database's, so this holds across processes too."""
    answers = await asyncio.gather(
        *(api.post("/requests", json=ORDER, headers=ONCE) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len(await requests(organisation)) == 1
    assert len(await organisation.messages()) == 1


async def test_concurrent_creates_with_one_external_id_return_one_request(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    order = ORDER | {"external_id": "crm-9"}
    answers = await asyncio.gather(*(api.post("/requests", json=order) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    (only,) = await requests(organisation)
    assert all(only.reference in answer.text for answer in answers)


async def test_failed_call_is_not_stored(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """Nothing was done, so the same key may carry the call put right."""
    wrong = ORDER | {"customer": {"name": "Martin", "phone": "1"}}
    assert (await api.post("/requests", json=wrong, headers=ONCE)).status_code == 422
    assert (await api.post("/requests", json=ORDER, headers=ONCE)).status_code == 201


async def test_idempotency_key_expires_after_a_day(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    with time_machine.travel(now(), tick=False) as traveller:
        first = await api.post("/requests", json=ORDER, headers=ONCE)
        traveller.shift(timedelta(hours=24) - timedelta(seconds=1))
        still = await api.post("/requests", json=ORDER, headers=ONCE)
        assert still.content == first.content
        traveller.shift(timedelta(seconds=1))
        later = await api.post("/requests", json=ORDER, headers=ONCE)
    assert later.status_code == 201
    assert later.json()["reference"] != first.json()["reference"]


async def test_idempotency_keys_are_separate_for_each_api_key(
    api: httpx2.AsyncClient, organisation: Organisation, database: Database
) -> None:
    key, secret = ApiKey.make("shop", now())
    async with database.transaction() as session:
        session.add(key)
    first = await api.post("/requests", json=ORDER, headers=ONCE)
    theirs = await api.post(
        "/requests", json=ORDER, headers=ONCE | {"Authorization": f"Bearer {secret}"}
    )
    assert theirs.json()["reference"] != first.json()["reference"]


@pytest.mark.parametrize("name", ["", "x" * 256, "caf\u00e9"])
async def test_invalid_idempotency_key_is_rejected(
    name: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    headers = [("Idempotency-Key", name.encode("latin-1"))]
    assert (await api.post("/requests", json=ORDER, headers=headers)).status_code == 422
    assert await requests(organisation) == []
