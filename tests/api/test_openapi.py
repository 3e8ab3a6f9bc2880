"""The OpenAPI document and the served API agree."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from starlette.routing import Route

from portal.api import ENDPOINTS, routes
from portal.api.openapi import describe
from portal.business_time import now
from portal.models import SYSTEM_ACTOR, DroppedBallKind, Message, MessageStatus
from portal.operations import run_due_follow_ups
from portal.operations.dropped_balls.resolution import raise_dropped_ball
from tests.support.factories import Organisation
from tests.support.sample_images import PDF
from tests.support.workflows import GARAGE
from tests.visits.conftest import ENGINEER

once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

DOCUMENT = describe(ENDPOINTS, "https://kept.example")
MARTIN = {"name": "Martin", "phone": "+14155550132", "email": "martin@example.com"}


KINDS: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
    "null": type(None),
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def misfits(value: Any, schema: dict[str, Any], place: str = "answer") -> list[str]:
    """Where a value does not fit a schema: as much of JSON Schema as the description uses."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        return misfits(value, DOCUMENT["components"]["schemas"][name], place)
    if "anyOf" in schema:
        tried = [misfits(value, option, place) for option in schema["anyOf"]]
        return [] if [] in tried else min(tried, key=len)
    kind = schema.get("type")
    if kind and type(value) is not KINDS[kind]:
        return [f"{place}: {value!r} is no {kind}"]
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return [f"{place}: {value!r} is not the word for it"]
    if schema.get("format") == "date-time" and not TIME.fullmatch(value):
        return [f"{place}: {value!r} is no time in UTC"]
    return list(misfits_inside(value, schema, place))


