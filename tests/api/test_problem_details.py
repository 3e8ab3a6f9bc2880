"""Invalid API calls are rejected by name and change nothing."""

import json
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from portal.business_time import now
from portal.database import Database
from portal.models import ApiKey, ServiceRequest
from tests.support.factories import ORIGIN, Organisation

pytestmark = pytest.mark.either_database

MARTIN = {"name": "Martin", "phone": "+14155550132"}
LONE = "\ud800"


def refused(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem details of a refusal (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["type"] == "about:blank"
    assert said["status"] == status
    assert said["title"]
    assert said["detail"]
    assert "Traceback" not in answer.text
    return said


NO_KEYS = [{}, {"Authorization": "Bearer kept_wrong"}, {"Authorization": "Basic a2VwdDo="},
     {"Authorization": "Bearer"}]  # fmt: skip


async def test_missing_or_unknown_key_is_401(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    for sent in NO_KEYS:
        for method, path in (("GET", "/requests"), ("POST", "/requests"), ("GET", "/messages/1")):
            answer = await client.request(method, f"/api/v1{path}", headers=sent)
            refused(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_revoked_key_is_401(
    client: httpx2.AsyncClient, database: Database, organisation: Organisation
) -> None:
    key, secret = ApiKey.make("old", now())
    key.revoked_at = now()
    async with database.transaction() as session:
        session.add(key)
    answer = await client.get("/api/v1/requests", headers={"Authorization": f"Bearer {secret}"})
    refused(answer, 401)


async def test_failed_keys_are_rate_limited_and_a_valid_key_is_not(
    client: httpx2.AsyncClient, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    for _ in range(30):
        refused(await client.get("/api/v1/requests"), 401)
    answer = await client.get("/api/v1/requests")
    refused(answer, 429)
    assert answer.headers["retry-after"] == "60"
    assert (await api.get("/requests")).status_code == 200


NOWHERE = [
    "/requests/CARD-NONE-000",
    "/requests/%00",
    "/requests/" + "x" * 500,
    "/messages/999",
    "/messages/abc",
    "/messages/-1",
    "/messages/" + "9" * 30,
    "/messages/" + "9" * 5000,
    "/requests/CARD-NONE-000/timeline",
    "/requests/CARD-NONE-000/messages",
    "/requests/CARD-NONE-000/promises",
    "/requests/CARD-NONE-000/follow-ups",
    "/nothing",
]


async def test_unknown_resource_is_404(api: httpx2.AsyncClient, organisation: Organisation) -> None:
    for path in NOWHERE:
        refused(await api.get(path), 404)


async def test_wrong_method_is_405(api: httpx2.AsyncClient, organisation: Organisation) -> None:
    answer = await api.put("/requests", json={})
    refused(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


NOT_JSON = [b"{", b"workflow=card", b"\xff\xfe\x00", b'{"a": NaN}', b'{"a": ' + b"9" * 5000 + b"}",
     b"[" * 100_000]  # fmt: skip


async def test_invalid_json_is_400(api: httpx2.AsyncClient, organisation: Organisation) -> None:
    for raw in NOT_JSON:
        refused(await api.post("/requests", content=raw), 400)


NOT_OPENED = [
    ({}, "workflow"),
    ({"workflow": "card"}, "customer"),
    ({"workflow": "none", "customer": MARTIN}, "workflow"),
    ({"workflow": 7, "customer": MARTIN}, "workflow"),
    ({"workflow": None, "customer": MARTIN}, "workflow"),
    ({"workflow": "card", "customer": "Martin"}, "customer"),
    ({"workflow": "card", "customer": {}}, "customer.name"),
    ({"workflow": "card", "customer": {"name": ""}}, "customer.name"),
    ({"workflow": "card", "customer": {"name": "   "}}, "customer.name"),
    ({"workflow": "card", "customer": {"name": "M\x00"}}, "customer.name"),
    ({"workflow": "card", "customer": {"name": LONE}}, "customer.name"),
    ({"workflow": "card", "customer": {"name": "x" * 100_000}}, "customer.name"),
    ({"workflow": "card", "customer": MARTIN | {"phone": "12"}}, "customer.phone"),
    ({"workflow": "card", "customer": MARTIN | {"phone": "call me"}}, "customer.phone"),
    ({"workflow": "card", "customer": MARTIN | {"email": "martin"}}, "customer.email"),
    ({"workflow": "card", "customer": MARTIN | {"timezone": "Mars"}}, "customer.timezone"),
    ({"workflow": "card", "customer": MARTIN | {"timezone": "localtime"}}, "customer.timezone"),
    ({"workflow": "card", "customer": MARTIN | {"locale": "../etc"}}, "customer.locale"),
    ({"workflow": "card", "customer": MARTIN | {"age": 40}}, "customer.age"),
    ({"workflow": "card", "customer": MARTIN, "tittle": "Gold"}, "tittle"),
    ({"workflow": "card", "customer": MARTIN, "title": "x" * 100_000}, "title"),
    ({"workflow": "card", "customer": MARTIN, "external_id": ""}, "external_id"),
    ({"workflow": "card", "customer": MARTIN, "external_id": "a\x00"}, "external_id"),
    ({"workflow": "card", "customer": MARTIN, "fields": []}, "fields"),
    ({"workflow": "card", "customer": MARTIN, "fields": {"a": ["b\x00"]}}, "fields.a.0"),
    ({"workflow": "card", "customer": MARTIN, "fields": {"a": LONE}}, "fields.a"),
    ({"workflow": "card", "customer": MARTIN, "fields": {LONE: 1}}, "fields"),
    ({"workflow": "card", "customer": MARTIN, "fields": {"a": "x" * 100_000}}, "fields"),
    ({"workflow": "card", "customer": MARTIN, "by": LONE}, "by"),
    ({"workflow": "card", "customer": MARTIN, "by": "x" * 300}, "by"),
]


async def test_invalid_new_request_names_the_field(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    for body, field in NOT_OPENED:
        said = refused(await api.post("/requests", content=json.dumps(body)), 422)
        assert field in [error["field"] for error in said["errors"]], body
        async with organisation.database.reading() as session:
            assert (await session.exec(select(ServiceRequest))).all() == [], body


async def test_unstorable_numbers_and_depths_are_rejected(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    order = '{"workflow": "card", "customer": {"name": "M"}, "fields": {"a": %s}}'
    refused(await api.post("/requests", content=order % "1e999"), 422)
    refused(await api.post("/requests", content=order % ("[" * 200 + "]" * 200)), 422)


NO_OBJECTS = [b"[]", b'"text"', b"7", b"null"]


async def test_non_object_body_is_rejected(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    for raw in NO_OBJECTS:
        refused(await api.post("/requests", content=raw), 422)


async def test_oversized_body_is_413(api: httpx2.AsyncClient, organisation: Organisation) -> None:
    answer = await api.post("/requests", content=b" " * 1_100_000)
    assert answer.status_code == 413


NOT_MOVED = [
    ("advance", {"stage": "nothing"}, "stage"),
    ("advance", {"note": "x" * 100_000}, "note"),
    ("advance", {"note": "a\x00"}, "note"),
    ("advance", {"expected_by": "2027-01-01T12:00:00"}, "expected_by"),
    ("advance", {"expected_by": "tomorrow"}, "expected_by"),
    ("advance", {"expected_by": 1790000000}, "expected_by"),
    ("advance", {"expected_by": "9999-12-31T23:59:59-12:00"}, "expected_by"),
    ("advance", {"expected_by": "0001-01-01T00:00:00+12:00"}, "expected_by"),
    ("advance", {"expected_by": "2020-01-01T00:00:00Z"}, "expected_by"),
    ("advance", {"version": "1"}, "version"),
    ("advance", {"version": True}, "version"),
    ("advance", {"version": 10**30}, "version"),
    ("advance", {"notes": "typo"}, "notes"),
    ("send-back", {"reason": "x"}, "stage"),
    ("send-back", {"stage": "received"}, "reason"),
    ("send-back", {"stage": "received", "reason": "  "}, "reason"),
    ("hold", {}, "reason"),
    ("hold", {"reason": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
    ("cancel", {"reason": ""}, "reason"),
    ("reopen", {"stage": "received"}, "reason"),
    ("handoff/refuse", {}, "reason"),
    ("assign", {}, "owner"),
    ("promises", {"text": "We call."}, "due_at"),
    ("promises", {"text": "We call.", "due_at": "2020-01-01T00:00:00Z"}, "due_at"),
    ("messages", {}, "body"),
    ("messages", {"body": "   "}, "body"),
    ("messages", {"body": "x" * 100_000}, "body"),
    ("messages", {"body": LONE}, "body"),
    ("messages", {"body": "Hello", "channels": ["fax"]}, "channels.0"),
    ("contacts", {"channel": "call", "note": "x"}, "reason"),
    ("contacts", {"channel": "pigeon", "reason": "other"}, "channel"),
]


async def test_invalid_transition_names_the_field_and_changes_nothing(
    api: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    for verb, body, field in NOT_MOVED:
        path = f"/requests/{card_request.reference}"
        before = (await api.get(path)).json()
        said = refused(await api.post(f"{path}/{verb}", content=json.dumps(body)), 422)
        assert field in [error["field"] for error in said["errors"]], body
        assert (await api.get(path)).json() == before


NOT_ALLOWED = [
    ("resume", {}, 409),
    ("handoff/accept", {}, 409),
    ("handoff/refuse", {"reason": "x"}, 409),
    ("reopen", {"reason": "x"}, 409),
    ("advance", {"stage": "made"}, 409),
    ("send-back", {"stage": "made", "reason": "x"}, 409),
    ("send-back", {"stage": "nothing", "reason": "x"}, 422),
    ("assign", {"owner": "nobody@acme.example"}, 422),
    ("promises/999/keep", {}, 404),
    ("promises/" + "9" * 40 + "/keep", {}, 404),
]


async def test_rule_violation_is_explained_and_changes_nothing(
    api: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    for verb, body, status in NOT_ALLOWED:
        path = f"/requests/{card_request.reference}"
        before = (await api.get(path)).json()
        refused(await api.post(f"{path}/{verb}", json=body), status)
        assert (await api.get(path)).json() == before


LOCALES = ["en", "es-MX", "pt_BR", "fil", "ar", "zh-Hant-TW"]


async def test_request_in_any_language_works(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    for locale in LOCALES:
        speaker = {"name": f"Speaks {locale}", "phone": "+14155550132", "locale": locale}
        answer = await api.post("/requests", json={"workflow": "card", "customer": speaker})
        assert answer.status_code == 201
        assert answer.json()["customer"]["locale"] == locale


async def test_host_header_is_ignored(api: httpx2.AsyncClient, organisation: Organisation) -> None:
    answer = await api.post(
        "/requests",
        json={"workflow": "card", "customer": MARTIN},
        headers={"Host": "evil.example"},
    )
    assert answer.json()["status_url"].startswith(ORIGIN)
    assert "evil" not in answer.text + str(answer.headers)


async def test_owner_whom_nobody_knows_is_named_in_the_errors(
    api: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    path = f"/requests/{card_request.reference}/assign"
    problem = (await api.post(path, json={"owner": "nobody@acme.example"})).json()
    assert problem["status"] == 422
    assert [error["field"] for error in problem["errors"]] == ["owner"]