def misfits_inside(value: Any, schema: dict[str, Any], place: str) -> Iterator[str]:
    """The same of what a list or an object holds."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from misfits(item, schema.get("items", {}), f"{place}[{number}]")
    elif isinstance(value, dict) and "properties" in schema:
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}.{name} misses"
        for name, inner in value.items():
            if name in schema["properties"]:
                yield from misfits(inner, schema["properties"][name], f"{place}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{place}.{name} is not described"


def described(method: str, path: str) -> dict[str, Any]:
    """The operation that serves this path."""
    for pattern, operations in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), path) and method in operations:
            return operations[method]
    raise AssertionError(f"{method} {path} is not described")


async def lose(organisation: Organisation, message_id: int) -> None:
    """As if the provider had refused it."""
    async with organisation.database.transaction() as session:
        message = await session.get_one(Message, message_id)
        message.status = MessageStatus.FAILED


async def drop(organisation: Organisation) -> None:
    """Something has slipped that belongs to no request."""
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        await raise_dropped_ball(uow, DroppedBallKind.FLOOD, "flood:+14155550199", "A flood.")


def test_every_route_is_described_and_every_description_is_served() -> None:
    served = {
        (route.path, method)
        for route in routes
        if isinstance(route, Route) and route.path != "/openapi.json"
        for method in route.methods or ()
        if method != "HEAD"
    }
    told = {
        (path, method.upper())
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }
    assert told == served


def test_every_schema_reference_resolves() -> None:
    for kind, name in re.findall(r"'#/components/(\w+)/(\w+)'", str(DOCUMENT)):
        assert name in DOCUMENT["components"][kind]


def test_every_operation_has_a_unique_id_and_a_summary() -> None:
    operations = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"].endswith(".") for operation in operations)


@once
async def test_openapi_needs_no_key(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["servers"] == [{"url": "http://testserver/api/v1"}]
    assert answer.json()["paths"] == DOCUMENT["paths"]


@once
async def test_responses_of_a_whole_request_match_the_schema(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """Every call of the table is made, and each answer and body held against its schema.

    A file has no schema; see tests/attachments/test_uploads.py. A visit is announced on its day; see
    tests/visits/test_staff.py.
    """
    called: set[str] = set()
    reference = ""

    async def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        path = path.replace("REF", reference)
        answer = await api.request(method, path, json=body)
        operation = described(method.lower(), path.partition("?")[0])
        called.add(operation["operationId"])
        told = operation["responses"][str(answer.status_code)]
        assert answer.status_code < 300, answer.text
        assert misfits(answer.json(), told["content"]["application/json"]["schema"]) == []
        if body is not None:
            taken = operation["requestBody"]["content"]["application/json"]["schema"]
            assert misfits(body, taken, "body") == []
        return answer.json()

    due = (now() + timedelta(days=9)).isoformat().replace("+00:00", "Z")
    order = {"workflow": "repair", "customer": MARTIN, "fields": {"model": "X", "age": 2}}
    request = await call("POST", "/requests", order)
    reference = request["reference"]
    promise = await call("POST", "/requests/REF/promises", {"text": "A call.", "due_at": due})
    path = f"/requests/REF/promises/{promise['id']}"
    await call("POST", f"{path}/move", {"due_at": due, "reason": "Ben is ill."})
    await call("POST", f"{path}/keep")
    quietly = {"text": "Ask the bank.", "due_at": due, "kind": "other", "tell": False}
    promise = await call("POST", "/requests/REF/promises", quietly)
    path = f"/requests/REF/promises/{promise['id']}"
    await call("POST", f"{path}/withdraw", {"reason": "It was none."})
    written = await call("POST", "/requests/REF/messages", {"body": "Hello.", "channels": ["sms"]})
    await call("GET", f"/messages/{written['id']}")
    await lose(organisation, written["id"])
    await call("GET", "/messages?needs=person&limit=1")
    again = await call("POST", f"/messages/{written['id']}/retry", {"to": MARTIN["phone"]})
    await lose(organisation, again["id"])
    words = {"body": "Hello again.", "channel": "email"}
    other = await call("POST", f"/messages/{again['id']}/resend", words)
    await lose(organisation, other["id"])
    await call("POST", f"/messages/{other['id']}/told", {"note": "He knows."})
    document = {"name": "permit.pdf", "content": base64.b64encode(PDF).decode()}
    await call("POST", "/requests/REF/documents", document)
    await call("POST", "/requests/REF/contacts", {"channel": "call", "reason": "other", "note": ""})
    await call("POST", "/requests/REF/hold", {"reason": "A part is missing.", "until": due})
    await call("POST", "/requests/REF/resume")
    later = {"expected_by": due, "reason": "The part is late.", "stage": "diagnosis"}
    await call("POST", "/requests/REF/delay", later)
    await call("POST", "/requests/REF/assign", {"owner": "ben@acme.example"})
    await call("POST", "/requests/REF/advance", {"note": "Found it.", "expected_by": due})
    await call("POST", "/requests/REF/send-back", {"stage": "diagnosis", "reason": "Not that."})
    await call("POST", "/requests/REF/cancel", {"reason": "Too dear."})
    await call("POST", "/requests/REF/reopen", {"reason": "Not too dear.", "stage": None})
    for part in ("", "/timeline", "/messages", "/promises", "/follow-ups"):
        await call("GET", f"/requests/REF{part}")
    await call("GET", "/requests?status=open")
    await drop(organisation)
    (ball,) = (await call("GET", "/dropped-balls?open=true"))["items"]
    await call("POST", f"/dropped-balls/{ball['id']}/dismiss", {"reason": "It was a test."})
    reference = (await call("POST", "/requests", {"workflow": "card", "customer": MARTIN}))[
        "reference"
    ]
    await call("POST", "/requests/REF/advance", {"by": "tess@acme.example"})
    await call("POST", "/requests/REF/handoff/refuse", {"reason": "Not for us."})
    await call("POST", "/requests/REF/advance", {"handover": "The papers are with us."})
    await call("POST", "/requests/REF/handoff/recall", {"by": "tess@acme.example"})
    await call("POST", "/requests/REF/advance")
    await call("POST", "/requests/REF/handoff/accept")
    await call("POST", "/requests/REF/minds", {"text": "No calls before noon."})
    scan = {"event": "Picked up", "third_party": "DHL", "tracking_number": "123", "at": None}
    await call("POST", "/requests/REF/third-party", scan)
    event = {"code": "in_transit", "number": "123", "place": "Newark", "estimated_date": None}
    await call("POST", "/requests/REF/third-party-events", event)
    await call("GET", "/requests/REF/story")
    await organisation.load(GARAGE)
    order = {"workflow": "garage", "customer": MARTIN}
    reference = (await call("POST", "/requests", order))["reference"]
    await call("POST", "/requests/REF/advance")
    await call("GET", "/requests/REF/needs")
    await call("POST", "/requests/REF/needs/plans/sent")
    await call("POST", "/requests/REF/needs/plans/correct", {"reason": "Sheet 2 is blank."})
    await call("POST", "/requests/REF/needs/plans/accept", {"by": "cora@acme.example"})
    away = {"from": due, "until": None, "deputy": "pia@acme.example"}
    await call("POST", "/staff/tess@acme.example/absence", away)
    await call("GET", "/staff?limit=1")
    await call("POST", "/staff/tess@acme.example/back")
    await organisation.load(ENGINEER)
    line = await organisation.open("engineer", by=SYSTEM_ACTOR)
    await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)
    reference = line.reference
    windows = await call("GET", "/requests/REF/visit-windows")
    await call("POST", "/requests/REF/visit", {"at": windows["items"][0]["starts_at"]})
    await call("POST", "/requests/REF/visit/cancel", {"reason": "The engineer is ill."})
    everything = {
        operation["operationId"]
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
    }
    assert called == everything - {"show_attachment", "announce_visit"}


@once
async def test_problem_details_match_the_schema(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    for answer in (
        await api.get("/requests/none"),
        await api.post("/requests", json={"workflow": "card"}),
    ):
        schema = DOCUMENT["components"]["responses"][str(answer.status_code)]["content"]
        assert misfits(answer.json(), schema["application/problem+json"]["schema"]) == []
